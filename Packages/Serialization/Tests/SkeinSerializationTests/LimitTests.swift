import SkeinSerialization
import Testing

/// `count` tables within one another, the innermost with `inside`.
private func nested(_ count: Int, inside: [Value] = []) -> Value {
  var value = Value.table(Table(array: inside))
  for _ in 1..<count { value = .table(Table(array: [value])) }
  return value
}

@Suite("Limits") struct LimitTests {
  @Test(arguments: [0, 1, 2, 32, 200])
  func `one table more than the depth is written and read if it is empty`(depth: Int) throws {
    let limits = SeriLimits(depth: depth)
    let bytes = try Seri.encode([nested(depth + 1)], limits: limits)
    #expect(bytes.count == 2 * (depth + 1))
    #expect(try Seri.decode(bytes, limits: limits) == [nested(depth + 1)])
  }

  @Test(arguments: [0, 1, 2, 32, 200], [[Value.integer(0)], [.nil], [.table(Table())]])
  func `contents beyond the depth are refused where they begin`(depth: Int, contents: [Value]) throws {
    let limits = SeriLimits(depth: depth)
    let tooDeep = SeriError(.tooDeep(limit: depth), offset: depth + 1)
    let value = nested(depth + 1, inside: contents)
    #expect(error { () throws(SeriError) in try Seri.encode([value], limits: limits) } == tooDeep)
    let bytes = try Seri.encode([value], limits: SeriLimits(depth: 256))
    #expect(decodeError(bytes, limits: limits) == tooDeep)
  }

  @Test func `a pair beyond the depth is refused, and beside it is not`() throws {
    let limits = SeriLimits(depth: 1)
    #expect(decodeError(hex("06 0c 61 06 00 0c 62 06 0a 01 0a 01 00 00"), limits: limits)?.offset == 8)
    let message: [Value] = [[[], []], 1, [[], "x"]]
    #expect(try Seri.decode(Seri.encode(message, limits: limits), limits: limits) == message)
  }

  @Test func `values are counted one by one`() throws {
    let message: [Value] = [1, [2, 3], ["a": nil]]
    let bytes = try Seri.encode(message, limits: SeriLimits(values: 7))
    #expect(try Seri.decode(bytes, limits: SeriLimits(values: 7)) == message)
    let six = SeriLimits(values: 6)
    #expect(error { () throws(SeriError) in try Seri.encode(message, limits: six) }?.reason == .tooManyValues(limit: 6))
    #expect(decodeError(bytes, limits: six) == SeriError(.tooManyValues(limit: 6), offset: 11))
  }

  @Test(arguments: 0..<30)
  func `bytes are limited exactly`(limit: Int) throws {
    let message: [Value] = [1, 300, "abc", [-1, 0.5, .pointer(1)]]
    let bytes = try Seri.encode(message)
    let limits = SeriLimits(bytes: limit)
    if limit >= bytes.count {
      #expect(try Seri.encode(message, limits: limits) == bytes)
      #expect(try Seri.decode(bytes, limits: limits) == message)
    } else {
      let writing = try #require(error { () throws(SeriError) in try Seri.encode(message, limits: limits) })
      #expect(writing.reason == .tooManyBytes(limit: limit))
      #expect(writing.offset <= limit)
      #expect(decodeError(bytes, limits: limits) == SeriError(.tooManyBytes(limit: limit), offset: limit))
    }
  }

  @Test func `limits outside of what is possible are moved into it`() {
    let limits = SeriLimits(depth: 1_000_000, values: -1, bytes: .max)
    #expect(limits.depth == Table.maximumDepth)
    #expect(limits.values == 0)
    #expect(limits.bytes == 1 << 31 - 1)
    #expect(SeriLimits.default == SeriLimits(depth: 32, values: 1_000_000, bytes: 16 << 20))
  }

  @Test func `a table built by hand nests as deep as is allowed and no deeper`() async {
    let deepest = nested(Table.maximumDepth, inside: [1])
    #expect(deepest.depth == Table.maximumDepth)
    await #expect(processExitsWith: .failure) {
      _ = nested(Table.maximumDepth + 1, inside: [1])
    }
  }

  @Test func `an array of what was written before is as it was after an error`() throws {
    var bytes: [UInt8] = [1, 2, 3]
    try Seri.encode([1], into: &bytes)
    #expect(bytes == [1, 2, 3, 0x0a, 1])
    let failure = error { () throws(SeriError) in
      try Seri.encode([1, 2, 3], into: &bytes, limits: SeriLimits(bytes: 4))
    }
    #expect(failure?.reason == .tooManyBytes(limit: 4))
    #expect(bytes == [1, 2, 3, 0x0a, 1])
  }
}
