import Testing

@testable import SkeinRESP

@Suite("SimpleReply") struct SimpleReplyTests {
  private func read(_ text: String) -> SimpleReply { SimpleReply(Array(text.utf8)) }

  @Test(
    arguments: [
      ("+OK\r\n", .bytes(Array("OK".utf8))), ("+\r\n", .bytes([])), ("$3\r\nabc\r\n", .bytes(Array("abc".utf8))),
      ("$0\r\n\r\n", .bytes([])), ("$4\r\n\r\n\r\n\r\n", .bytes([13, 10, 13, 10])), ("$-1\r\n", .none),
      (":42\r\n", .integer(42)), (":-9223372036854775808\r\n", .integer(.min)),
      ("-ERR no such thing\r\n", .failure("ERR no such thing")), ("-\r\n", .failure("")),
    ] as [(String, SimpleReply)])
  func `an answer of one value is that value`(text: String, expected: SimpleReply) {
    #expect(read(text) == expected)
  }

  @Test(arguments: ["", "+", "+OK", "$3\r\nab", "$3\r\nabc\r", "$9223372036854775807\r\n", "$x\r\n", "?\r\n", "\r\n"])
  func `one that is cut short or malformed is a failure`(text: String) {
    #expect(read(text) == .failure("ERR the answer cannot be read"))
  }

  @Test(arguments: ["*0\r\n", "*1\r\n:1\r\n", "*-1\r\n"])
  func `an array is a failure that says so`(text: String) {
    #expect(read(text) == .failure("ERR the answer is not a single value"))
  }

  @Test(arguments: [":\r\n", ":x\r\n", ":9223372036854775808\r\n"])
  func `an integer that is none is a failure`(text: String) {
    #expect(read(text) == .failure("ERR no integer"))
  }
}
