// VirtualClock: a clock that stands still until it is moved, for the threads that it rules.
//
// Shared by: the thread that it rules and moves it; it may rule several, one after another.

internal import CSkeinPlatform

/// A clock for simulations: on a thread that it rules, ``MonotonicInstant/now`` reads it instead of the machine's.
///
/// Everything that runs on that thread, whatever its layer, sees the same time, and other threads see the machine's.
/// So instants of the two must not meet: what a simulation works with is made under its rule.
///
/// - Thread safety: one thread at a time.
@safe public final class VirtualClock {
  private let reading: UnsafeMutablePointer<Int64>

  /// Makes a clock that reads `start`.
  public init(start: MonotonicInstant) {
    unsafe reading = .allocate(capacity: 1)
    unsafe reading.initialize(to: start.nanoseconds)
  }

  deinit { unsafe reading.deallocate() }

  /// What the clock reads.
  public var now: MonotonicInstant { MonotonicInstant(nanoseconds: unsafe reading.pointee) }

  /// Moves the clock to `instant`; it never goes back.
  public func move(to instant: MonotonicInstant) {
    unsafe reading.pointee = unsafe max(reading.pointee, instant.nanoseconds)
  }

  /// Rules the calling thread until `body` ends.
  public func rule<Result: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = unsafe skein_virtual_clock_set(reading)
    defer { unsafe _ = skein_virtual_clock_set(before) }
    return try body()
  }
}

// @unchecked: one thread at a time, see above.
extension VirtualClock: @unchecked Sendable {}
