// ManyClientsTests: clients in great numbers, that stay idle or that come and go.

import Testing

extension Integration {
  @Suite("Many clients") struct ManyClientsTests {
    @Test(arguments: IOBackend.allCases)
    func `10,000 idle clients cost no processor time and are served when they speak`(io: IOBackend) throws {
      // One more than the default limit of 10,000 connections, for the client that looks on.
      try withNode(io, ["--max-clients", "10100"]) { node in
        let count = 10_000
        let other = try node.client()
        try #expect(other.ask("PING") == .pong)
        let alone = try node.figures.sockets()
        let idle = try IdleClients(port: node.port)
        try idle.open(count)
        // A client is connected before the node has taken it from the kernel's line.
        try Poll.until("the node has taken all clients") { try node.figures.sockets().count >= alone.count + count }

        let before = try node.figures.processorNanoseconds()
        Interval.pass(milliseconds: 2_000)
        let used = try node.figures.processorNanoseconds() - before
        // One tick of 10 ms and a little: 0.75 % of one processor.
        #expect(used <= 15_000_000, "\(used) ns in 2 s")

        for index in [0, count / 2, count - 1] { try idle.ping(index) }
        try idle.close(count)
        try awaitSockets(of: node, asIn: alone, asking: other)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `5,000 clients that come, ask once and go leave nothing open`(io: IOBackend) throws {
      try withNode(io) { node in
        let other = try node.client()
        try #expect(other.ask("PING") == .pong)
        let before = try node.figures.sockets()
        let visitors = 4
        let visits = (isSoak ? 50_000 : 5_000) / visitors
        let port = node.port
        let work = (0..<visitors).map { visitor in
          Background("visitor \(visitor)") {
            for visit in 0..<visits {
              let client = try RawClient(port: port)
              guard try client.ask("PING") == .pong else { throw Failure("visit \(visit) was not answered") }
              // Some leave with a FIN and await ours, some just close.
              if visit % 2 == 0 {
                client.finishSending()
                guard try client.isAtEnd() else { throw Failure("visit \(visit) got more than it asked for") }
              }
              client.disconnect()
            }
          }
        }
        for visitor in work { try visitor.value(withinSeconds: 6 * Environment.hangGuardSeconds) }
        try awaitSockets(of: node, asIn: before, asking: other)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `clients that reset in the middle of their answers leave nothing open and disturb nobody`(
      io: IOBackend
    ) throws {
      try withNode(io) { node in
        let other = try node.client()
        try other.send(Request.bytes([Array("SET".utf8), Array("key".utf8), Pattern.bytes(1 << 20)]))
        try #expect(other.readReply() == .ok)
        let before = try node.figures.sockets()
        for round in 0..<(isSoak ? 3_000 : 300) {
          let client = try RawClient(port: node.port, receiveBuffer: 64 << 10)
          try client.send((0...(round % 12)).flatMap { _ in Request.bytes("GET", "key") })
          // Some go before the first byte of an answer, some after it, some in the middle of a request of theirs.
          if round % 3 == 1 { #expect(client.isReadable(withinMilliseconds: Environment.hangGuardSeconds * 1_000)) }
          if round % 3 == 2 { try client.send(Array("*2\r\n$3\r\nGET\r\n$3\r\nk".utf8)) }
          try client.reset()
          try #require(other.ask("PING") == .pong)
        }
        try awaitSockets(of: node, asIn: before, asking: other)
      }
    }

    /// Asks the node for something until it holds no socket that was not open before: by then it has seen the FINs.
    ///
    /// Sockets only: libdispatch opens a timerfd of its own at some time after the start.
    private func awaitSockets(of node: Node, asIn before: Set<String>, asking client: RawClient) throws {
      let guardTime = ContinuousClock.now + .seconds(Environment.hangGuardSeconds)
      while true {
        let added = try node.figures.sockets().subtracting(before)
        if added.isEmpty { return }
        try #require(client.ask("PING") == .pong)
        try #require(ContinuousClock.now < guardTime, "still open: \(added)")
      }
    }
  }
}
