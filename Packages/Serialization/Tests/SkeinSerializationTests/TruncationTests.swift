import SkeinSerialization
import Testing

/// Where the pieces of a message lie: a tag with its number, length and bytes, or the end of a table.
private struct Piece {
  let start: Int
  let end: Int
  /// The number of tables around it.
  let depth: Int
  /// For a table with an extended count: the count.
  var count: Int?
}

/// Takes a message apart that is known to be right; knows nothing of the reader.
private func pieces(of bytes: [UInt8]) -> [Piece] {
  var pieces: [Piece] = []
  var at = 0
  var open: [(elements: Int, isKey: Bool)] = []
  while at < bytes.count {
    let tag = bytes[at]
    let start = at
    let depth = open.count
    at += 1
    if let top = open.last, top.elements == 0, top.isKey, tag == 0 {
      open.removeLast()
      pieces.append(Piece(start: start, end: at, depth: depth))
      continue
    }
    if let top = open.indices.last {
      if open[top].elements > 0 { open[top].elements -= 1 } else { open[top].isKey.toggle() }
    }
    var count: Int?
    switch tag & 7 {
    case 2: at += [0: 0, 1: 1, 2: 2, 4: 4, 6: 8, 8: 8][Int(tag >> 3)] ?? 0
    case 3: at += 8
    case 4: at += Int(tag >> 3)
    case 5:
      let length = bytes[at..<at + Int(tag >> 3)].reversed().reduce(0) { $0 << 8 | Int($1) }
      at += Int(tag >> 3) + length
    case 6 where tag == 0xfe:
      let width = [1: 1, 2: 2, 4: 4][Int(bytes[at] >> 3)] ?? 0
      count = bytes[at + 1..<at + 1 + width].reversed().reduce(0) { $0 << 8 | Int($1) }
      at += 1 + width
    default: break
    }
    pieces.append(Piece(start: start, end: at, depth: depth, count: count))
    if tag & 7 == 6 { open.append((elements: count ?? Int(tag >> 3), isKey: true)) }
  }
  return pieces
}

/// Where the error must be when only `length` bytes are there; nil if they are a message.
private func expectedOffset(_ pieces: [Piece], _ length: Int) -> Int? {
  for piece in pieces {
    if piece.start < length, length < piece.end { return piece.start }
    if piece.start == length { return piece.depth > 0 ? length : nil }
    if let count = piece.count, count >= length - piece.end { return piece.start }
  }
  return nil
}

private let messages = vectors("seri.jsonl").filter { line in
  guard let text = line.members["hex"] else { return false }
  return text.utf8.count > 4
}

@Suite("Truncation") struct TruncationTests {
  @Test(arguments: messages)
  func `a message cut anywhere says what cannot be read`(line: VectorLine) throws {
    let bytes = hex(try #require(line.members["hex"]))
    let pieces = pieces(of: bytes)
    #expect(pieces.last?.end == bytes.count)
    for length in 0..<bytes.count {
      let cut = Array(bytes[..<length])
      #expect(decodeError(cut)?.offset == expectedOffset(pieces, length), "cut to \(length) bytes")
    }
  }

  @Test func `the reasons of a cut are told apart`() {
    #expect(decodeError(hex("2c 61 62"))?.reason == .lengthExceedsInput(length: 5, remaining: 2))
    #expect(decodeError(hex("15 20 00 61"))?.reason == .lengthExceedsInput(length: 32, remaining: 1))
    #expect(decodeError(hex("00 42 00"))?.description == "the input ends within a value at byte 1")
    #expect(decodeError(hex("0e 0a 01"))?.description == "the input ends within a value at byte 3")
    #expect(decodeError(hex("fe 22 00 e1 f5 05"))?.reason == .countExceedsInput(count: 100_000_000, remaining: 0))
  }
}
