// DescriptorTests: a node that has run out of descriptors serves those whom it has, and the others later.

import Testing

extension Integration {
  @Suite("Descriptors") struct DescriptorTests {
    @Test(arguments: IOBackend.allCases)
    func `a node without free descriptors serves the clients it has and takes the waiting ones later`(
      io: IOBackend
    ) throws {
      try withNode(io, descriptors: 64) { node in
        // Clients come until one is accepted by the kernel and not by the node. That it is not served can only be
        // seen over an interval; were the node merely slow, the test would see fewer served clients and no error.
        var served: [RawClient] = []
        var waiting: [RawClient] = []
        while waiting.isEmpty {
          try #require(served.count < 64, "64 descriptors cannot serve this many clients")
          let client = try node.client()
          try client.send(Request.bytes("PING"))
          if client.isReadable(withinMilliseconds: 1_000) {
            try #expect(client.readReply() == .pong)
            served.append(client)
          } else {
            waiting.append(client)
          }
        }
        #expect(served.count >= 20, "the node needs most descriptors for itself")
        for _ in 0..<10 {
          let client = try node.client()
          try client.send(Request.bytes("PING"))
          waiting.append(client)
        }

        let before = try node.figures.processorNanoseconds()
        Interval.pass(milliseconds: 1_000)
        let used = try node.figures.processorNanoseconds() - before
        #expect(used <= 50_000_000, "\(used) ns in 1 s: the node must not try again and again")
        for client in served { try #expect(client.ask("PING") == .pong) }
        let lines = node.process.log.split(separator: "\n").filter(Self.tellsOfDescriptors)
        #expect((1...3).contains(lines.count), "the log says it once, not for each try: \(lines)")

        for client in served.prefix(waiting.count) { client.disconnect() }
        for client in waiting { try #expect(client.readReply() == .pong, "a client that waited is served") }
        for client in served.dropFirst(waiting.count) + waiting { try #expect(client.ask("PING") == .pong) }
        for client in served.dropFirst(waiting.count) + waiting { client.disconnect() }
        try #expect(node.client().ask("PING") == .pong)
        try #expect(node.stop() == .code(0))
      }
    }

    private static func tellsOfDescriptors(_ line: Substring) -> Bool {
      let line = line.lowercased()
      return line.contains("emfile") || line.contains("too many open files") || line.contains("descriptor")
    }
  }
}
