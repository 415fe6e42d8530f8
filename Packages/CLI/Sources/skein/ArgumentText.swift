// ArgumentText: words of the shell as values of Skynet, and back.

internal import SkeinSerialization

/// Words of the command line.
enum ArgumentText {
  /// Stands before a word that would be taken for an option although it is a negative number.
  private static let mark: Unicode.Scalar = "\u{1}"

  /// Marks negative numbers, up to a `--`, so that the argument parser takes them for arguments; and words that begin with
  /// the mark, wherever they stand, so that every mark is ours. An option's value is left as it is.
  static func escaped(_ words: [String]) -> [String] {
    guard let first = words.first, first == "call" || first == "send" else { return words }
    let end = words.firstIndex(of: "--") ?? words.endIndex
    return words.indices.map { index in
      let word = words[index]
      if index < end && index > 0 && words[index - 1] == "--timeout" { return word }
      let isNumber = index < end && word.hasPrefix("-") && number(word) != nil
      return isNumber || word.unicodeScalars.first == mark ? "\(mark)\(word)" : word
    }
  }

  /// An argument as it was given.
  static func unescaped(_ word: String) -> String {
    word.unicodeScalars.first == mark ? String(word.unicodeScalars.dropFirst()) : word
  }

  /// The value that a word means: an integer, a real, true, false, nil, or a string; `s:` forces a string.
  static func value(_ word: String) -> Value {
    if word.hasPrefix("s:") { return Value(word.dropFirst(2)) }
    if let number = number(word) { return number }
    switch word {
    case "true": return true
    case "false": return false
    case "nil": return nil
    default: return Value(word)
    }
  }

  /// Decimal integers and reals. `inf`, `nan`, hexadecimal forms and what begins with a plus are words.
  private static func number(_ word: String) -> Value? {
    guard word.utf8.first != UInt8(ascii: "+") else { return nil }
    if let integer = Int64(word) { return .integer(integer) }
    let isDecimal = word.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
    }
    guard isDecimal, let digit = word.utf8.last, digit != UInt8(ascii: "e"), let real = Double(word) else { return nil }
    return .double(real)
  }
}

/// Values as Lua spells them.
enum LuaText {
  /// One line: the values, separated by a comma and a space.
  static func line(_ values: [Value]) -> String { values.map(text).joined(separator: ", ") }

  private static func text(_ value: Value) -> String {
    switch value {
    case .nil: return "nil"
    case .boolean(let flag): return flag ? "true" : "false"
    case .integer(let number): return "\(number)"
    case .double(let number): return real(number)
    case .bytes(let bytes): return quoted(bytes)
    case .pointer(let address): return "pointer(0x\(String(address, radix: 16)))"
    case .table(let table):
      let elements = table.array.map(text)
      let pairs = table.hash.map { pair in "\(key(pair.key)) = \(text(pair.value))" }
      return "{" + (elements + pairs).joined(separator: ", ") + "}"
    }
  }

  private static func real(_ number: Double) -> String {
    if number.isNaN { return "0/0" }
    if number.isInfinite { return number < 0 ? "-1/0" : "1/0" }
    return "\(number)"
  }

  private static func key(_ value: Value) -> String {
    if case .bytes(let bytes) = value, let name = bytes.string, isName(name) { return name }
    return "[\(text(value))]"
  }

  private static let words: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "global", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  private static func isName(_ text: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = text.utf8.first, isLetter(first), !words.contains(text) else { return false }
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) }
  }

  /// In double quotes; what is no printable text is escaped, so that the line stays one line.
  private static func quoted(_ bytes: ByteString) -> String {
    guard let text = bytes.string else {
      return "\"" + bytes.map { byte in escape(UnicodeScalar(byte), isByte: true) }.joined() + "\""
    }
    return "\"" + text.unicodeScalars.map { escape($0, isByte: false) }.joined() + "\""
  }

  private static func escape(_ scalar: UnicodeScalar, isByte: Bool) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      if scalar.value < 32 || scalar.value == 127 || (isByte && scalar.value > 127) {
        let digits = String(scalar.value, radix: 16)
        return "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
      // Line ends of Unicode, which terminals may obey.
      if scalar.value == 0x85 || scalar.value == 0x2028 || scalar.value == 0x2029 {
        return "\\u{\(String(scalar.value, radix: 16))}"
      }
      return String(scalar)
    }
  }
}
