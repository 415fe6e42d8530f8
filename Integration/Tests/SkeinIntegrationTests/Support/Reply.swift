// Reply: one answer in RESP2, and the bytes of a request.

import Testing

/// One answer of a server.
indirect enum Reply: Equatable, Sendable {
  case simple(String)
  case error(String)
  case integer(Int)
  case bulk([UInt8])
  case null
  case array([Reply])
  case nullArray

  /// A bulk string of text.
  static func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

  /// `+OK`.
  static let ok = Reply.simple("OK")
  /// `+PONG`.
  static let pong = Reply.simple("PONG")

  /// The text of an error reply.
  var errorText: String? {
    if case .error(let text) = self { text } else { nil }
  }

  /// The number that the reply is or spells.
  var number: Int? {
    switch self {
    case .integer(let value): value
    case .bulk(let bytes): Int(String(decoding: bytes, as: UTF8.self))
    default: nil
    }
  }
}

extension Reply: CustomTestStringConvertible {
  var testDescription: String {
    switch self {
    case .simple(let text): "+\(text)"
    case .error(let text): "-\(text)"
    case .integer(let value): ":\(value)"
    case .bulk(let bytes):
      bytes.count <= 200 ? "$\(String(decoding: bytes, as: UTF8.self))" : "$(\(bytes.count) bytes)"
    case .null: "$-1"
    case .array(let elements): "[\(elements.map(\.testDescription).joined(separator: ", "))]"
    case .nullArray: "*-1"
    }
  }
}

/// The bytes of requests.
enum Request {
  /// One request of text arguments.
  static func bytes(_ arguments: String...) -> [UInt8] { bytes(arguments.map { Array($0.utf8) }) }

  /// One request of binary arguments.
  static func bytes(_ arguments: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(arguments.count)\r\n".utf8)
    for argument in arguments {
      bytes += Array("$\(argument.count)\r\n".utf8)
      bytes += argument
      bytes += [13, 10]
    }
    return bytes
  }
}
