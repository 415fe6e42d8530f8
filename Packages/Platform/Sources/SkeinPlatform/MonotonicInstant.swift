// MonotonicInstant: a point on CLOCK_MONOTONIC, which no change of the wall clock moves.

internal import CSkeinPlatform

/// A point in time on the machine's monotonic clock, in nanoseconds since some fixed start.
///
/// Use it for deadlines and for measuring; it says nothing about the time of day.
/// Instants of two machines, or from before and after a reboot, are not comparable.
@frozen
public struct MonotonicInstant: InstantProtocol, Hashable, Sendable {
  /// Nanoseconds since the clock's start; never negative for an instant taken with ``now``.
  public var nanoseconds: Int64

  /// Makes an instant from a reading of CLOCK_MONOTONIC in nanoseconds.
  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The clock's reading; that of the thread's ``VirtualClock`` within ``VirtualClock/rule(_:)``.
  ///
  /// - Complexity: O(1), about 20 ns, no system call.
  public static var now: MonotonicInstant { MonotonicInstant(nanoseconds: skein_monotonic_ns()) }

  /// The clock's reading within a few microseconds, for what needs no more: budgets, statistics, deadlines of seconds.
  ///
  /// Taken from the processor's own counter, which is set by the clock again each millisecond; never goes back on one
  /// thread. A thread's first millisecond, and a processor whose counter has no constant rate, read ``now`` instead.
  ///
  /// - Complexity: O(1), about 8 ns, no system call.
  public static var approximateNow: MonotonicInstant { MonotonicInstant(nanoseconds: skein_approximate_ns()) }

  /// A deadline that never comes: 292 years after the clock's start.
  @inlinable
  public static var distantFuture: MonotonicInstant { MonotonicInstant(nanoseconds: .max) }

  /// The instant `duration` later; a result beyond the clock's range becomes its end.
  @inlinable
  public func advanced(by duration: Duration) -> MonotonicInstant {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanosecondsClamped)
    if overflow { return duration < .zero ? MonotonicInstant(nanoseconds: .min) : .distantFuture }
    return MonotonicInstant(nanoseconds: sum)
  }

  /// The time from this instant to `other`; negative when `other` lies before.
  @inlinable
  public func duration(to other: MonotonicInstant) -> Duration {
    .nanoseconds(other.nanoseconds.subtractingReportingOverflow(nanoseconds).partialValue)
  }

  /// Whether `left` comes before `right`.
  @inlinable
  public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}

extension Duration {
  /// The duration in nanoseconds, rounded up; what lies outside of 64 bits becomes the nearest bound.
  @inlinable
  public var nanosecondsClamped: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    // Rounded up, so that a deadline is never early.
    let (fraction, remainder) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let (sum, over) = product.addingReportingOverflow(fraction + (remainder > 0 ? 1 : 0))
    return over ? (seconds < 0 ? .min : .max) : sum
  }
}
