import Glibc
import SkeinCluster
import SkeinPlatform
import SkeinSerialization
import SkeinSocketIO
import Testing

@Suite("Cluster and peers that do not keep the rules") struct HostilePeerTests {
  private static let rounds = isSoak ? 10_000 : 1_000

  @Test(arguments: ClusterTests.backends)
  func `a call that is made after the peer's FIN has come is answered, over a new connection`(
    backend: SocketBackend
  ) async throws {
    let node = try TestNode("a", backend) { $0.saysHello = false }
    let listener = RawListener()
    defer { listener.stop() }
    let closed = EventCount()
    // Answers one request of each connection, and closes it at once.
    let server = try PlatformThread.start(name: "one-answer") {
      while let peer = listener.accept() {
        guard let request = peer.readPacket() else { continue }
        peer.send(packet(session(of: request) + [1]))
        peer.finish()
        closed.add()
      }
    }
    node.cluster.reload(["b": .address("127.0.0.1:\(listener.port)")])
    for round in 1...Self.rounds {
      #expect(try await node.call("b", "@any") == [])
      // Loopback hands the FIN over within the peer's call.
      await closed.wait(for: round)
    }
    #expect(!node.lines.contain("Broken pipe") && !node.lines.contain("backing off"))
    // Each request came once, on a connection of its own.
    #expect(closed.value == Self.rounds)
    listener.stop()
    server.join()
  }

  @Test(arguments: ClusterTests.backends)
  func `a peer that never answers costs a call its deadline, and nothing else`(backend: SocketBackend) async throws {
    let node = try TestNode("a", backend)
    let good = try TestNode("good", backend)
    node.knows(good)
    let listener = RawListener()
    defer { listener.stop() }
    node.cluster.reload(["b": .address("127.0.0.1:\(listener.port)")])
    let error = try await node.failure("b", "@any", .after(.milliseconds(30)))
    #expect(error.code == .deadlineExceeded)
    #expect(try await node.call("good", "@echo", [1]) == [1])
    listener.stop()
  }

  @Test(arguments: ClusterTests.backends)
  func `an answer that is none ends the connection, fails its calls and says why`(
    backend: SocketBackend
  ) async throws {
    let node = try TestNode("a", backend) { $0.saysHello = false }
    let listener = RawListener()
    defer { listener.stop() }
    let server = try PlatformThread.start(name: "garbage") {
      while let peer = listener.accept() {
        _ = peer.readPacket()
        peer.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8) + [UInt8](repeating: 0, count: 20_000))
        _ = peer.read(1)
      }
    }
    node.cluster.reload(["b": .address("127.0.0.1:\(listener.port)")])
    let error = try await node.failure("b")
    #expect(error.code == .answerLost && error.text?.contains("the peer sent") == true)
    #expect(node.lines.contain("connection ended: the peer sent"))
    listener.stop()
    server.join()
  }

  static let broken: [(String, [UInt8])] = [
    ("an empty packet", [0, 0]),
    ("a packet of no known type", packet([9, 0, 0, 0, 0])),
    ("a request that is cut short", packet([0, 1, 2, 3])),
    ("text", Array("GET / HTTP/1.1\r\nHost: example\r\n\r\n".utf8) + [UInt8](repeating: 32, count: 70_000)),
  ]

  @Test(arguments: ClusterTests.backends, broken.indices)
  func `a request that is none ends its connection, and others are not disturbed`(
    backend: SocketBackend, index: Int
  ) async throws {
    let node = try TestNode("a", backend)
    let other = try TestNode("other", backend)
    other.knows(node)
    #expect(try await other.call("a", "@echo", [1]) == [1])
    let peer = RawPeer(port: node.address.port)
    peer.send(Self.broken[index].1)
    #expect(peer.read(1).isEmpty)
    #expect(node.lines.contain("is aborted: the peer sent"))
    #expect(try await other.call("a", "@echo", [2]) == [2])
  }

  @Test(arguments: ClusterTests.backends)
  func `parts that do not make up their total are refused, and the connection goes on`(
    backend: SocketBackend
  ) async throws {
    let node = try TestNode("a", backend)
    let peer = RawPeer(port: node.address.port)
    let name = Array("@echo".utf8)
    // A large call of 5 bytes in all, of which 3 come.
    peer.send(packet([0x81, 5] + name + [7, 0, 0, 0, 5, 0, 0, 0]))
    peer.send(packet([0x03, 7, 0, 0, 0, 1, 2, 3]))
    let refusal = try #require(peer.readPacket())
    #expect(refusal.prefix(5) == [7, 0, 0, 0, 0])
    #expect(String(decoding: refusal.dropFirst(5), as: UTF8.self).hasPrefix("Invalid large req"))
    peer.send(packet([0x80, 5] + name + [8, 0, 0, 0, 42]))
    #expect(peer.readPacket() == [8, 0, 0, 0, 1, 42])
  }

  @Test(arguments: ClusterTests.backends)
  func `a peer that asks and does not read is not read from any more`(backend: SocketBackend) async throws {
    let node = try TestNode("a", backend)
    let peer = RawPeer(port: node.address.port)
    let body = [UInt8](repeating: 1, count: 30_000)
    let request = packet([0x80, 5] + Array("@echo".utf8) + [1, 0, 0, 0] + body)
    let count = 2_000
    let sender = try PlatformThread.start(name: "flood") { for _ in 0..<count { peer.send(request) } }
    // Some 60 MB of answers are owed; with nobody reading, the node takes in what its limits allow and no more.
    await node.handler.awaitRequests(40)
    var answers = 0
    while answers < count, let answer = peer.readPacket() {
      if answer.count != 5 + body.count { break }
      answers += 1
    }
    #expect(answers == count)
    sender.join()
  }

  @Test(arguments: ClusterTests.backends)
  func `a peer that asks too much at once waits, and every request is answered`(backend: SocketBackend) async throws {
    let node = try TestNode("a", backend) { $0.acceptor.maxRequestsInWork = 8 }
    let peer = RawPeer(port: node.address.port)
    for number in 0..<32 {
      peer.send(packet([0x80, 5] + Array("@hold".utf8) + [UInt8(number), 1, 0, 0]))
    }
    await node.handler.awaitRequests(8)
    var seen: Set<UInt8> = []
    for round in 1...32 {
      #expect(node.cluster.inbound.map(\.requestsInWork).max()! <= 8)
      await node.handler.awaitRequests(round)
      node.handler.held.withLock { held in held.removeFirst() }.answer([])
      let answer = try #require(peer.readPacket())
      seen.insert(answer[0])
    }
    #expect(seen.count == 32)
  }

  @Test(arguments: ClusterTests.backends)
  func `a peer that has sent its FIN gets what it is owed`(backend: SocketBackend) async throws {
    let node = try TestNode("a", backend)
    let peer = RawPeer(port: node.address.port)
    peer.send(packet([0x80, 5] + Array("@hold".utf8) + [1, 0, 0, 0]))
    await node.handler.awaitRequests(1)
    peer.finish()
    node.handler.held.withLock { held in held.removeFirst() }.answer([7])
    #expect(peer.readPacket() == [1, 0, 0, 0, 1, 7])
    #expect(peer.read(1).isEmpty)
  }
}
