// IntegerText: decimal integers as Redis reads and writes them.

/// Decimal text of 64-bit integers, read as strictly as Redis' `string2ll`.
enum IntegerText {
  /// The integer that `text` spells, or nil.
  ///
  /// Only the form that writing would give is read: no plus sign, no leading zero, no space, no `-0`.
  static func parse(_ text: Span<UInt8>) -> Int64? {
    let count = text.count
    guard count > 0, count <= 20 else { return nil }
    var index = 0
    let negative = text[0] == UInt8(ascii: "-")
    if negative { index = 1 }
    guard index < count else { return nil }
    if text[index] == UInt8(ascii: "0") { return count == 1 ? 0 : nil }
    var magnitude: UInt64 = 0
    while index < count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      magnitude = sum
      index += 1
    }
    if negative { return magnitude <= UInt64(1) << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  /// Appends the decimal text of `value`.
  static func append(_ value: Int64, to bytes: inout [UInt8]) {
    var magnitude = value.magnitude
    if magnitude < 10 {
      if value < 0 { bytes.append(UInt8(ascii: "-")) }
      bytes.append(UInt8(ascii: "0") + UInt8(magnitude))
      return
    }
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var start = 20
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
      magnitude /= 10
    } while magnitude > 0
    if value < 0 {
      start -= 1
      digits[start] = UInt8(ascii: "-")
    }
    bytes.append(span: digits.span.extracting(start..<20))
  }
}
