// GarbageTests: bytes that are no RESP end their own connection and nothing else.

import Testing

extension Integration {
  @Suite("Garbage") struct GarbageTests {
    /// What a client sends, and the answer of redis-server 7.0 before it closes.
    static let garbage: [(bytes: [UInt8], answer: String)] = [
      (Array("*1\r\n$x\r\n".utf8), "-ERR Protocol error: invalid bulk length\r\n"),
      (Array("*1\r\n$-5\r\n".utf8), "-ERR Protocol error: invalid bulk length\r\n"),
      (Array("*1\r\n$999999999999\r\n".utf8), "-ERR Protocol error: invalid bulk length\r\n"),
      (Array("*x\r\n".utf8), "-ERR Protocol error: invalid multibulk length\r\n"),
      (Array("*99999999999\r\n".utf8), "-ERR Protocol error: invalid multibulk length\r\n"),
      (Array("*2\r\n$3\r\nGET\r\n+oops\r\n".utf8), "-ERR Protocol error: expected '$', got '+'\r\n"),
      (Array("*1\r\n\u{1}\u{2}\r\n".utf8), "-ERR Protocol error: expected '$', got '\u{1}'\r\n"),
      (Array("GET \"open\r\n".utf8), "-ERR Protocol error: unbalanced quotes in request\r\n"),
      ([UInt8](repeating: 0xC3, count: 70_000), "-ERR Protocol error: too big inline request\r\n"),
    ]

    @Test(arguments: IOBackend.allCases)
    func `garbage is answered with a protocol error and closed while others work on`(io: IOBackend) throws {
      try withNode(io) { node in
        let bystander = try node.client()
        for (index, sample) in Self.garbage.enumerated() {
          // The bystander is in the middle of a pipeline: one request whole, one in halves.
          let second = Request.bytes("ECHO", "second \(index)")
          try bystander.send(Request.bytes("ECHO", "first \(index)") + second.prefix(9))
          let vandal = try node.client()
          try vandal.send(sample.bytes)
          let answer = String(decoding: try vandal.readToEnd(), as: UTF8.self)
          #expect(answer == sample.answer, "sample \(index)")
          try bystander.send(Array(second.dropFirst(9)))
          try #expect(bystander.readReply() == .text("first \(index)"))
          try #expect(bystander.readReply() == .text("second \(index)"))
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `requests before the garbage are answered and those after it are not`(io: IOBackend) throws {
      try withNode(io) { node in
        let client = try node.client()
        let bytes = Request.bytes("SET", "kept", "1") + Array("*1\r\n$x\r\n".utf8) + Request.bytes("SET", "lost", "1")
        try client.send(bytes)
        let answer = String(decoding: try client.readToEnd(), as: UTF8.self)
        #expect(answer == "+OK\r\n-ERR Protocol error: invalid bulk length\r\n")
        let other = try node.client()
        try #expect(other.ask("EXISTS", "kept") == .integer(1))
        try #expect(other.ask("EXISTS", "lost") == .integer(0))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `an array of no or a negative length is no request and no error`(io: IOBackend) throws {
      try withNode(io) { node in
        let client = try node.client()
        try client.send(Array("*0\r\n*-5\r\n\r\n".utf8) + Request.bytes("PING"))
        try #expect(client.readReply() == .pong)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `random bytes close at most their own connection`(io: IOBackend) throws {
      try withNode(io) { node in
        let bystander = try node.client()
        var random = SplitMix(seed: 0x5EED)
        for round in 0..<(isSoak ? 5_000 : 300) {
          let vandal = try node.client()
          let count = Int.random(in: 1...400, using: &random)
          let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
          try vandal.send(bytes)
          vandal.finishSending()
          // Either error replies or nothing, but always an end.
          _ = try vandal.readToEnd()
          try #expect(bystander.ask("ECHO", "\(round)") == .text("\(round)"))
        }
      }
    }
  }
}

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
