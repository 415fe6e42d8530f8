import Glibc
import SkeinCluster
import SkeinPlatform
import SkeinSerialization
import SkeinSocketIO
import Testing

@Suite("Cluster over loopback") struct ClusterTests {
  static let backends: [SocketBackend] = [.epoll, .ioUring]

  /// A link that does not try again while a test lasts.
  private var patient: LinkConfiguration {
    var link = LinkConfiguration()
    link.backOffBase = .seconds(3_600)
    link.backOffCap = .seconds(3_600)
    return link
  }

  private func pair(_ backend: SocketBackend) throws -> (TestNode, TestNode) {
    let nodes = (try TestNode("a", backend), try TestNode("b", backend))
    nodes.0.knows(nodes.1)
    nodes.1.knows(nodes.0)
    return nodes
  }

  private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } }

  @Test(arguments: backends)
  func `small and large bodies come back as they went, both ways`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    for size in [0, 1, 32_767, 32_768, 32_769, 65_536, 3_000_000] {
      #expect(try await a.call("b", "@echo", bytes(size)) == bytes(size))
      #expect(try await b.call("a", "@echo", bytes(size)) == bytes(size))
    }
    #expect(a.cluster.pendingCalls(to: "b") == 0)
  }

  @Test(arguments: backends)
  func `many callers at once each get their own answer`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          let body = Array("caller \(number)".utf8)
          for _ in 0..<20 where try await a.call("b", "@echo", body) != body { return false }
          return true
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
    _ = b
  }

  @Test(arguments: backends)
  func `an error's text, a second answer and no answer at all`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    let failed = try await a.failure("b", "@fail")
    #expect(failed.code == .remoteError && failed.text == "it does not work" && failed.mayHaveExecuted)
    #expect(try await a.call("b", "@twice", [1]) == [1])
    #expect(try await a.failure("b", "@drop").text == "call failed: nobody answered")
    #expect(try await a.failure("b", "@nothing").text == "Invalid name")
    _ = b
  }

  @Test(arguments: backends)
  func `sends arrive in their order, and nobody answers them`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    let name = try ClusterAddress.name(ClusterName("@push"))
    for number in 0..<100 { #expect(a.cluster.send("b", name, [UInt8(number)]) == .queued) }
    await b.handler.awaitRequests(100)
    #expect(b.handler.pushes.withLock { $0 } == (0..<100).map { [UInt8($0)] })
    #expect(a.cluster.send("nobody", name, []) == .refused(try await a.failure("nobody")))
  }

  @Test(arguments: backends)
  func `a name query answers the id of what is exported`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    let query = try Seri.encode([Value("echo")])
    let answer = try await a.cluster.call("b", .nameQuery, query)
    #expect(try Seri.decode(answer) == [.integer(1_042)])
    await #expect(throws: ClusterError.self) {
      try await a.cluster.call("b", .nameQuery, try Seri.encode([Value("other")]))
    }
    await #expect(throws: ClusterError.self) { try await a.cluster.call("b", .nameQuery, [0xFF]) }
    _ = b
  }

  @Test func `a call gives up after five seconds, unless it is told otherwise`() throws {
    let before = MonotonicInstant.now
    let deadline = try #require(ClusterCallOptions.after().deadline)
    #expect(deadline >= before.advanced(by: .seconds(5)) && deadline <= .now.advanced(by: .seconds(5)))
  }

  @Test(arguments: backends)
  func `a deadline and a cancellation end a call, and the connection goes on`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    let late = try await a.failure("b", "@hold", .after(.milliseconds(20)))
    #expect(late.code == .deadlineExceeded)
    let task = Task { try await a.failure("b", "@hold") }
    // On a slow machine the first call's time may be over before it is written.
    await b.handler.awaitRequests(late.mayHaveExecuted ? 2 : 1)
    task.cancel()
    #expect(try await task.value.code == .cancelled)
    for request in b.handler.held.withLock({ $0 }) { request.answer([9]) }
    #expect(try await a.call("b", "@echo", [1]) == [1])
  }

  @Test(arguments: backends)
  func `a refused connection is told with its errno, and the back-off with the next attempt`(
    backend: SocketBackend
  ) async throws {
    let a = try TestNode("a", backend) { $0.link = patient }
    let port = RawPort()
    let address = "127.0.0.1:\(port.number)"
    a.cluster.reload(["b": .address(address), "c": .address("no address"), "d": .down])
    let first = try await a.failure("b")
    #expect(first.code == .connectFailed && first.systemError?.errorNumber == ECONNREFUSED && first.attempts == 1)
    let second = try await a.failure("b")
    #expect(second.code == .connectFailed && second.attempts == 1 && second.retryAfter != nil, "\(second)")
    #expect(try await a.failure("c").systemError?.errorNumber == EINVAL)
    #expect(try await a.failure("d").code == .peerDown)
    let unknown = try await a.failure("e")
    #expect(unknown.code == .unknownPeer && !unknown.mayHaveExecuted)
    #expect("\(first)".contains("b (\(address)) is down"))
    withExtendedLifetime(port) {}
  }

  @Test(arguments: backends)
  func `a call may wait for a peer that is not there yet`(backend: SocketBackend) async throws {
    let a = try TestNode("a", backend)
    let waiting = Task { try await a.call("b", "@echo", [5], .after(.seconds(120), waitsForConnection: true)) }
    let b = try TestNode("b", backend)
    a.knows(b)
    #expect(try await waiting.value == [5])
    let expired = try await a.failure("c", "@echo", .after(.milliseconds(10), waitsForConnection: true))
    #expect(expired.code == .deadlineExceeded && !expired.mayHaveExecuted)
  }

  @Test func `names that calls have waited for in vain take no place in the directory`() async throws {
    let a = try TestNode("a", .epoll) { $0.maxPeers = 2 }
    for number in 1...5 {
      let waits = ClusterCallOptions.after(.milliseconds(1), waitsForConnection: true)
      #expect(try await a.failure("nobody\(number)", "@echo", waits).code == .deadlineExceeded)
    }
    #expect(a.cluster.reload(["b": .down, "c": .down]) && a.cluster.peers == ["b", "c"])
    #expect(!a.cluster.reload(["d": .down]))
    let oneTooMany = try await a.failure("e", "@echo", .after(.seconds(1), waitsForConnection: true))
    #expect(oneTooMany.code == .unknownPeer)
  }

  @Test func `a node that has left the cluster refuses at once, whatever it is asked for`() async throws {
    let a = try TestNode("a", .epoll)
    a.cluster.reload(["b": .down])
    a.cluster.shutDown()
    #expect(!a.cluster.reload(["b": .address("127.0.0.1:1"), "c": .down]))
    for peer in ["b", "c"] {
      let waits = ClusterCallOptions.after(.seconds(120), waitsForConnection: true)
      #expect(try await a.failure(peer, "@echo", waits).code == .shuttingDown)
    }
    #expect(try await a.failure("c").code == .shuttingDown)
  }

  @Test(arguments: backends)
  func `a peer that has not said its name is listed and disconnected by its address`(
    backend: SocketBackend
  ) async throws {
    let node = try TestNode("a", backend)
    let peer = RawPeer(port: node.address.port)
    peer.send(packet([0x80, 5] + Array("@echo".utf8) + [1, 0, 0, 0, 42]))
    #expect(peer.readPacket() == [1, 0, 0, 0, 1, 42])
    let inbound = try #require(node.cluster.inbound.first)
    #expect(inbound.name == nil && inbound.requestsInWork == 0)
    #expect(!node.cluster.disconnect(inbound: node.address, reason: "nobody is there"))
    #expect(node.cluster.disconnect(inbound: inbound.address, reason: "maintenance"))
    #expect(peer.read(1).isEmpty)
    #expect(node.lines.contain("connection from \(inbound.address) is closed: maintenance"))
  }

  @Test func `a connection has the name of its first hello, which has no control characters and 255 bytes at most`()
    throws
  {
    let node = try TestNode("a", .epoll)
    let peer = RawPeer(port: node.address.port)
    func hello(_ name: String) throws -> UInt8 {
      let query = try Seri.encode([Value("skein/1?node=\(name)")])
      peer.send(packet([0] + [0, 0, 0, 0] + [9, 0, 0, 0] + query))
      return try #require(peer.readPacket())[4]
    }
    #expect(try hello("a%0Ab") == 0 && hello(String(repeating: "x", count: 256)) == 0)
    #expect(node.cluster.inbound.map(\.name) == [nil])
    #expect(try hello("b") == 1 && hello("b") == 1 && hello("c") == 0)
    #expect(node.cluster.inbound.map(\.name) == ["b"])
    #expect(node.lines.count("is from peer") == 1)
  }

  @Test(arguments: backends)
  func `a hello tells the name, and ends the back-off`(backend: SocketBackend) async throws {
    let a = try TestNode("a", backend) { $0.link = patient }
    let changes = a.cluster.stateChanges()
    let port = RawPort()
    a.cluster.reload(["b": .address("127.0.0.1:\(port.number)")])
    #expect(try await a.failure("b").code == .connectFailed)
    // Another node takes the name, says hello, and the link is free to try again at once.
    let b = try TestNode("b", backend)
    b.knows(a)
    a.cluster.reload(["other": .address("\(b.address)")])
    #expect(try await b.call("a", "@echo", [1]) == [1])
    var states: [LinkState] = []
    while let change = await changes.next() {
      if change.peer != "b" { continue }
      states.append(change.to)
      if change.reason == "the peer said hello" { break }
    }
    #expect(states.last == .idle)
    #expect(a.cluster.inbound.map(\.name) == ["b"])
    withExtendedLifetime(port) {}
  }

  @Test(arguments: backends)
  func `a disconnection ends both directions, and the next call connects again`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    #expect(try await a.call("b", "@echo", [1]) == [1])
    #expect(try await b.call("a", "@echo", [1]) == [1])
    let pending = Task { try await a.failure("b", "@hold") }
    await b.handler.awaitRequests(2)
    a.cluster.disconnect(peer: "b", reason: "maintenance")
    let error = try await pending.value
    #expect(error.code == .disconnected && error.text == "maintenance" && error.mayHaveExecuted)
    #expect(try await a.call("b", "@echo", [2]) == [2])
    #expect(try await b.call("a", "@echo", [2], .after(.seconds(120), waitsForConnection: true)) == [2])
  }

  @Test(arguments: backends)
  func `nothing connects again before the connection that we end is gone, descriptor and all`(
    backend: SocketBackend
  ) async throws {
    let a = try TestNode("a", backend) { options in
      options.saysHello = false
      options.link.closeTimeout = .seconds(3_600)
    }
    let listener = RawListener()
    let changes = a.cluster.stateChanges()
    a.cluster.reload(["b": .address("127.0.0.1:\(listener.port)")])
    a.cluster.dial("b")
    let first = try #require(listener.accept())
    while let change = await changes.next(), change.to != .closing {
      if case .up = change.to { a.cluster.disconnect(peer: "b", reason: "maintenance") }
    }
    // The peer sees our end, and has not ended its own direction.
    #expect(first.read(1).isEmpty)
    let call = Task { try await a.call("b", "@any", [], .after(.seconds(120), waitsForConnection: true)) }
    while a.cluster.pendingCalls(to: "b") == 0 { await Task.yield() }
    #expect(a.cluster.state(of: "b") == .closing)
    first.finish()
    let second = try #require(listener.accept())
    second.send(packet(session(of: try #require(second.readPacket())) + [1]))
    #expect(try await call.value == [])
  }

  @Test(arguments: backends)
  func `another address ends the connection, and pending calls fail`(backend: SocketBackend) async throws {
    let (a, b) = try pair(backend)
    let pending = Task { try await a.failure("b", "@hold") }
    await b.handler.awaitRequests(1)
    let other = try TestNode("b", backend)
    a.cluster.reload(["b": .address("\(other.address)")])
    #expect(try await pending.value.code == .disconnected)
    #expect(try await a.call("b", "@echo", [3]) == [3])
    await other.handler.awaitRequests(1)
    a.cluster.reload(["b": .down])
    #expect(try await a.failure("b").code == .peerDown)
  }

  @Test(arguments: backends)
  func `no more calls are pending than the limit, and a node that leaves fails them`(
    backend: SocketBackend
  ) async throws {
    let a = try TestNode("a", backend) { $0.link.maxPendingCalls = 3 }
    let b = try TestNode("b", backend)
    a.knows(b)
    let pending = (0..<3).map { _ in Task { try await a.failure("b", "@hold") } }
    await b.handler.awaitRequests(3)
    #expect(try await a.failure("b").code == .busy)
    a.cluster.shutDown()
    for task in pending { #expect(try await task.value.code == .shuttingDown) }
    #expect(try await a.failure("b").code == .shuttingDown)
  }
}
