import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("Wire") struct WireTests {
  // MARK: FrameReader

  @Test func `every size up to 65,535 is a packet`() {
    for size in [0, 1, 2, 255, 256, 32_768, 65_534, 65_535] {
      let stream = [UInt8(size >> 8), UInt8(size & 0xFF)] + [UInt8](repeating: 7, count: size) + [0, 0]
      #expect(packets(of: stream).map(\.count) == [size, 0])
      #expect(packets(of: stream, cuts: [1]).map(\.count) == [size, 0])
      if size > 2 { #expect(packets(of: stream, cuts: [2, size]).map(\.count) == [size, 0]) }
    }
  }

  @Test func `what is kept of a packet is what has arrived of it, never more than a packet`() {
    var reader = FrameReader()
    var offset = 0
    [UInt8]([0xFF, 0xFF, 1, 2, 3]).withRawSpan {
      #expect(reader.next(in: $0, from: &offset) == .needsMore)
    }
    #expect(reader.unfinishedBytes == 5)
    var packets = 0
    for _ in 0..<70_000 {
      [UInt8]([9]).withRawSpan { reader.read($0) { _ in packets += 1 } }
      if reader.unfinishedBytes > 65_537 { Issue.record("too much is kept") }
    }
    #expect(packets >= 1)
  }

  // MARK: Names and tags

  @Test func `names have 1 to 255 bytes`() throws {
    #expect(throws: ClusterWireError.emptyName) { try ClusterName("") }
    #expect(throws: ClusterWireError.nameTooLong(256)) { try ClusterName(bytes: [UInt8](repeating: 1, count: 256)) }
    for count in [1, 255] {
      let address = ClusterAddress.name(try ClusterName(bytes: [UInt8](repeating: 0xFF, count: count)))
      var output: [UInt8] = []
      RequestPacket.appendSmall(to: address, session: 1, body: [5], into: &output)
      #expect(try requests(in: packets(of: output)).requests.first?.address == address)
    }
  }

  @Test func `trace tags have up to 32,768 bytes, both ways`() throws {
    var output: [UInt8] = []
    #expect(throws: ClusterWireError.traceTagTooLong(32_769)) {
      try RequestPacket.appendTrace(tag: [UInt8](repeating: 1, count: 32_769), into: &output)
    }
    let long = [4] + [UInt8](repeating: 1, count: 32_769)
    #expect(throws: ClusterWireError.traceTagTooLong(32_769)) {
      try long.withRawSpan { _ = try RequestPacket(decoding: $0) }
    }
  }

  @Test func `bytes behind the total of a large request by name are ignored`() throws {
    let packet: [UInt8] = [0x81, 1, 64, 1, 0, 0, 0, 9, 0, 0, 0, 77, 77]
    let name = ClusterAddress.name(try ClusterName("@"))
    #expect(
      try packet.withRawSpan { try RequestPacket(decoding: $0) }
        == .begin(to: name, session: 1, isPush: false, total: 9))
  }

  @Test func `every wrong packet is named`() {
    let requests: [([UInt8], ClusterWireError)] = [
      ([], .emptyPacket), ([5], .unknownType(5)), ([0, 1, 2], .tooShort(type: 0, size: 3)),
      ([0x80], .tooShort(type: 0x80, size: 1)), ([0x80, 0, 1, 0, 0, 0], .emptyName),
      ([0x80, 200, 1, 0, 0, 0], .tooShort(type: 0x80, size: 6)),
      ([0x41, 0], .wrongSize(type: 0x41, size: 2, expected: 13)), ([0x02, 1, 0, 0], .tooShort(type: 2, size: 4)),
      ([0xC1, 1, 64, 1, 0, 0, 0, 9, 0, 0], .tooShort(type: 0xC1, size: 10)),
    ]
    for (packet, error) in requests {
      #expect(throws: error) { try packet.withRawSpan { _ = try RequestPacket(decoding: $0) } }
    }
    let answers: [([UInt8], ClusterWireError)] = [
      ([], .emptyPacket), ([1, 0, 0, 0], .tooShort(type: 0, size: 4)), ([1, 0, 0, 0, 5], .unknownType(5)),
      ([1, 0, 0, 0, 2, 1], .wrongSize(type: 2, size: 6, expected: 9)),
    ]
    for (packet, error) in answers {
      #expect(throws: error) { try packet.withRawSpan { _ = try AnswerPacket(decoding: $0) } }
    }
  }

  // MARK: Sessions

  @Test func `numbers go up to 2^31 - 1, then start at 1, and skip those that are taken`() {
    var counter = SessionCounter(first: ClusterWire.maxSession - 1)
    let taken: Set<UInt32> = [1, 2, 4]
    let numbers = (0..<4).map { _ in counter.next { taken.contains($0) } }
    #expect(numbers == [0x7FFF_FFFE, 0x7FFF_FFFF, 3, 5])
  }

  // MARK: LargeJoiner

  @Test func `a declared total reserves nothing`() throws {
    var joiner = LargeJoiner<Int>()
    try joiner.begin(1, total: 16 << 20, 5, now: start)
    let body: [UInt8] = [1]
    let joined = try body.withRawSpan { try joiner.add($0, to: 1, isLast: false) }
    #expect(joined == nil)
    #expect(joiner.openCount == 1)
    joiner.drop(1)
    #expect(joiner.isEmpty && joiner.nextExpiry == nil)
  }

  @Test func `what is dropped makes room in the sum of the totals`() throws {
    var limits = LargeLimits()
    limits.openBytes = 100
    var joiner = LargeJoiner<Int>(limits: limits)
    for round in 0..<10 {
      try joiner.begin(UInt32(round), total: 100, round, now: start)
      #expect(throws: LargeMessageError.tooMuchOpen(limit: 100)) { try joiner.begin(99, total: 1, 0, now: start) }
      joiner.drop(UInt32(round))
      joiner.drop(99)
    }
  }

  @Test func `what is refused at its time is forgotten at its next`() throws {
    var limits = LargeLimits()
    limits.timeLimit = .seconds(1)
    var joiner = LargeJoiner<Int>(limits: limits)
    try joiner.begin(3, total: 10, 30, now: start)
    try joiner.begin(2, total: 10, 20, now: start)
    #expect(joiner.expire(now: at(0.9)).isEmpty)
    #expect(joiner.expire(now: at(1)).map(\.context) == [20, 30])
    #expect(joiner.openCount == 2)
    #expect(joiner.expire(now: at(2)).isEmpty)
    #expect(joiner.isEmpty)
  }
}
