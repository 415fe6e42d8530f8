import SkeinSerialization
import Testing

@Suite("Values") struct ValueTests {
  @Test func `a value is sixteen bytes`() {
    #expect(MemoryLayout<Value>.stride == 16)
  }

  @Test(arguments: 0..<40)
  func `bytes of every length come out as they went in`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
    let string = ByteString(bytes)
    #expect(string.count == count)
    #expect(Array(string) == bytes)
    let copied = unsafe ByteString(copying: bytes.span.bytes)
    #expect(string == copied)
    let lent = string.withBytes { span in (0..<span.byteCount).map { span.byte(at: $0) } }
    #expect(lent == bytes)
    // At the input's end, and with other bytes behind it.
    #expect(try Seri.decode(Seri.encode([.bytes(string)])) == [.bytes(string)])
    #expect(try Seri.decode(Seri.encode([.bytes(string), .double(-1), .double(-1)]))[0] == .bytes(string))
    if count > 0 {
      #expect(string != ByteString(Array(bytes.dropLast())))
      #expect(string != ByteString(bytes.dropLast() + [bytes[count - 1] ^ 1]))
    }
  }

  @Test func `text is made of UTF-8 only`() {
    #expect(ByteString("grün").string == "grün")
    #expect(ByteString([0x67, 0xff]).string == nil)
    #expect(ByteString([0x67, 0xff]).description == "0x67ff")
    #expect(Value("x").string == "x")
    #expect(Value([0xff]).string == nil)
  }

  @Test func `doubles are compared by their bits`() {
    #expect(Value.double(.nan) == .double(.nan))
    #expect(Value.double(0.0) != .double(-0.0))
    #expect(Value.double(1) != .integer(1))
    #expect(Set<Value>([.double(.nan), .double(.nan), 1, 1.0, "1", .pointer(1)]).count == 5)
  }

  @Test func `an accessor answers for its own kind only`() {
    let all: [Value] = [nil, true, 1, 1.5, "a", [1], .pointer(7)]
    #expect(all.map(\.kind) == [.nil, .boolean, .integer, .double, .bytes, .table, .pointer])
    #expect(all.map { $0.isNil } == [true, false, false, false, false, false, false])
    #expect(all.compactMap(\.boolean) == [true])
    #expect(all.compactMap(\.integer) == [1])
    #expect(all.compactMap(\.double) == [1.5])
    #expect(all.compactMap(\.bytes) == ["a"])
    #expect(all.compactMap(\.string) == ["a"])
    #expect(all.compactMap(\.table) == [Table(array: [1])])
    #expect(all.compactMap(\.pointer) == [7])
  }

  @Test func `a value is described as Lua spells it`() {
    let value: Value = [true, nil, -3, 2.5, "a\"b\n", ["k": []]]
    #expect(value.description == #"{true, nil, -3, 2.5, "a\"b\010", {["k"] = {}}}"#)
    #expect(Value.pointer(255).description == "pointer(0xff)")
  }

  @Test(arguments: [0.0, -0.0, 1, -1, 0x1p53, -0x1p63, 0x1.fffffffffffffp62])
  func `an integral double is an integer as a key`(number: Double) {
    #expect(Value.double(number).normalizedKey == .integer(Int64(number)))
  }

  @Test(arguments: [0.5, 0x1p63, -0x1.0000000000001p63, .infinity, -.infinity, .nan])
  func `another double stays one`(number: Double) {
    #expect(Value.double(number).normalizedKey == .double(number))
  }
}

@Suite("Tables") struct TableTests {
  private let table = Table(array: [10, nil, 30], hash: [("a", 1), (2, "two"), ("a", 2), (3, nil), (4.0, "four")])

  @Test func `array and pairs are what was written`() {
    #expect(Array(table.array) == [10, nil, 30])
    #expect(table.hash.map(\.key) == ["a", 2, "a", 3, 4.0])
    #expect(table.hash.map(\.value) == [1, "two", 2, nil, "four"])
    #expect(!table.isEmpty && Table().isEmpty && Table(array: []).isEmpty)
  }

  @Test func `a later pair replaces an earlier entry, and nil removes it`() {
    #expect(table[1] == 10)
    #expect(table[2] == "two")
    #expect(table[3] == nil)
    #expect(table["a"] == 2)
    #expect(table[4] == "four" && table[4.0] == "four" && table[1.0] == 10)
    #expect(table[0] == nil && table[5] == nil && table["b"] == nil)
    #expect(table.dictionary == [1: 10, 2: "two", "a": 2, 4: "four"])
  }

  @Test func `the same map is the same whatever its form`() {
    #expect(table.isSameMap(as: [1: 10, 4: "four", "a": 2, 2: "two"]))
    #expect(Table(array: [1, nil, 3]).isSameMap(as: Table(array: [1], hash: [(3, 3)])))
    #expect(Table(array: [[1, 2]]).isSameMap(as: [1: [2: 2, 1: 1]]))
    #expect(!table.isSameMap(as: [1: 10]))
    #expect(!Table(array: [1]).isSameMap(as: Table(array: [2])))
    #expect(!Table(array: [1]).isSameMap(as: ["x": 1]))
    #expect(Table(array: [1, nil]) != Table(array: [1]))
  }

  @Test func `depth counts tables with contents`() {
    #expect(Value.table(Table()).depth == 0)
    #expect(Value([UInt8(1)]).depth == 0)
    #expect(([[], [1]] as Table).depth == 2)
    #expect((["k": [[1]]] as Table).depth == 3)
    #expect(([[1]: 1] as Table).depth == 2)
  }
}
