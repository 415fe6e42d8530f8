// HostilePeerTests: peers that keep no rules end their own connection or request, with a reason in the log.

import Testing

extension Integration {
  @Suite("Cluster: hostile peers") struct HostilePeerTests {
    /// A node under attack, and those who must not be disturbed: a Redis client, and another node on the other backend.
    private struct Scene {
      let cluster: ClusterNodes
      let client: RawClient
      let other: RawClient
      let key: String

      var node: Node { get throws { try cluster[0] } }

      func vandal(receiveBuffer: Int? = nil) throws -> RawClient {
        try RawClient(port: cluster.ports[0], receiveBuffer: receiveBuffer)
      }

      /// Has both served, without an error and at once.
      func expectCalm(_ round: Int) throws {
        let began = ContinuousClock.now
        try #expect(client.ask("SET", key, "\(round)") == .ok)
        try #expect(other.ask("GET", key) == .text("\(round)"))
        #expect(ContinuousClock.now - began < .seconds(1))
      }

      /// Waits for a line of the log that holds all of these.
      func awaitLog(_ parts: String...) throws {
        try Poll.until("a line of the log with \(parts)") {
          try node.process.log.split(separator: "\n").contains { line in parts.allSatisfy { line.contains($0) } }
        }
      }
    }

    private static func withScene(_ io: IOBackend, _ body: (Scene) throws -> Void) throws {
      try withCluster([io, io == .epoll ? .uring : .epoll]) { cluster in
        let clients = try (0..<2).map { try cluster.start($0).client() }
        try cluster.awaitPeers()
        let scene = Scene(cluster: cluster, client: clients[0], other: clients[1], key: cluster.key(of: 0))
        try body(scene)
        try scene.expectCalm(-1)
        try #expect(scene.node.process.isRunning)
        // The one connection between the two nodes has lasted: nobody had to connect again.
        let lines = try scene.cluster[1].process.log.split(separator: "\n")
        #expect(!lines.contains { $0.contains("peer db1 is closing") || $0.contains("backing off") })
      }
    }

    static let broken: [(bytes: [UInt8], says: String)] = [
      ([0, 0], "an empty packet"),
      (Wire.packet([9, 0, 0, 0, 0]), "an unknown packet type 9"),
      (Wire.packet([0, 1, 2, 3]), "too short"),
      (Wire.packet([0x80, 0, 1, 0, 0, 0]), "an empty name"),
      (Wire.packet([0x01, 1, 0, 0, 0, 1, 0, 0, 0, 9]), "which must have 13"),
      (Array("GET / HTTP/1.1\r\nHost: example\r\n\r\n".utf8) + [UInt8](repeating: 32, count: 70_000), "the peer sent"),
    ]

    @Test(arguments: IOBackend.allCases)
    func `garbage ends its connection with a reason in the log`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        for (round, sample) in Self.broken.enumerated() {
          let vandal = try scene.vandal()
          // The node may end it while we still send.
          try? vandal.send(sample.bytes)
          #expect(((try? vandal.readToEnd()) ?? []).isEmpty, "garbage has no answer")
          try scene.awaitLog("is aborted", sample.says)
          try scene.expectCalm(round)
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `random bytes end at most their own connection`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        var random = SplitMix(seed: 0xC1A5)
        for round in 0..<(isSoak ? 5_000 : 200) {
          let vandal = try scene.vandal()
          let count = Int.random(in: 1...400, using: &random)
          var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
          // Half of them begin as a packet should.
          if round % 2 == 0 { bytes = Wire.packet([[0, 0x80, 1, 0x81, 2, 3, 4][round / 2 % 7]] + bytes) }
          try? vandal.send(bytes)
          vandal.finishSending()
          _ = try? vandal.readToEnd()
          if round % 20 == 0 { try scene.expectCalm(round) }
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a flood of pushes is worked off or dropped with a reason, and disturbs nobody`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        let key = "flood"
        let push = Wire.request("@simpledb", session: 0, Wire.string("SET") + Wire.string(key) + Wire.string("x"))
        let nowhere = Wire.request("@nobody", session: 0, Wire.string("SET"))
        let block = (0..<200).flatMap { $0 % 10 == 0 ? nowhere : push }
        let vandal = try scene.vandal()
        let flood = Background("the flood") {
          for _ in 0..<(isSoak ? 2_000 : 200) { try vandal.send(block) }
        }
        for round in 0..<50 { try scene.expectCalm(round) }
        try flood.value()
        // A call behind the flood is answered, with an error while there is too much to do.
        try Poll.until("the flood is worked off") {
          let answer = try vandal.call("@simpledb", session: 7, Wire.string("GET") + Wire.string(key))
          let text = String(decoding: answer.body, as: UTF8.self)
          #expect(answer.type == 1 || text.contains("call failed"), "\(text)")
          return answer.type == 1 && answer.body == Wire.string("x")
        }
        try scene.awaitLog("a peer's message was dropped", "nothing is exported as")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a flood of calls whose answers nobody reads is not read any more`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        let value = Pattern.bytes(30_000)
        try scene.client.send(Request.bytes([Array("SET".utf8), Array(scene.key.utf8), value]))
        try #expect(scene.client.readReply() == .ok)
        let before = try scene.node.figures.residentBytes()
        let vandal = try scene.vandal(receiveBuffer: 64 << 10)
        let call = Wire.request("@simpledb", session: 1, Wire.string("GET") + Wire.string(scene.key))
        let block = (0..<100).flatMap { _ in call }
        // 100 MB of requests would have 70 GB of answers: the kernel's buffers fill up, and the node takes no more.
        var sent = 0
        func fill() throws -> Int {
          let before = sent
          while true {
            let count = try vandal.offer(block, from: sent % block.count)
            if count == 0 { return sent - before }
            sent += count
          }
        }
        try Poll.until("the node reads no more") {
          // Both buffers are full, and stay so while others are served.
          _ = try fill()
          for round in 0..<20 {
            try #expect(scene.client.ask("SET", "other", "\(round)") == .ok)
            try #expect(scene.other.ask("GET", "other") == .text("\(round)"))
          }
          return try fill() == 0
        }
        try scene.awaitLog("reading pauses", "calls in work", "bytes of answers unread")
        try #expect(scene.node.figures.residentBytes() - before < 96 << 20)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `400 KB of nested tables are answered with an error`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        let vandal = try scene.vandal()
        let nested = [UInt8](repeating: 0x0E, count: 400_000)
        let bodies = [nested, Wire.string("GET") + nested, Wire.string("NONE") + nested, Array(nested.prefix(30_000))]
        for (round, body) in bodies.enumerated() {
          let session = UInt32(round + 1)
          try vandal.send(
            body.count < 32_768
              ? Wire.request("@simpledb", session: session, body)
              : Wire.largeCall("@simpledb", session: session, body))
          let answer = try vandal.readAnswer(to: session)
          let text = String(decoding: answer.body, as: UTF8.self)
          #expect(answer.type == 0 && text.contains("cannot be read"), "\(text)")
          // Where a string is due, the first table is enough; a value of any kind is read as deep as is allowed.
          #expect((body[0] == 0x0E) == !text.contains("tables nest deeper than"), "\(text)")
          try scene.awaitLog("a peer's call has failed", "cannot be read")
          try scene.expectCalm(round)
        }
        // As a name query, too; it is answered, whatever with.
        try vandal.send(Wire.packet([0] + Wire.little(0) + Wire.little(99) + nested.prefix(30_000)))
        try #expect(vandal.readAnswer(to: 99).type == 0)
        // And pushed, where nobody can be answered: the log has it.
        try vandal.send(Wire.request("@simpledb", session: 0, Array(nested.prefix(30_000))))
        try scene.awaitLog("a peer's message was dropped", "cannot be read")
        let answer = try vandal.call("@simpledb", session: 100, Wire.string("GET") + Wire.string("nobody"))
        #expect(answer.type == 1 && answer.body == [0], "the connection is as good as before")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `parts that do not make up their total are refused, with a reason in the log`(io: IOBackend) throws {
      try Self.withScene(io) { scene in
        let vandal = try scene.vandal()
        let body = Wire.string("GET") + [UInt8](repeating: 0, count: 99_996)
        for (round, total) in [99_999, 100_001, 1, 0x7FFF_FFFF, 0xFFFF_FFFF].enumerated() {
          let session = UInt32(round + 1)
          try vandal.send(Wire.largeCall("@simpledb", session: session, body, total: total))
          let answer = try vandal.readAnswer(to: session)
          #expect(answer.type == 0)
          #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("Invalid large req"))
          try scene.awaitLog("session \(session) refused")
          try scene.expectCalm(round)
          // What is left of the refused request has no answer of its own, or one more error.
          while vandal.isReadable(withinMilliseconds: 0) { try #expect(vandal.readAnswer(to: session).type == 0) }
        }
        let answer = try vandal.call("@simpledb", session: 77, Wire.string("GET") + Wire.string("nobody"))
        #expect(answer.type == 1, "the connection is as good as before")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a peer that accepts and never answers costs each request its deadline, and nobody else anything`(
      io: IOBackend
    ) throws {
      try withCluster([io, io], ["--call-deadline", "0.5"]) { cluster in
        let silent = try FakePeer { _ in nil }
        let node = try cluster.start(0, peers: ["db2=127.0.0.1:\(silent.port)"])
        let bystander = try node.client()
        let waiting = try (0..<10).map { _ in try node.client() }
        let began = ContinuousClock.now
        for client in waiting { try client.send(Request.bytes("GET", cluster.key(of: 1))) }
        for round in 0..<20 { try #expect(bystander.ask("SET", cluster.key(of: 0), "\(round)") == .ok) }
        for client in waiting {
          let text = try client.readReply().errorText ?? ""
          #expect(text.contains("peer db2 gave no answer") && text.contains("deadline"), "\(text)")
        }
        // Those that were made before it was up have 1 s.
        #expect(ContinuousClock.now - began < .seconds(2))
        try #expect(bystander.ask("DBSIZE").errorText?.contains("db2") == true)
        try Poll.until("the log has the reason") {
          node.process.log.contains("a peer has not told its list of nodes")
        }
        try #expect(bystander.ask("GET", cluster.key(of: 0)) == .text("19"))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `peers that never answer cost what was asked together one deadline`(io: IOBackend) throws {
      try withCluster([io, io, io, io], ["--call-deadline", "0.5"]) { cluster in
        let silent = try (0..<3).map { _ in try FakePeer { _ in nil } }
        let node = try cluster.start(0, peers: silent.enumerated().map { "db\($0 + 2)=127.0.0.1:\($1.port)" })
        // Then they count as nodes that have been up.
        for peer in cluster.names.dropFirst() {
          try Poll.until("\(peer) was asked for its list") {
            node.process.log.split(separator: "\n").contains {
              $0.contains("a peer has not told its list of nodes") && $0.contains("peer=\(peer)")
            }
          }
        }
        let client = try node.client()
        let theirs = cluster.names.map { cluster.ring.keys(of: $0, 1)[0] }
        var began = ContinuousClock.now
        let keys = (0..<6).flatMap { [theirs[1 + $0 % 3], theirs[0]] }
        try client.send(keys.flatMap { Request.bytes("GET", $0) })
        for (number, key) in keys.enumerated() {
          let reply = try client.readReply()
          if key == theirs[0] {
            #expect(reply == .null)
          } else {
            let peer = cluster.names[1 + number / 2 % 3]
            let text = reply.errorText ?? ""
            #expect(text.hasPrefix("ERR peer \(peer) gave no answer") && text.contains("deadline"), "\(text)")
          }
        }
        #expect(ContinuousClock.now - began < .seconds(1), "twice the deadline")
        for command in ["DBSIZE", "FLUSHALL"] {
          began = ContinuousClock.now
          try #expect(client.ask(command).errorText?.contains("gave no answer") == true)
          #expect(ContinuousClock.now - began < .seconds(1), "twice the deadline")
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a peer that answers garbage fails the requests it was sent, with a reason in the log`(io: IOBackend) throws {
      try withCluster([io, io], ["--call-deadline", "0.5"]) { cluster in
        let garbage = try FakePeer { _ in (9, Array("HTTP/1.1 400 Bad Request".utf8)) }
        let node = try cluster.start(0, peers: ["db2=127.0.0.1:\(garbage.port)"])
        let client = try node.client()
        let text = try client.ask("GET", cluster.key(of: 1)).errorText ?? ""
        #expect(text.contains("peer db2"), "\(text)")
        try Poll.until("the log has the reason") { node.process.log.contains("connection ended: the peer sent") }
        try #expect(client.ask("SET", cluster.key(of: 0), "ours") == .ok)
      }
    }
  }
}
