// Hello: how Skein nodes know each other on Skynet's wire: a name query for a name that no Skynet node has.
//
//   query   skein/1?node=NAME      to number address 0, as any name query
//   answer  the same text, with the answering node's name; a Skynet node answers "name not found"
// Names are percent-encoded but for letters, digits and -._~; they have at most 255 bytes and no control characters.

internal import SkeinSerialization

/// What one node tells another of itself.
struct Hello: Hashable {
  private static let prefix = Array("skein/1?node=".utf8)

  let node: String

  init(node: String) { self.node = node }

  /// Reads a hello out of the name that was asked for; `nil` when it is another name.
  init?(_ name: [UInt8]) {
    guard name.starts(with: Self.prefix) else { return nil }
    var bytes: [UInt8] = []
    var rest = name.dropFirst(Self.prefix.count)
    // Later versions may add fields.
    if let end = rest.firstIndex(of: UInt8(ascii: "&")) { rest = rest[..<end] }
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard let node = String(validating: bytes, as: UTF8.self), Self.isName(node) else { return nil }
    self.node = node
  }

  /// Whether a name can stand in a line of a log.
  private static func isName(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  private var text: [UInt8] {
    var text = Self.prefix
    for byte in node.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        text.append(byte)
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        text += Array((digits.utf8.count == 1 ? "%0" : "%").utf8) + Array(digits.utf8)
      }
    }
    return text
  }

  /// The query's body.
  var query: [UInt8] { Self.encode { $0.bytes(text) } }
  /// The answer's body.
  var answer: [UInt8] { query }

  /// The answer to an ordinary name query.
  static func answer(id: UInt32) -> [UInt8] { encode { $0.integer(Int64(id)) } }

  /// The name that a query's body holds; `nil` when it holds none.
  static func name(inQuery body: [UInt8]) -> [UInt8]? {
    try? Seri.read(body) { reader throws(SeriError) in try reader.bytes() }
  }

  private static func encode(_ write: (inout SeriWriter) -> Void) -> [UInt8] {
    var writer = SeriWriter()
    write(&writer)
    do throws(SeriError) { return try writer.finish() } catch {
      preconditionFailure("a name of some bytes cannot exceed a limit")
    }
  }
}
