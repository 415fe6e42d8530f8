// NetworkConditions: how good a simulated network is.

/// How a ``SimulatedNetwork`` treats what is sent over it.
///
/// The defaults are a local network with a little of everything that TCP promises to hide. ``calm`` is for tests that
/// count and measure; ``rough`` for those that want trouble.
public struct NetworkConditions: Hashable, Sendable {
  /// How long a segment travels; order is kept. Default: 100 µs to 5 ms.
  public var latency: ClosedRange<Duration> = .microseconds(100) ... .milliseconds(5)
  /// How likely one transmission of a segment is lost, which shows as delay. Default: 0.001.
  public var loss = 0.001
  /// The delay before the first retransmission, which doubles with each further one. Default: 200 ms, Linux' least.
  public var retransmissionDelay = Duration.milliseconds(200)
  /// How long a side goes on sending what is not acknowledged, before ETIMEDOUT. Default: 30 s (Linux: some 15 min).
  public var transmissionTimeout = Duration.seconds(30)
  /// How long connecting is tried, before ETIMEDOUT. Default: 10 s (Linux: some 2 min).
  public var connectTimeout = Duration.seconds(10)
  /// How likely the arrival of a segment of data resets the connection, as some box in between would. Default: 0.
  public var resetProbability = 0.0
  /// How many bytes a segment has, every order of magnitude being equally likely. Default: 1 to 16,384.
  public var segmentSize = 1...16_384
  /// How many bytes one `received` has at most, drawn likewise. Default: 1 to 65,536.
  public var receivedSize = 1...65_536
  /// How long a host takes to notice what its kernel has ready. Default: 0 to 50 µs.
  public var wakeDelay: ClosedRange<Duration> = .zero ... .microseconds(50)
  /// How likely a new connection waits for the host to accept it. Default: 0.
  public var acceptStallProbability = 0.0
  /// How long it then waits. Default: 10 ms to 2 s.
  public var acceptStall: ClosedRange<Duration> = .milliseconds(10) ... .seconds(2)
  /// How long after `close` a descriptor is completely gone. Default: 0 to 1 ms.
  public var closeDelay: ClosedRange<Duration> = .zero ... .milliseconds(1)
  /// How many bytes a side may have sent that are not acknowledged. Default: 65,536.
  public var sendBuffer = 65_536
  /// How many bytes that its host has not read a side takes. Default: 65,536.
  public var receiveBuffer = 65_536

  /// The default conditions.
  public init() {}

  /// A network without surprises: 1 ms each way, whole segments, no loss, no delays.
  public static var calm: NetworkConditions {
    var conditions = NetworkConditions()
    conditions.latency = .milliseconds(1) ... .milliseconds(1)
    conditions.loss = 0
    conditions.segmentSize = 16_384...16_384
    conditions.receivedSize = 65_536...65_536
    conditions.wakeDelay = .zero ... .zero
    conditions.closeDelay = .zero ... .zero
    return conditions
  }

  /// A network that loses one segment in twenty, resets one connection in thousands of segments, and stalls.
  public static var rough: NetworkConditions {
    var conditions = NetworkConditions()
    conditions.latency = .microseconds(100) ... .milliseconds(80)
    conditions.loss = 0.05
    conditions.resetProbability = 0.0005
    conditions.segmentSize = 1...4_096
    conditions.wakeDelay = .zero ... .milliseconds(20)
    conditions.acceptStallProbability = 0.1
    conditions.closeDelay = .zero ... .milliseconds(50)
    return conditions
  }

  func check() {
    precondition(latency.lowerBound >= .zero && wakeDelay.lowerBound >= .zero, "a delay must not be negative")
    precondition(acceptStall.lowerBound >= .zero && closeDelay.lowerBound >= .zero, "a delay must not be negative")
    precondition(retransmissionDelay > .zero, "the delay of a retransmission must be positive")
    precondition(transmissionTimeout > .zero && connectTimeout > .zero, "a timeout must be positive")
    precondition(segmentSize.lowerBound > 0 && receivedSize.lowerBound > 0, "a piece has at least one byte")
    precondition(sendBuffer > 0 && receiveBuffer > 0, "a buffer holds at least one byte")
  }
}
