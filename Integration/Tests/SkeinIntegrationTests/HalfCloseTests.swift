// HalfCloseTests: a client's FIN ends its requests, not our answers.

import Testing

extension Integration {
  @Suite("Half-close") struct HalfCloseTests {
    @Test(arguments: IOBackend.allCases)
    func `a GET of 8 MiB followed at once by a FIN is answered whole and then by our FIN`(io: IOBackend) throws {
      try withNode(io) { node in
        let value = Pattern.bytes(8 << 20)
        let writer = try node.client()
        try writer.send(Request.bytes([Array("SET".utf8), Array("large".utf8), value]))
        try #expect(writer.readReply() == .ok)

        let reader = try node.client()
        try reader.send(Request.bytes("GET", "large"))
        reader.finishSending()
        try #expect(reader.readReply() == .bulk(value), "the whole value, byte for byte")
        try #expect(reader.isAtEnd())
        try #expect(writer.ask("PING") == .pong, "others are not concerned")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `every request of a pipeline that ends with a FIN is answered in order`(io: IOBackend) throws {
      try withNode(io) { node in
        let count = 1_000
        var pipeline: [UInt8] = []
        for index in 0..<count { pipeline += Request.bytes("ECHO", "answer \(index)") }
        let client = try node.client()
        try client.send(pipeline)
        client.finishSending()
        var answers: [Reply] = []
        for _ in 0..<count { answers.append(try client.readReply()) }
        #expect(answers == (0..<count).map { .text("answer \($0)") })
        try #expect(client.isAtEnd())
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a request that the FIN cuts off is dropped and the whole ones before it are answered`(io: IOBackend) throws {
      try withNode(io) { node in
        let client = try node.client()
        try client.send(Request.bytes("PING") + Array("*2\r\n$4\r\nECHO\r\n$10\r\nonly".utf8))
        client.finishSending()
        try #expect(client.readToEnd() == Array("+PONG\r\n".utf8))
      }
    }
  }
}

/// Bytes that differ from place to place, so that a piece lost or moved is seen.
enum Pattern {
  /// `count` bytes; another `seed` gives others.
  static func bytes(_ count: Int, seed: Int = 0) -> [UInt8] {
    let block = (0..<4_093).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8) &+ seed) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    while bytes.count < count { bytes += block }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
