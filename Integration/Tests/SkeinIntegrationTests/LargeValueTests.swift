// LargeValueTests: values that take many reads and writes.

import Testing

extension Integration {
  @Suite("Large values") struct LargeValueTests {
    @Test(arguments: IOBackend.allCases)
    func `values of every size come back as they were set`(io: IOBackend) throws {
      try withNode(io) { node in
        let client = try node.client()
        let sizes = [0, 1, 4_095, 4_096, 16_384, 65_535, 65_536, 262_144, 1 << 20, 5_000_000, 16 << 20]
        for round in 0..<(isSoak ? 20 : 3) {
          for size in sizes {
            let value = Pattern.bytes(size, seed: round)
            try client.send(Request.bytes([Array("SET".utf8), Array("key".utf8), value]) + Request.bytes("GET", "key"))
            try #require(client.readReply() == .ok)
            let isSame = try client.readReply() == .bulk(value)
            #expect(isSame, "\(size) bytes, round \(round)")
          }
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `eight clients that set and get 1 MiB at once get their own values`(io: IOBackend) throws {
      try withNode(io) { node in
        let port = node.port
        let work = (0..<8).map { number in
          Background("client \(number)") {
            let client = try RawClient(port: port)
            for version in 1...(isSoak ? 100 : 20) {
              let mark = number * 1_000 + version
              guard try client.set("key \(number)", version: mark, size: 1 << 20) == .ok,
                case .bulk(let bytes) = try client.ask("GET", "key \(number)"), Version.of(bytes) == mark
              else { throw Failure("client \(number) got something else in round \(version)") }
            }
          }
        }
        for client in work { try client.value(withinSeconds: 6 * Environment.hangGuardSeconds) }
      }
    }
  }
}
