// RESPParser+Inline: commands typed as a line, split as Redis' sdssplitargs does.

extension RESPParser {
  /// Reads one line and adds its words as arguments; false when the line has not arrived.
  mutating func readInline() throws(RESPProtocolError) -> Bool {
    guard let lineFeed = try lineEnd(UInt8(ascii: "\n"), else: .tooBigInlineRequest) else { return false }
    var end = lineFeed
    if end > cursor, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    // A C string ends at a NUL byte, and so does the line for Redis.
    var index = cursor
    while index < end, bytes[index] != 0 { index += 1 }
    end = index
    index = cursor
    while true {
      while index < end, Self.isSpace(bytes[index]) { index += 1 }
      if index == end { break }
      try readWord(&index, end)
    }
    skip(to: lineFeed + 1)
    return true
  }

  /// Reads one word from `index` on; escapes shrink, so that the word is built where it stands.
  private mutating func readWord(_ index: inout Int, _ end: Int) throws(RESPProtocolError) {
    var start = index
    var write = index
    if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") {
      start += 1
      write += 1
    }
    while index < end, !Self.isSpace(bytes[index]) {
      switch bytes[index] {
      case UInt8(ascii: "\""): try readDoubleQuoted(&index, &write, end)
      case UInt8(ascii: "'"): try readSingleQuoted(&index, &write, end)
      default:
        put(bytes[index], at: &write)
        index += 1
      }
    }
    addArgument(ArgumentRange(start, count: write - start))
  }

  private mutating func readDoubleQuoted(_ index: inout Int, _ write: inout Int, _ end: Int)
    throws(RESPProtocolError)
  {
    index += 1
    while index < end {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") { return try closeQuote(&index, end) }
      if byte == UInt8(ascii: "\\"), index + 3 < end, bytes[index + 1] == UInt8(ascii: "x"),
        let high = Self.hexDigit(bytes[index + 2]), let low = Self.hexDigit(bytes[index + 3])
      {
        put(high << 4 | low, at: &write)
        index += 4
      } else if byte == UInt8(ascii: "\\"), index + 1 < end {
        put(Self.escaped(bytes[index + 1]), at: &write)
        index += 2
      } else {
        put(byte, at: &write)
        index += 1
      }
    }
    throw .unbalancedQuotes
  }

  private mutating func readSingleQuoted(_ index: inout Int, _ write: inout Int, _ end: Int)
    throws(RESPProtocolError)
  {
    index += 1
    while index < end {
      let byte = bytes[index]
      if byte == UInt8(ascii: "'") { return try closeQuote(&index, end) }
      if byte == UInt8(ascii: "\\"), index + 1 < end, bytes[index + 1] == UInt8(ascii: "'") { index += 1 }
      put(bytes[index], at: &write)
      index += 1
    }
    throw .unbalancedQuotes
  }

  /// Passes a closing quote, after which the word must end.
  private func closeQuote(_ index: inout Int, _ end: Int) throws(RESPProtocolError) {
    index += 1
    if index < end, !Self.isSpace(bytes[index]) { throw .unbalancedQuotes }
  }

  /// Writes a byte of a word; a byte that stands where it belongs leaves a shared buffer unshared.
  private mutating func put(_ byte: UInt8, at write: inout Int) {
    if bytes[write] != byte { bytes[write] = byte }
    write += 1
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

  private static func escaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "a"): 0x07
    default: byte
    }
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
