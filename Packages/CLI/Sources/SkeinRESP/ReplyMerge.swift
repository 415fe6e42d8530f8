// ReplyMerge: one answer from the parts that several shards give.

/// How the parts of an answer become one, and the parts that are here.
struct ReplyMerge: Sendable {
  /// What the parts are.
  enum Rule: Sendable {
    /// Integers, to be added up.
    case sum
    /// `+OK` each.
    case allOK
    /// Elements of one array without its header; the numbers say which part holds the next element.
    case elements([UInt16])
    /// Key counts of each shard, for the last sections of INFO.
    case info(InfoText)
  }

  let rule: Rule
  private var parts: [ArraySlice<UInt8>?]
  private var missing: Int
  /// Bytes of the parts that are here.
  private(set) var heldBytes = 0

  init(_ rule: Rule, parts: Int) {
    self.rule = rule
    self.parts = Array(repeating: nil, count: parts)
    missing = parts
  }

  /// Adds a part; true when it was the last one.
  mutating func add(_ bytes: ArraySlice<UInt8>, part: Int) -> Bool {
    precondition(parts[part] == nil, "a part is given once")
    parts[part] = bytes
    heldBytes += bytes.count
    missing -= 1
    return missing == 0
  }

  /// The whole answer; the first part that is an error is the answer to everything.
  func answer() -> [UInt8] {
    let parts = self.parts.map { $0! }
    if let error = parts.first(where: { $0.first == UInt8(ascii: "-") }) { return Array(error) }
    var writer = ReplyWriter()
    switch rule {
    case .sum: writer.integer(parts.reduce(0) { $0 + Self.integer($1) })
    case .allOK: writer.raw("+OK\r\n")
    case .elements(let owners):
      writer.bytes.reserveCapacity(heldBytes + 16)
      writer.array(owners.count)
      var cursors = parts.map(\.startIndex)
      for owner in owners {
        let end = Self.endOfBulk(parts[Int(owner)], cursors[Int(owner)])
        writer.bytes.append(contentsOf: parts[Int(owner)][cursors[Int(owner)]..<end])
        cursors[Int(owner)] = end
      }
    case .info(let text):
      var totals = ShardTotals()
      for part in parts { totals.add(Self.totals(part)) }
      writer.bulk(text.text(totals))
    }
    return writer.bytes
  }

  /// Reads `:n\r\n`.
  private static func integer(_ part: ArraySlice<UInt8>) -> Int64 {
    let digits = part.dropFirst().dropLast(2)
    return IntegerText.parse(digits.span)!
  }

  /// Index behind the bulk string, or null bulk string, that begins at `start`.
  private static func endOfBulk(_ part: ArraySlice<UInt8>, _ start: Int) -> Int {
    let lineEnd = part[start...].firstIndex(of: 0x0D)!
    let digits = part[(start + 1)..<lineEnd]
    let length = IntegerText.parse(digits.span)!
    return length < 0 ? lineEnd + 2 : lineEnd + 2 + Int(length) + 2
  }

  /// Reads the three integers of a shard's part of INFO.
  private static func totals(_ part: ArraySlice<UInt8>) -> ShardTotals {
    let numbers = part.split(separator: 0x0A).dropFirst().map { line in
      let digits = line.dropFirst().dropLast()
      return IntegerText.parse(digits.span)!
    }
    return ShardTotals(keys: numbers[0], deadlines: numbers[1], bytes: numbers[2])
  }
}

/// What INFO says about keys, over shards.
struct ShardTotals: Sendable {
  var keys: Int64 = 0
  var deadlines: Int64 = 0
  var bytes: Int64 = 0

  mutating func add(_ other: ShardTotals) {
    keys += other.keys
    deadlines += other.deadlines
    bytes += other.bytes
  }
}
