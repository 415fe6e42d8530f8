// SimpleReply: one encoded answer that is no array, read.

/// An answer of one value.
public enum SimpleReply: Hashable, Sendable {
  /// No such value.
  case none
  /// A string.
  case bytes([UInt8])
  /// An integer.
  case integer(Int64)
  /// An error's text.
  case failure(String)

  /// Reads an answer; one that is malformed or an array is a failure that says so.
  public init(_ answer: [UInt8]) {
    guard let line = ReplyScanner.endOfLine(answer.span, from: 0), ReplyScanner.end(of: answer.span, from: 0) != nil
    else {
      self = .failure("ERR the answer cannot be read")
      return
    }
    let text = answer[1..<line - 2]
    switch answer[0] {
    case UInt8(ascii: "+"): self = .bytes(Array(text))
    case UInt8(ascii: "-"): self = .failure(String(decoding: text, as: UTF8.self))
    case UInt8(ascii: ":"): self = IntegerText.parse(text.span).map { .integer($0) } ?? .failure("ERR no integer")
    case UInt8(ascii: "$"):
      self = text.first == UInt8(ascii: "-") ? .none : .bytes(Array(answer[line..<answer.count - 2]))
    default: self = .failure("ERR the answer is not a single value")
    }
  }
}
