// CommandErrors: Redis 7.0's error texts, byte for byte.

/// The texts of errors that several commands give.
enum CommandErrors {
  static let notAnInteger = "ERR value is not an integer or out of range"
  static let syntax = "ERR syntax error"
  static let noAuth = "NOAUTH Authentication required."
  static let wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."
  static let outOfMemory = "OOM command not allowed when used memory > 'maxmemory'."
  static let overflow = "ERR increment or decrement would overflow"
  static let decrementOverflow = "ERR decrement would overflow"

  static func wrongArity(_ command: String) -> String { "ERR wrong number of arguments for '\(command)' command" }

  static func invalidExpireTime(_ command: String) -> String { "ERR invalid expire time in '\(command)' command" }

  /// The answer to a command that is not in the table: its name and its first arguments, 128 bytes of each at most.
  static func unknownCommand(
    _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>
  ) -> [UInt8] {
    var text: [UInt8] = []
    text.append("ERR unknown command '")
    append(bytes.extracting(arguments[0].range), limit: 128, to: &text)
    text.append("', with args beginning with: ")
    let start = text.count
    for index in 1..<arguments.count {
      let used = text.count - start
      if used >= 128 { break }
      text.append("'")
      append(bytes.extracting(arguments[index].range), limit: 128 - used, to: &text)
      text.append("' ")
    }
    return text
  }

  /// The answer to a subcommand that `command` does not have.
  static func unknownSubcommand(_ subcommand: Span<UInt8>, of command: CommandName) -> [UInt8] {
    var text: [UInt8] = []
    text.append("ERR unknown subcommand '")
    append(subcommand, limit: 128, to: &text)
    text.append("'. Try \(command.name.uppercased()) HELP.")
    return text
  }

  /// Appends what C's `%.*s` would print: up to `limit` bytes, and no further than a NUL byte.
  static func append(_ value: Span<UInt8>, limit: Int, to text: inout [UInt8]) {
    for index in 0..<min(limit, value.count) {
      if value[index] == 0 { return }
      text.append(value[index])
    }
  }
}

extension [UInt8] {
  /// Appends the UTF-8 of a computed text.
  mutating func append(_ text: String) { append(contentsOf: text.utf8) }
}

extension Span<UInt8> {
  /// Whether these bytes are `word`, which is in upper case, in any mixture of upper and lower case.
  func equals(ignoringCase word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    for index in indices {
      let byte = self[index]
      let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
      if unsafe upper != word.utf8Start[index] { return false }
    }
    return true
  }

  /// Whether both hold the same bytes.
  func equals(_ other: borrowing Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  /// These bytes as text; what is no UTF-8 is replaced.
  var text: String { unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }
}
