// LimitTests: passwords and limits, with Redis' texts.

import Testing

extension Integration {
  @Suite("Limits") struct LimitTests {
    @Test(arguments: IOBackend.allCases)
    func `a password keeps everybody out who does not say it`(io: IOBackend) throws {
      try withNode(io, ["--requirepass", "open sesame"]) { node in
        let client = try node.client()
        try #expect(client.ask("GET", "key") == .error("NOAUTH Authentication required."))
        try #expect(client.ask("PING") == .error("NOAUTH Authentication required."))
        let wrong = Reply.error("WRONGPASS invalid username-password pair or user is disabled.")
        try #expect(client.ask("AUTH", "wrong") == wrong)
        try #expect(client.ask("AUTH", "nobody", "open sesame") == wrong)
        try #expect(client.ask("AUTH") == .error("ERR wrong number of arguments for 'auth' command"))
        try #expect(client.ask("GET", "key") == .error("NOAUTH Authentication required."), "still outside")
        try #expect(client.ask("AUTH", "open sesame") == .ok)
        try #expect(client.ask("SET", "key", "value") == .ok)
        try #expect(client.ask("AUTH", "default", "open sesame") == .ok)
        try #expect(client.ask("AUTH", "wrong") == wrong)
        try #expect(client.ask("GET", "key") == .text("value"), "a wrong password later takes nothing away")
        let other = try node.client()
        let refused = Reply.error("NOAUTH Authentication required.")
        try #expect(other.ask("GET", "key") == refused, "each connection says it for itself")
        // In one pipeline: outside before the password, inside after it.
        try other.send(Request.bytes("GET", "key") + Request.bytes("AUTH", "open sesame") + Request.bytes("GET", "key"))
        try #expect(other.readReply() == refused)
        try #expect(other.readReply() == .ok)
        try #expect(other.readReply() == .text("value"))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `one client too many is told so and closed and has its place when another goes`(io: IOBackend) throws {
      try withNode(io, ["--max-clients", "8"]) { node in
        var clients = try (0..<8).map { _ in try node.client() }
        for client in clients { try #expect(client.ask("PING") == .pong) }
        let refused = try node.client()
        try #expect(refused.readToEnd() == Array("-ERR max number of clients reached\r\n".utf8))
        for client in clients { try #expect(client.ask("PING") == .pong, "those inside stay") }
        // QUIT is answered before the place is free: the FIN that follows says that it is.
        let leaving = clients.removeLast()
        try #expect(leaving.ask("QUIT") == .ok)
        try #expect(leaving.isAtEnd())
        try #expect(admitted(to: node).ask("PING") == .pong)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `an argument or a request longer than allowed is refused with Redis' words`(io: IOBackend) throws {
      try withNode(io, ["--max-bulk-length", "1000", "--max-arguments", "10"]) { node in
        let client = try node.client()
        try #expect(client.ask("SET", "key", String(repeating: "v", count: 1_000)) == .ok)
        try client.send(Array("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1001\r\n".utf8))
        try #expect(client.readToEnd() == Array("-ERR Protocol error: invalid bulk length\r\n".utf8))
        let second = try node.client()
        try #expect(second.ask("DEL", "1", "2", "3", "4", "5", "6", "7", "8", "9") == .integer(0))
        try second.send(Array("*11\r\n".utf8))
        try #expect(second.readToEnd() == Array("-ERR Protocol error: invalid multibulk length\r\n".utf8))
      }
    }

    /// A client that has been let in: one who comes while the last one's descriptor is being closed tries again.
    private func admitted(to node: Node) throws -> RawClient {
      let guardTime = ContinuousClock.now + .seconds(Environment.hangGuardSeconds)
      while true {
        let client = try node.client()
        try client.send(Request.bytes("ECHO", "in"))
        if try client.readReply() == .text("in") {
          return client
        }
        try #require(ContinuousClock.now < guardTime, "the place of a client that left stays taken")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `writes beyond the memory limit are refused with Redis' words and reads go on`(io: IOBackend) throws {
      // One instance: each of several has its share of the limit, and keys would decide which one is full.
      try withNode(io, ["--maxmemory", "\(24 << 20)", "--services", "1"]) { node in
        let client = try node.client()
        let full = Reply.error("OOM command not allowed when used memory > 'maxmemory'.")
        var stored = 0
        var answer = Reply.ok
        while answer == .ok, stored < 64 {
          answer = try client.set("key \(stored)", version: stored, size: 1 << 20)
          if answer == .ok { stored += 1 }
        }
        #expect(answer == full)
        #expect(stored >= 8, "the limit leaves room for some values")
        try #expect(client.ask("DBSIZE") == .integer(stored))
        guard case .bulk(let bytes) = try client.ask("GET", "key 1") else { throw Failure("reads must go on") }
        #expect(Version.of(bytes) == 1)
        try #expect(client.ask("DEL", "key 0", "key 1", "key 2") == .integer(3))
        try #expect(client.ask("SET", "small", "value") == .ok, "there is room again")
      }
    }
  }
}
