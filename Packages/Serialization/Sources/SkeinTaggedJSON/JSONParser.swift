// JSONParser: JSON as a tree whose nodes know where they stand.

/// A piece of JSON and where it begins.
struct JSONNode {
  enum Content {
    case null
    case boolean(Bool)
    /// A number as it is written.
    case number(String)
    case string(String)
    case array([JSONNode])
    /// The members as they stand; a name may be there more than once.
    case object([(name: String, value: JSONNode)])
  }

  let content: Content
  let offset: Int

  /// The last member called `name`, if it is an object and has one.
  func member(_ name: String) -> JSONNode? {
    guard case .object(let members) = content else { return nil }
    return members.last { $0.name == name }?.value
  }
}

/// Reads RFC 8259, with a limit of depth.
struct JSONParser {
  private let text: [UInt8]
  private let depthLimit: Int
  private var at = 0

  init(_ text: [UInt8], depthLimit: Int) {
    self.text = text
    self.depthLimit = depthLimit
  }

  /// The whole text, which must be one piece of JSON.
  mutating func document() throws(TaggedJSONError) -> JSONNode {
    let node = try node(depth: 0)
    skipSpace()
    if at < text.count { throw TaggedJSONError("more after the end", at) }
    return node
  }

  private var next: UInt8? { at < text.count ? text[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0d).contains(byte) { at += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ byte: Character) throws(TaggedJSONError) {
    skipSpace()
    guard take(byte) else { throw unexpected("'\(byte)'") }
  }

  private func unexpected(_ wanted: String) -> TaggedJSONError {
    TaggedJSONError(at < text.count ? "expected \(wanted)" : "the text ends where \(wanted) should be", at)
  }

  private mutating func node(depth: Int) throws(TaggedJSONError) -> JSONNode {
    skipSpace()
    let start = at
    if depth > depthLimit { throw TaggedJSONError("nested too deep", start) }
    let content: JSONNode.Content
    switch next {
    case UInt8(ascii: "{"): content = .object(try members(depth: depth))
    case UInt8(ascii: "["): content = .array(try elements(depth: depth))
    case UInt8(ascii: "\""): content = .string(try string())
    case let byte? where "-0123456789".utf8.contains(byte): content = .number(number())
    default: content = try word()
    }
    return JSONNode(content: content, offset: start)
  }

  private mutating func elements(depth: Int) throws(TaggedJSONError) -> [JSONNode] {
    at += 1
    skipSpace()
    if take("]") { return [] }
    var elements: [JSONNode] = []
    while true {
      elements.append(try node(depth: depth + 1))
      skipSpace()
      if take("]") { return elements }
      try expect(",")
    }
  }

  private mutating func members(depth: Int) throws(TaggedJSONError) -> [(name: String, value: JSONNode)] {
    at += 1
    skipSpace()
    if take("}") { return [] }
    var members: [(name: String, value: JSONNode)] = []
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw unexpected("a name") }
      let name = try string()
      try expect(":")
      members.append((name, try node(depth: depth + 1)))
      skipSpace()
      if take("}") { return members }
      try expect(",")
    }
  }

  /// What looks like a number; whoever wants one says whether it is.
  private mutating func number() -> String {
    let start = at
    while let byte = next, "+-.0123456789Ee".utf8.contains(byte) { at += 1 }
    return String(decoding: text[start..<at], as: UTF8.self)
  }

  private mutating func word() throws(TaggedJSONError) -> JSONNode.Content {
    for (name, content) in [("true", JSONNode.Content.boolean(true)), ("false", .boolean(false)), ("null", .null)]
    where text[at...].starts(with: name.utf8) {
      at += name.utf8.count
      return content
    }
    throw unexpected("a value")
  }

  // MARK: Strings

  private mutating func string() throws(TaggedJSONError) -> String {
    let start = at
    at += 1
    var bytes: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: bytes, as: UTF8.self) else { throw TaggedJSONError("not UTF-8", start) }
        return string
      case UInt8(ascii: "\\"): bytes += try escape()
      case 0..<0x20: throw TaggedJSONError("a control character in a string", at - 1)
      default: bytes.append(byte)
      }
    }
    throw TaggedJSONError("a string without an end", start)
  }

  private mutating func escape() throws(TaggedJSONError) -> [UInt8] {
    let start = at - 1
    guard let byte = next else { throw unexpected("an escape") }
    at += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "u"): return try unicode(start)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    default: throw TaggedJSONError("an unknown escape", start)
    }
  }

  private mutating func unicode(_ start: Int) throws(TaggedJSONError) -> [UInt8] {
    var units = [try fourDigits(start)]
    if UTF16.isLeadSurrogate(units[0]), text[at...].starts(with: "\\u".utf8) {
      at += 2
      units.append(try fourDigits(start))
    }
    guard let string = String(validating: units, as: UTF16.self) else {
      throw TaggedJSONError("half a surrogate pair", start)
    }
    return Array(string.utf8)
  }

  private mutating func fourDigits(_ start: Int) throws(TaggedJSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = hexDigit(byte) else { throw TaggedJSONError("an unknown escape", start) }
      unit = unit << 4 | UInt16(digit)
      at += 1
    }
    return unit
  }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
