// LinkState, LinkConfiguration, LinkAction: what a link says, what it is told at its making, and what it asks for.

public import SkeinPlatform

/// The state of our connection to a peer.
public enum LinkState: Hashable, Sendable, CustomStringConvertible {
  /// The directory has no address for the peer.
  case unknown
  /// There is no connection, and nobody needs one.
  case idle
  /// A connection is being made.
  case connecting
  /// The connection is there since this time.
  case up(since: MonotonicInstant)
  /// The connection has ended for us; it is not yet completely closed.
  case closing
  /// The next attempt to connect is made at `until`, when somebody needs it.
  case backingOff(until: MonotonicInstant, attempts: Int, error: SystemCallError)
  /// The directory says that the peer is down.
  case down
  /// Our node leaves the cluster; nothing follows.
  case shutDown

  /// The state's name.
  public var description: String {
    switch self {
    case .unknown: "unknown"
    case .idle: "idle"
    case .connecting: "connecting"
    case .up: "up"
    case .closing: "closing"
    case .backingOff(_, let attempts, let error): "backing off after \(attempts) attempts: \(error)"
    case .down: "down"
    case .shutDown: "shut down"
    }
  }
}

/// The limits and times of a link.
public struct LinkConfiguration: Hashable, Sendable {
  /// Greatest number of unfinished calls.
  public var maxPendingCalls = 10_000
  /// Greatest number of bytes that wait for the socket; one request is always taken when nothing waits.
  public var maxQueuedBytes = 16 << 20
  /// Greatest body of one request.
  public var maxRequestBytes = 16 << 20
  /// How many bytes are handed to the socket at once. The socket's high watermark must not be above it.
  public var window = 1 << 20
  /// Limits on large answers.
  public var answers = LargeLimits()
  /// Whether small requests wait for the large ones made before them. Otherwise they overtake between two parts.
  public var keepsOrder = false
  /// How long an attempt to connect may take.
  public var connectTimeout = Duration.seconds(5)
  /// How long a connection that we end may make no progress, in writing or in the peer's ending it too, before it is
  /// aborted. Until it is gone there is no other.
  public var closeTimeout = Duration.seconds(1)
  /// The delay after the first failed attempt; it doubles with each one.
  public var backOffBase = Duration.milliseconds(100)
  /// Greatest delay between two attempts.
  public var backOffCap = Duration.seconds(30)
  /// A connection that was up for so long ends the count of failed attempts.
  public var stableTime = Duration.seconds(30)
  /// A connection that was asked, and ended without a packet within this time, was fruitless.
  public var fruitlessTime = Duration.seconds(1)
  /// So many fruitless connections in a row count as a failed attempt.
  public var fruitlessLimit = 3

  /// The defaults.
  public init() {}
}

/// What a link has to say about itself, for those who watch.
public struct LinkStatistics: Hashable, Sendable {
  /// The state of the connection.
  public let state: LinkState
  /// The peer's address as the directory gives it.
  public let address: String?
  /// Calls that wait for a connection or for their answer.
  public let pendingCalls: Int
  /// Bytes of requests that the kernel does not have.
  public let queuedBytes: Int
  /// Attempts to connect that failed in a row.
  public let failedAttempts: Int
  /// Why the last attempt failed; nil when none did.
  public let lastFailure: SystemCallError?
  /// Answers that came after their caller had gone.
  public let lateAnswers: Int
  /// Answers whose session nobody ever waited for.
  public let unknownAnswers: Int
  /// Sends that were taken and that the kernel did not have for certain when their connection ended.
  public let lostSends: Int
}

/// The answer to a send, at once.
public enum ClusterSendReceipt: Hashable, Sendable {
  /// Taken; it is lost if the connection ends before it is written, and then it is counted and logged.
  case queued
  /// Not taken: too much waits for this peer.
  case busy(limit: Int)
  /// Not taken, for this reason.
  case refused(ClusterError)
}

/// How much a line of the log matters.
public enum ClusterLogLevel: Hashable, Sendable { case debug, info, warning }

/// What a link asks of its driver.
enum LinkAction: Equatable, Sendable {
  /// Open a connection; what comes of it is told with this attempt's number.
  case connect(address: String, attempt: UInt64)
  /// Look now whether the peer's FIN or a reset has reached the kernel, and call `checked`.
  case checkConnection(attempt: UInt64)
  /// Fetch what is to be written with `takeOutput` and write it to the connection of this attempt.
  case write(attempt: UInt64)
  /// Close in good order: what was written is still sent. Then tell `connectionClosed`.
  case close(attempt: UInt64)
  /// Close at once, or give up connecting. Then tell `connectionClosed`.
  case abort(attempt: UInt64)
  /// The call is finished.
  case complete(UInt64, Result<[UInt8], ClusterError>)
  /// Tell `closing` how much of the connection that we end the kernel has taken.
  case checkProgress(attempt: UInt64)
  /// Call `timerFired` at this time; replaces the time asked for before.
  case arm(MonotonicInstant)
  /// No timer is needed any more.
  case disarm
  /// The state has changed.
  case stateChanged(from: LinkState, to: LinkState, reason: String)
  /// A line for the log.
  case log(ClusterLogLevel, String)
}
