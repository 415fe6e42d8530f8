// SlowReaderTests: clients that do not read cost the node a bounded amount of memory, and are not cut off.

import Testing

extension Integration {
  @Suite("Slow readers") struct SlowReaderTests {
    /// The node's default limit of unread output of one client.
    static let outputLimit = 8 << 20
    /// What the node may take beside: the answer in progress, buffers of the socket layer, the allocator's reserve.
    static let slack = 48 << 20

    @Test(arguments: IOBackend.allCases)
    func `a client that does not read costs no more than the output limit and gets every answer later`(
      io: IOBackend
    ) throws {
      try withNode(io) { node in
        let size = 1 << 20
        let versions = isSoak ? 1_000 : 150
        let writer = try node.client()
        // The key and the node's buffers are at their size before the memory is looked at.
        for _ in 0..<3 { try #expect(writer.set("key", version: 0, size: size) == .ok) }
        let slow = try RawClient(port: node.port, receiveBuffer: 64 << 10)
        let before = try node.figures.residentBytes()
        try node.figures.forgetPeak()

        // Each answer is another version, so a node that keeps answers cannot share their bytes.
        for version in 1...versions {
          try slow.send(Request.bytes("GET", "key"))
          if version == 1 { #expect(slow.isReadable(withinMilliseconds: Environment.hangGuardSeconds * 1_000)) }
          try #expect(writer.set("key", version: version, size: size) == .ok)
          try #expect(writer.ask("PING") == .pong)
        }
        let stalled = try node.figures.peakResidentBytes() - before
        #expect(stalled <= Self.outputLimit + size + Self.slack, "while it did not read")

        var last = 0
        for number in 1...versions {
          guard case .bulk(let bytes) = try slow.readReply(), bytes.count == size, let version = Version.of(bytes)
          else { throw Failure("answer \(number) is no whole version") }
          #expect(version >= last, "answers come in the order of the requests")
          #expect(version <= versions)
          if number == 1 { #expect(version <= 1) }
          last = version
        }
        #expect(last == versions, "the requests that waited saw the newest version")
        let whole = try node.figures.peakResidentBytes() - before
        #expect(whole <= Self.outputLimit + size + Self.slack, "while it caught up")
        try #expect(slow.ask("PING") == .pong, "the client was not cut off")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a client that only sends is stopped by back-pressure and gets every answer when it reads`(
      io: IOBackend
    ) throws {
      try withNode(io) { node in
        let other = try node.client()
        let sender = try RawClient(port: node.port, receiveBuffer: 64 << 10, sendBuffer: 64 << 10)
        let value = Pattern.bytes(1_024)
        let pair = Request.bytes([Array("SET".utf8), Array("only".utf8), value]) + Request.bytes("GET", "only")
        let before = try node.figures.residentBytes()
        try node.figures.forgetPeak()

        // Back-pressure has come when not a byte is taken during many round trips of another client.
        let bound = 64 << 20
        var sent = 0
        var quietRounds = 0
        while quietRounds < 20 {
          let taken = try sender.offer(pair, from: sent % pair.count)
          sent += taken
          guard sent < bound else { throw Failure("the node took \(sent) bytes of a client that does not read") }
          guard taken == 0 else {
            quietRounds = 0
            continue
          }
          quietRounds += 1
          for _ in 0..<25 { try #expect(other.ask("PING") == .pong) }
        }
        let growth = try node.figures.peakResidentBytes() - before
        #expect(growth <= Self.outputLimit + value.count + Self.slack, "after \(sent) bytes")

        // The rest of the last pair goes out once answers are read.
        let rest = Array(pair.dropFirst(sent % pair.count))
        let pairs = sent / pair.count + (sent % pair.count == 0 ? 0 : 1)
        let finishing = Background("sending the rest") {
          if rest.count < pair.count { try sender.send(rest) }
          sender.finishSending()
        }
        for number in 0..<pairs {
          try #require(sender.readReply() == .ok, "pair \(number) of \(pairs)")
          try #require(sender.readReply() == .bulk(value), "pair \(number) of \(pairs)")
        }
        try finishing.value()
        try #expect(sender.isAtEnd())
      }
    }
  }
}

/// A value that says in each of its parts which version it is.
enum Version {
  static func bytes(_ version: Int, size: Int) -> [UInt8] {
    let word = unsafe withUnsafeBytes(of: UInt64(version)) { unsafe Array($0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for _ in 0..<512 { bytes += word }
    while bytes.count < size { bytes += bytes.prefix(size - bytes.count) }
    return bytes
  }

  /// The version that all of `bytes` is of; nil when they are of several.
  static func of(_ bytes: [UInt8]) -> Int? {
    let first = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Version.bytes(first, size: bytes.count) == bytes ? first : nil
  }
}

extension RawClient {
  /// Sets `key` to a version and reads the answer.
  func set(_ key: String, version: Int, size: Int) throws -> Reply {
    try send(Request.bytes([Array("SET".utf8), Array(key.utf8), Version.bytes(version, size: size)]))
    return try readReply()
  }
}
