// RESPProtocolError: what makes a byte stream no RESP, in Redis' words.

/// Why a ``RESPParser`` gave up; the connection is to be closed after the answer ``replyText``.
public enum RESPProtocolError: Error, Hashable, Sendable {
  /// An inline command is longer than the line limit.
  case tooBigInlineRequest
  /// An array's header is longer than the line limit.
  case tooBigArrayHeader
  /// A bulk string's header is longer than the line limit.
  case tooBigBulkHeader
  /// An array's length is no number, or above the limit.
  case invalidArrayLength
  /// A client that has not authenticated sent more than ten arguments.
  case unauthenticatedArrayLength
  /// An argument does not begin with `$` but with `got`.
  case expectedBulk(got: UInt8)
  /// A bulk string's length is no number, negative, or above the limit.
  case invalidBulkLength
  /// A client that has not authenticated sent an argument of more than 16 KiB.
  case unauthenticatedBulkLength
  /// An inline command ends inside quotes, or goes on right after a closing quote.
  case unbalancedQuotes

  /// The text of the error answer, without `-ERR ` and the line's end.
  public var replyText: String {
    switch self {
    case .tooBigInlineRequest: "Protocol error: too big inline request"
    case .tooBigArrayHeader: "Protocol error: too big mbulk count string"
    case .tooBigBulkHeader: "Protocol error: too big bulk count string"
    case .invalidArrayLength: "Protocol error: invalid multibulk length"
    case .unauthenticatedArrayLength: "Protocol error: unauthenticated multibulk length"
    case .expectedBulk(let byte): "Protocol error: expected '$', got '\(Self.printable(byte))'"
    case .invalidBulkLength: "Protocol error: invalid bulk length"
    case .unauthenticatedBulkLength: "Protocol error: unauthenticated bulk length"
    case .unbalancedQuotes: "Protocol error: unbalanced quotes in request"
    }
  }

  private static func printable(_ byte: UInt8) -> Character {
    byte == 0x0D || byte == 0x0A || byte >= 0x80 ? " " : Character(Unicode.Scalar(byte))
  }
}
