// ShutdownTests: SIGINT and SIGTERM end a node without losing an answer.

import Glibc
import Testing

extension Integration {
  @Suite("Shutdown") struct ShutdownTests {
    @Test(arguments: IOBackend.allCases, [SIGTERM, SIGINT])
    func `a signal closes idle clients, frees the port and ends the node with status 0`(
      io: IOBackend, signal: Int32
    ) throws {
      try withNode(io) { node in
        let clients = try (0..<20).map { _ in try node.client() }
        for client in clients { try #expect(client.ask("SET", "key", "value") == .ok) }
        let began = ContinuousClock.now
        node.process.signal(signal)
        for client in clients { try #expect(client.isAtEnd(), "nothing but our FIN") }
        try #expect(node.process.waitForExit() == .code(0))
        // Busy clients have 5 s; with idle ones alone that time is not waited for.
        #expect(ContinuousClock.now - began < .seconds(4))
        #expect(throws: Failure.self) { _ = try node.client() }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `what was received before the signal is answered while nobody new is let in`(io: IOBackend) throws {
      try withNode(io) { node in
        let idle = try node.client()
        let value = Pattern.bytes(1 << 20)
        try idle.send(Request.bytes([Array("SET".utf8), Array("key".utf8), value]))
        try #expect(idle.readReply() == .ok)
        // Six answers of 1 MiB are more than the kernel's buffers take: the node is in the middle of them.
        let busy = try RawClient(port: node.port, receiveBuffer: 64 << 10)
        try busy.send((0..<6).flatMap { _ in Request.bytes("GET", "key") })
        #expect(busy.isReadable(withinMilliseconds: Environment.hangGuardSeconds * 1_000))
        node.process.signal(SIGTERM)
        try #expect(idle.isAtEnd())
        #expect(throws: Failure.self, "nobody new is let in") { _ = try node.client() }
        for _ in 0..<6 { try #expect(busy.readReply() == .bulk(value)) }
        try #expect(busy.isAtEnd())
        try #expect(node.process.waitForExit() == .code(0))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a client that never reads cannot hold up the end for longer than 5 s`(io: IOBackend) throws {
      try withNode(io) { node in
        let writer = try node.client()
        try writer.send(Request.bytes([Array("SET".utf8), Array("key".utf8), Pattern.bytes(8 << 20)]))
        try #expect(writer.readReply() == .ok)
        let stuck = try RawClient(port: node.port, receiveBuffer: 64 << 10)
        try stuck.send((0..<4).flatMap { _ in Request.bytes("GET", "key") })
        #expect(stuck.isReadable(withinMilliseconds: Environment.hangGuardSeconds * 1_000))
        let began = ContinuousClock.now
        try #expect(node.stop() == .code(0))
        let took = ContinuousClock.now - began
        #expect(took > .seconds(4), "the busy client was given time: \(took)")
        #expect(took < .seconds(8), "5 s and some slack for a busy machine: \(took)")
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a second signal ends the node at once with status 1`(io: IOBackend) throws {
      try withNode(io) { node in
        let idle = try node.client()
        try idle.send(Request.bytes([Array("SET".utf8), Array("key".utf8), Pattern.bytes(8 << 20)]))
        try #expect(idle.readReply() == .ok)
        let stuck = try RawClient(port: node.port, receiveBuffer: 64 << 10)
        try stuck.send((0..<4).flatMap { _ in Request.bytes("GET", "key") })
        #expect(stuck.isReadable(withinMilliseconds: Environment.hangGuardSeconds * 1_000))
        node.process.signal(SIGTERM)
        try #expect(idle.isAtEnd(), "the first signal is being obeyed")
        #expect(node.process.isRunning)
        try #expect(node.stop(SIGINT) == .code(1))
      }
    }
  }
}
