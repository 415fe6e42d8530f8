// BackOff: how long to wait before the next attempt to connect.

internal import SkeinPlatform

/// Exponential delays with jitter, from a seed.
struct BackOff: Sendable {
  private let base: Int64
  private let cap: Int64
  private var random: SplitMix64

  init(base: Duration, cap: Duration, seed: UInt64) {
    self.base = max(1, base.nanosecondsClamped)
    self.cap = max(1, cap.nanosecondsClamped)
    random = SplitMix64(state: seed)
  }

  /// The delay after `failures` failed attempts in a row: base · 2^(failures - 1), at most the cap; of that a random
  /// part between the half and the whole, so that nodes that lost a peer together do not come back together.
  mutating func delay(failures: Int) -> Duration {
    var full = base
    var doublings = failures - 1
    while doublings > 0 && full < cap {
      full = full > cap / 2 ? cap : full * 2
      doublings -= 1
    }
    full = min(full, cap)
    return .nanoseconds(full - Int64(random.next() % UInt64(full / 2 + 1)))
  }
}

/// A small generator of pseudo-random numbers.
///
/// - SeeAlso: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
