// SeededRandom: the numbers that a seed stands for, the same on every machine and with every standard library.
//
// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014 (SplitMix64).

internal import SkeinPlatform

struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `bound` - 1. Not the standard library's, whose way of drawing may change.
  mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "there is no number below zero to draw")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Whether something of this probability happens. Certain answers draw nothing.
  mutating func happens(_ probability: Double) -> Bool {
    if probability <= 0 { return false }
    if probability >= 1 { return true }
    return Double(next() >> 11) < probability * 0x1p53
  }

  /// A duration in nanoseconds.
  mutating func nanoseconds(in range: ClosedRange<Duration>) -> Int64 {
    let low = range.lowerBound.nanosecondsClamped
    let high = range.upperBound.nanosecondsClamped
    return low == high ? low : low + Int64(below(Int(high - low) + 1))
  }

  /// A size whose every order of magnitude is equally likely, so that one byte is as frequent as thousands.
  mutating func size(in range: ClosedRange<Int>) -> Int {
    let low = range.lowerBound
    let high = range.upperBound
    if low == high { return low }
    let lowBits = Int.bitWidth - low.leadingZeroBitCount
    let highBits = Int.bitWidth - high.leadingZeroBitCount
    let bits = lowBits + below(highBits - lowBits + 1)
    let from = max(low, bits == 0 ? 0 : 1 << (bits - 1))
    let through = min(high, bits == 0 ? 0 : 1 << (bits - 1) + (1 << (bits - 1) - 1))
    return from + below(through - from + 1)
  }
}
