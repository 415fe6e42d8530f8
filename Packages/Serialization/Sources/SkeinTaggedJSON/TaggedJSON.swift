// TaggedJSON: messages as JSON that keeps apart what JSON does not: integers and doubles, bytes and text, nil.

public import SkeinSerialization

/// Messages as JSON in which each value says its type, for tools and for test vectors.
///
/// A message is an array of tagged values:
///
/// | form | means |
/// |---|---|
/// | `{"t":"nil"}` | nil |
/// | `{"t":"bool","v":true}` | boolean |
/// | `{"t":"int","v":"-5"}` | integer, in decimal |
/// | `{"t":"real","bits":"3ff0000000000000"}` | double, its bits in hexadecimal |
/// | `{"t":"str","hex":"616263"}` | bytes; also `"len":N,"fill":"61"`, or `"len":N,"mod":[a,b,m]` for byte i = (a·i + b) mod m |
/// | `{"t":"ptr","v":"00007f0012345678"}` | opaque pointer, in hexadecimal |
/// | `{"t":"table","array":[…],"hash":[[k,v],…]}` | table; also `"array_rep":{"n":N,"v":…}` for N equal elements |
///
/// Other members are ignored.
public enum TaggedJSON {
  /// Reads a message.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - limits: what the message may hold; `bytes` holds for the sum of its strings.
  /// - Throws: ``TaggedJSONError`` with the offset in `text` of what is wrong.
  /// - Complexity: O(size of `text` and of the message).
  public static func decode(_ text: [UInt8], limits: SeriLimits = .default) throws(TaggedJSONError) -> [Value] {
    // A table in a table is three levels of JSON deeper.
    var parser = JSONParser(text, depthLimit: 3 * (limits.depth + 2) + 2)
    var builder = ValueBuilder(limits: limits)
    return try builder.message(try parser.document())
  }

  /// Reads a message; see ``decode(_:limits:)-([UInt8],_)``.
  public static func decode(_ text: String, limits: SeriLimits = .default) throws(TaggedJSONError) -> [Value] {
    try decode(Array(text.utf8), limits: limits)
  }

  /// The message as one line of JSON, without its end.
  ///
  /// - Complexity: O(size of the message).
  public static func encode(_ message: [Value]) -> String {
    var writer = TaggedWriter()
    writer.list(message) { writer, value in writer.value(value) }
    return String(decoding: writer.text, as: UTF8.self)
  }
}

/// Why a text is not a message in tagged JSON.
public struct TaggedJSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, in words.
  public let reason: String
  /// Where in the text, in bytes.
  public let offset: Int

  init(_ reason: String, _ offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// One line: the reason, and `at byte N`.
  public var description: String { "\(reason) at byte \(offset)" }
}
