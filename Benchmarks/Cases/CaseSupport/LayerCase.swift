// LayerCase: one thing that is measured and checked.

/// A named piece of work whose result is known beforehand.
///
/// Names are `Layer/operation/condition`, as in `Mailbox/flow/8-producers`.
public struct LayerCase: Sendable, CustomStringConvertible {
  /// The case's name in reports.
  public let name: String
  /// Operations in one measured run.
  public let count: Int
  /// Operations in a test, which only checks the sum.
  public let testCount: Int
  /// The checksum that `count` operations must end with.
  public let expected: @Sendable (_ count: Int) -> UInt64
  /// Does `count` operations between the meter's start and stop, and returns their checksum.
  public let run: @Sendable (_ count: Int, _ meter: any Meter) throws -> UInt64

  /// Makes a case.
  ///
  /// - Parameters:
  ///   - name: `Layer/operation/condition`.
  ///   - count: operations in one measured run, which should take some milliseconds.
  ///   - testCount: operations in a test.
  ///   - expected: the right checksum; by default that of the numbers 0 ..< count.
  ///   - run: the work.
  public init(
    _ name: String, count: Int, testCount: Int = 1_000,
    expected: @escaping @Sendable (_ count: Int) -> UInt64 = sumOfNumbers,
    run: @escaping @Sendable (_ count: Int, _ meter: any Meter) throws -> UInt64
  ) {
    self.name = name
    self.count = count
    self.testCount = testCount
    self.expected = expected
    self.run = run
  }
}

extension LayerCase {
  /// The name alone.
  public var description: String { name }
}

/// 0 + 1 + … + (count - 1).
@inlinable
public func sumOfNumbers(_ count: Int) -> UInt64 { UInt64(count) * UInt64(count &- 1) / 2 }

/// What a case tells of itself while it runs.
public protocol Meter: AnyObject {
  /// The work begins; what came before was preparation.
  func start()
  /// The work has ended; what follows is clearing up.
  func stop()
  /// One operation took so long. For cases that are about latency and not about throughput.
  func latency(nanoseconds: Int64)
  /// One of the things made by the case holds so many bytes.
  func bytesEach(_ bytes: Int)
}

/// A meter that measures nothing, for tests.
public final class NoMeter: Meter {
  /// Makes one.
  public init() {}
  /// Does nothing.
  public func start() {}
  /// Does nothing.
  public func stop() {}
  /// Does nothing.
  public func latency(nanoseconds: Int64) {}
  /// Does nothing.
  public func bytesEach(_ bytes: Int) {}
}
