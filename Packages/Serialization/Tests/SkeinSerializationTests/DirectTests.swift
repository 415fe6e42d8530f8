import SkeinSerialization
import Testing

/// A record with a key of every length that matters, and one that is longer than 14 bytes.
private struct Record: Equatable, SeriWritable, SeriReadable {
  var a = 0
  var name = ""
  var theLongestOfAllNames: [Int?] = []
  var inner: [String: Int8] = [:]

  enum Key: String, CaseIterable, Sendable { case a, name, theLongestOfAllNames, inner }
  static let keys = SeriKeys<Key>()

  init() {}

  func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("a", a)
    writer.pair("name", name)
    writer.pair("theLongestOfAllNames", theLongestOfAllNames)
    writer.pair("inner", inner)
    writer.endTable()
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .a: a = try reader.read()
      case .name: name = try reader.read()
      case .theLongestOfAllNames: theLongestOfAllNames = try reader.read()
      case .inner: inner = try reader.read()
      }
    }
  }
}

/// Reads one value of a type.
private func read<T: SeriReadable>(_ type: T.Type, _ message: [Value]) throws(SeriError) -> T {
  try Seri.decode(one: type, from: try Seri.encode(message))
}

private func reason<T: SeriReadable>(_ type: T.Type, _ message: [Value]) -> SeriError.Reason? {
  error { () throws(SeriError) in try read(type, message) }?.reason
}

@Suite("Direct") struct DirectTests {
  private let fields: [(Value, Value)] = [
    ("a", 7), ("name", "x"), ("theLongestOfAllNames", [1, nil]), ("inner", ["k": -1]),
  ]

  @Test func `a record is written as its pairs are`() throws {
    var record = Record()
    record.a = 7
    record.name = "x"
    record.theLongestOfAllNames = [1, nil]
    record.inner = ["k": -1]
    let bytes = try Seri.encode(one: record)
    #expect(bytes == (try Seri.encode([.table(Table(hash: fields))])))
    #expect(try Seri.decode(one: Record.self, from: bytes) == record)
  }

  @Test(arguments: 0..<24)
  func `keys come in any order, with others between, and twice`(order: Int) throws {
    var generator = Generator(state: UInt64(order))
    var pairs = fields.shuffled(using: &generator)
    pairs.insert((["a table": 1], [1, [2]]), at: order % 5)
    pairs.insert(("other", "a"), at: order % 4)
    pairs.insert(("a", 1), at: 0)
    pairs.append(("a", 99))
    let record = try read(Record.self, [.table(Table(hash: pairs))])
    #expect(record.a == 99)
    #expect(record.name == "x")
    #expect(record.theLongestOfAllNames == [1, nil])
    #expect(record.inner == ["k": -1])
  }

  @Test func `a key in a longer form is found too`() throws {
    let record = try Seri.decode(one: Record.self, from: hex("06 15 01 00 61 0a 05 25 04 00 00 00 6e616d65 0c 79 00"))
    #expect(record.a == 5 && record.name == "y")
  }

  @Test func `a record has no array, and no NaN among its keys`() {
    #expect(reason(Record.self, [[1]]) == .unexpectedElements)
    let error = error { () throws(SeriError) in
      try Seri.decode(one: Record.self, from: hex("06 42 00 00 00 00 00 00 f8 7f 09 00"))
    }
    #expect(error == SeriError(.keyIsNaN, offset: 1))
  }

  @Test func `integers are checked against their type`() throws {
    #expect(try read(UInt8.self, [255]) == 255)
    #expect(reason(UInt8.self, [256]) == .numberOutOfRange(type: "UInt8"))
    #expect(reason(UInt.self, [-1]) == .numberOutOfRange(type: "UInt"))
    #expect(try read(Int32.self, [.integer(-1 << 31)]) == .min)
    let tooLarge = error { () throws(SeriError) in try Seri.encode(one: UInt64.max) }
    #expect(tooLarge == SeriError(.numberOutOfRange(type: "a 64-bit integer"), offset: 0))
  }

  @Test func `a number of the other kind is read if nothing is lost`() throws {
    #expect(try read(Int.self, [3.0]) == 3)
    #expect(try read(Double.self, [3]) == 3)
    #expect(reason(Int.self, [3.5]) == .mismatch(expected: .integer, found: .double))
    #expect(reason(Int.self, [0x1p63]) == .mismatch(expected: .integer, found: .double))
    #expect(reason(Double.self, [.integer(1 << 53 + 1)]) == .mismatch(expected: .double, found: .integer))
  }

  @Test func `another kind is named in the error`() {
    #expect(reason(Int.self, ["1"]) == .mismatch(expected: .integer, found: .bytes))
    #expect(reason(String.self, [1]) == .mismatch(expected: .bytes, found: .integer))
    #expect(reason(Bool.self, [nil]) == .mismatch(expected: .boolean, found: .nil))
    #expect(reason([Int].self, [true]) == .mismatch(expected: .table, found: .boolean))
    #expect(reason(Table.self, [1.5]) == .mismatch(expected: .table, found: .double))
    #expect(reason(String.self, [.bytes(ByteString([0xff]))]) == .notUTF8)
    #expect(reason(String.self, [.bytes(ByteString([UInt8](repeating: 0xff, count: 40)))]) == .notUTF8)
  }

  @Test(arguments: ["", "a", "grün", "fourteen bytes", "exactly sixteen!", "seventeen letters", "ein längerer Text 🙂"])
  func `text comes back, whatever stands behind it`(text: String) throws {
    for tail: [Value] in [[], [0], [.double(1), .double(1)]] {
      let bytes = try Seri.encode([Value(text)] + tail)
      let read = try Seri.read(bytes) { (reader) throws(SeriError) in
        let text = try reader.string()
        for _ in tail { try reader.skip() }
        return text
      }
      #expect(read == text)
      #expect(try Seri.encode(one: text) + Seri.encode(tail) == bytes)
    }
  }

  @Test func `bytes are a string and other arrays are tables`() throws {
    #expect(try Seri.encode(one: [1, 2] as [UInt8]) == hex("14 01 02"))
    #expect(try Seri.encode(one: [1, 2] as [Int]) == hex("16 0a 01 0a 02 00"))
    #expect(try read([UInt8].self, ["ab"]) == [0x61, 0x62])
    #expect(try read([Int?].self, [[1, nil, 3]]) == [1, nil, 3])
    #expect(reason([Int].self, [.table(Table(array: [1], hash: [("k", 1)]))]) == .unexpectedPair)
  }

  @Test func `a dictionary takes elements as keys if they are integers`() throws {
    let message: [Value] = [.table(Table(array: ["a", nil, "c"], hash: [(1, "b"), (9, "z"), (3, nil)]))]
    #expect(try read([Int: String].self, message) == [1: "b", 9: "z"])
    #expect(try read([Value: String].self, message) == [1: "b", 9: "z"])
    #expect(reason([String: String].self, message) == .unexpectedElements)
    #expect(reason([Double: Int].self, [.table(Table(hash: [(0.5, 1), (1.5, "x")]))]) != nil)
    let dictionary = ["a": [1.5], "b": []]
    #expect(try Seri.decode(one: [String: [Double]].self, from: Seri.encode(one: dictionary)) == dictionary)
  }

  @Test func `what cannot be a key is refused`() {
    let nan = error { () throws(SeriError) in try Seri.encode(one: [Double.nan: 1]) }
    #expect(nan?.reason == .keyIsNaN)
    let absent = error { () throws(SeriError) in try Seri.encode(one: [Int?.none: 1]) }
    #expect(absent?.reason == .keyIsNil)
    let value = error { () throws(SeriError) in try Seri.encode([1, [nil: 1]]) }
    #expect(value == SeriError(.keyIsNil, offset: 3))
    #expect(error { () throws(SeriError) in try Seri.encode([[.double(.nan): 1]]) }?.reason == .keyIsNaN)
  }

  @Test func `tables that are not ended, or not begun, are refused`() {
    let open = error { () throws(SeriError) in try Seri.write { writer in writer.beginTable() } }
    #expect(open == SeriError(.unbalancedTables, offset: 1))
    let ended = error { () throws(SeriError) in
      try Seri.write { writer in
        writer.null()
        writer.endTable()
        writer.beginTable()
      }
    }
    #expect(ended == SeriError(.unbalancedTables, offset: 1))
    let negative = error { () throws(SeriError) in try Seri.write { writer in writer.beginTable(arrayCount: -1) } }
    #expect(negative?.reason == .countOutOfRange(-1))
  }

  @Test func `the first error is kept, and a reset forgets it`() throws {
    var writer = SeriWriter(limits: SeriLimits(bytes: 4))
    writer.string("too long")
    writer.fail(.other("later"))
    writer.integer(1)
    do throws(SeriError) {
      _ = try writer.finish()
      Issue.record("the error was lost")
    } catch { #expect(error == SeriError(.tooManyBytes(limit: 4), offset: 0)) }
    writer.reset()
    writer.string("abc")
    #expect(try writer.finish() == hex("1c 61 62 63"))
  }

  @Test func `values left unread are an error`() {
    let left = error { () throws(SeriError) in try read(Int.self, [1, 2]) }
    #expect(left == SeriError(.unexpectedValue, offset: 2))
    #expect(error { () throws(SeriError) in try read(Int.self, []) } == SeriError(.endOfInput, offset: 0))
  }

  @Test(arguments: [1, 30, 31, 32, 255, 256, 65_535, 65_536])
  func `an array is counted as values and as a type alike`(count: Int) throws {
    let bools = [Bool](repeating: true, count: count)
    let bytes = try Seri.encode(one: bools)
    #expect(bytes == (try Seri.encode([.table(Table(array: bools.map { Value($0) }))])))
    #expect(try Seri.decode(one: [Bool].self, from: bytes) == bools)
  }
}
