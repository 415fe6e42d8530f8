import Testing

@testable import SkeinRESP

@Suite("IntegerText") struct IntegerTextTests {
  @Test(arguments: [
    ("0", 0), ("7", 7), ("-1", -1), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
    ("120", 120),
  ])
  func `reads what it writes`(text: String, value: Int64) {
    #expect(IntegerText.parse(Array(text.utf8).span) == value)
    var bytes: [UInt8] = []
    IntegerText.append(value, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }

  @Test(arguments: [
    "", "-", "+1", "01", "-0", "00", " 1", "1 ", "1a", "0x1", "1.0", "9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "99999999999999999999", "111111111111111111111", "--1", "-01",
  ])
  func `refuses what it would never write`(text: String) {
    #expect(IntegerText.parse(Array(text.utf8).span) == nil)
  }
}
