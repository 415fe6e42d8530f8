// TickLength: from nanoseconds to ticks and back, without a division.
//
// With l = ⌈log2 d⌉ and m = ⌊2^(63+l) / d⌋ + 1, which has 64 bits, n·m / 2^(63+l) exceeds n / d by less than
// n / 2^(63+l), which for n < 2^63 is at most 1 / d: too little to reach the next whole number. So the high word of
// n·m, shifted right by l - 1, is ⌊n / d⌋ for every n that an instant has.
// Source: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994.

internal import SkeinPlatform

/// How long a tick is.
struct TickLength: Sendable {
  let nanoseconds: Int64
  private let factor: UInt64
  private let shift: UInt64

  /// - Parameter nanoseconds: 2 or more.
  init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
    let divisor = UInt64(nanoseconds)
    let bits = 64 - (divisor - 1).leadingZeroBitCount
    factor = divisor.dividingFullWidth((high: 1 << UInt64(bits - 1), low: 0)).quotient + 1
    shift = UInt64(bits - 1)
  }

  /// The last tick at or before `instant`; 0 for one before the clock's start.
  func tick(atOrBefore instant: MonotonicInstant) -> UInt64 {
    UInt64(max(instant.nanoseconds, 0)).multipliedFullWidth(by: factor).high >> shift
  }

  /// The first tick at or after `instant`; 0 for one before the clock's start.
  func tick(atOrAfter instant: MonotonicInstant) -> UInt64 {
    if instant.nanoseconds <= 0 { return 0 }
    return tick(atOrBefore: MonotonicInstant(nanoseconds: instant.nanoseconds - 1)) + 1
  }

  /// When `tick` begins; the end of the clock's range if that lies beyond it.
  func instant(of tick: UInt64) -> MonotonicInstant {
    let (product, overflow) = Int64(clamping: tick).multipliedReportingOverflow(by: nanoseconds)
    return overflow ? .distantFuture : MonotonicInstant(nanoseconds: product)
  }
}
