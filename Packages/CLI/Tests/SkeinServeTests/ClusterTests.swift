import Glibc
import Skein
import SkeinCluster
import SkeinPlatform
import SkeinRESP
import SkeinSerialization
import SkeinSocketIO
import Testing

@testable import SkeinServe

/// Two servers in this process, as `skein serve` makes them, that know each other by `node.cluster`.
private struct Pair {
  let names = ["db1", "db2"]
  let nodes: [SkeinNode]
  let servers: [RESPServer]
  let addresses: [SocketEndpoint]
  let logs = [LogBook(), LogBook()]

  /// - Parameter lists: the peers that each node counts on.
  init(_ backend: [SocketBackend], lists: [[String]] = [["db2"], ["db1"]]) async throws {
    var nodes: [SkeinNode] = []
    var servers: [RESPServer] = []
    var addresses: [SocketEndpoint] = []
    var ports: [SocketEndpoint] = []
    for (index, name) in names.enumerated() {
      var options = NodeOptions()
      options.name = name
      options.workers = 1
      options.log = logs[index].log
      options.callDeadline = .seconds(20)
      var sockets = SocketOptions()
      sockets.backend = backend[index]
      sockets.limits.maxQueuedBytes = .max
      options.sockets = sockets
      let node = try SkeinNode(options)
      nodes.append(node)
      var configuration = ServerConfiguration()
      configuration.shardCount = index + 1
      configuration.nodeName = name
      configuration.ring = NodeRing(own: name, peers: lists[index])
      let (server, address) = try await RESPServer.start(
        on: node, at: try SocketEndpoint("127.0.0.1:0"), configuration, exports: true)
      servers.append(server)
      addresses.append(address)
      ports.append(try node.cluster.open(on: SocketEndpoint("127.0.0.1:0")))
    }
    for (index, node) in nodes.enumerated() {
      node.cluster.reload([names[1 - index]: .address("\(ports[1 - index])")])
    }
    for server in servers { server.dialPeers() }
    (self.nodes, self.servers, self.addresses) = (nodes, servers, addresses)
  }

  func shutDown() async { for node in nodes { await node.shutDown(grace: .seconds(1)) } }

  /// A line of INFO of the node with that index.
  func fact(_ index: Int, _ name: String) -> String {
    servers[index].facts.cluster.first { $0.0 == name }?.1 ?? ""
  }

  /// A key of the node with that index.
  func key(of index: Int) throws -> String {
    let ring = try #require(NodeRing(own: "db1", peers: ["db2"]))
    return (0...).lazy.map { "key\($0)" }.first { ring.owner(of: Array($0.utf8).span) == index }!
  }
}

private func withPair(
  _ backends: [SocketBackend], lists: [[String]] = [["db2"], ["db1"]],
  _ body: (Pair) async throws -> Void
) async throws {
  let pair = try await Pair(backends, lists: lists)
  do {
    try await body(pair)
    await pair.shutDown()
  } catch {
    await pair.shutDown()
    throw error
  }
}

@Suite("Two servers over node.cluster", .serialized, .timeLimit(.minutes(1))) struct ClusterTests {
  static let pairs = backends.flatMap { first in backends.map { [first, $0] } }

  @Test(arguments: pairs)
  func `each answers for the other's keys, on RESP and under simpledb`(backends: [SocketBackend]) async throws {
    try await withPair(backends) { pair in
      let keys = try [pair.key(of: 0), pair.key(of: 1)]
      for index in 0..<2 {
        let far = keys[1 - index]
        let peer = try Peer(pair.addresses[index])
        let answer = await onThread { peer.ask("SET \(far) \(index)\r\nGET \(far)\r\n", expecting: 12) }
        #expect(answer == "+OK\r\n$1\r\n\(index)\r\n")
        let other = pair.names[1 - index]
        let cluster = pair.nodes[index].cluster
        #expect(try await cluster.call(other, "@simpledb", "GET", Value(far)) == [Value("\(index)")])
        #expect(try await cluster.call(other, "@simpledb", "set", Value(far), 7) == [Value("\(index)")])
        #expect(try await cluster.call(other, "@simpledb", "set", Value("of \(index)"), 1.5) == [.nil])
        #expect(try await cluster.call(other, "@simpledb", "DEL", Value("of \(index)")) == [1])
      }
      let peer = try Peer(pair.addresses[0])
      #expect(await onThread { peer.ask("DBSIZE\r\nFLUSHALL\r\nDBSIZE\r\n", expecting: 13) } == ":2\r\n+OK\r\n:0\r\n")
      #expect(pair.servers.map(\.figures.roundsCalled).allSatisfy { $0 > 0 }, "other nodes' keys cannot be held")
    }
  }

  @Test func `what comes under the internal name is never forwarded`() async throws {
    try await withPair([.epoll, .epoll]) { pair in
      let key = try pair.key(of: 0)
      let print = pair.servers[0].peers?.fingerprintText ?? ""
      // A key of db1, asked of db2 under the name for its own keys: it is stored there, where nobody looks for it.
      let request = "*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$1\r\nx\r\n"
      let answer = try await pair.nodes[0].cluster.call(
        "db2", "@skein.keys", "EXECUTE", Value(print), Value(request))
      #expect(answer == [Value("+OK\r\n")])
      let peer = try Peer(pair.addresses[1])
      #expect(await onThread { peer.ask("GET \(key)\r\n", expecting: 5) } == "$-1\r\n")
    }
  }

  @Test func `a batch from a node with another list is refused by its owner, whatever the asker knows`() async throws {
    try await withPair([.epoll, .epoll]) { pair in
      for fingerprint in ["0000000000000000", "0000000000000001", "0000000000000000", "0\r\nfalse:fact"] {
        do {
          _ = try await pair.nodes[0].cluster.call(
            "db2", "@skein.keys", "EXECUTE", Value(fingerprint), "*1\r\n$6\r\nDBSIZE\r\n")
          Issue.record("it is refused")
        } catch let error as ClusterError {
          #expect(error.code == .remoteError)
          #expect(error.text?.contains("its list of nodes is not ours") == true)
        }
        let told = fingerprint.utf8.count == 16 ? fingerprint : "unreadable"
        #expect(pair.fact(1, "skein_refused_names_hash") == told)
        let ours = pair.servers[1].peers?.fingerprintText ?? ""
        // Each other list is logged once, however often it asks.
        #expect(
          pair.logs[1].lines(with: "a node with another list of nodes asks for our keys; it is refused").filter {
            $0.contains("theirs=\(told)") && $0.contains("ours=\(ours)")
          }.count == 1)
      }
      #expect(pair.fact(0, "skein_refused_names_hash").isEmpty)
    }
  }

  @Test func `nodes with different lists know it once they are connected, and name it`() async throws {
    try await withPair([.epoll, .epoll], lists: [["db2"], ["db1", "db3"]]) { pair in
      for index in 0..<2 {
        let other = pair.names[1 - index]
        await pair.logs[index].awaitLine(with: "a peer has another list of nodes", "peer=\(other)")
        #expect(pair.fact(index, "skein_peer_\(other)").hasSuffix("names=differ"))
      }
      let peer = try Peer(pair.addresses[0])
      let key = try pair.key(of: 1)
      peer.send(Array("GET \(key)\r\n".utf8))
      #expect(await onThread { peer.readLine() }.hasPrefix("-ERR peer db2 refuses: its list of nodes is not ours"))
    }
  }

  @Test func `a peer that has come back is not known by what it was before`() async throws {
    try await withPair([.epoll, .epoll], lists: [["db2"], ["db1", "db3"]]) { pair in
      await pair.logs[0].awaitLine(with: "a peer has another list of nodes", "peer=db2")
      // It comes back and cannot be asked.
      pair.nodes[1].cluster.unregister("skein.keys")
      pair.nodes[0].cluster.disconnect(peer: "db2", reason: "for a moment")
      await pair.logs[0].awaitLine(with: "a peer has not told its list of nodes", "peer=db2")
      #expect(pair.fact(0, "skein_peer_db2").hasSuffix("names=unknown"))
    }
  }

  @Test func `a peer that shuts down is down, and is named`() async throws {
    try await withPair([.epoll, .epoll]) { pair in
      let key = try pair.key(of: 1)
      let peer = try Peer(pair.addresses[0])
      #expect(await onThread { peer.ask("SET \(key) 1\r\n", expecting: 5) } == "+OK\r\n")
      await pair.nodes[1].shutDown(grace: .seconds(1))
      for command in ["GET \(key)", "DBSIZE", "FLUSHALL", "MGET \(key) \(try pair.key(of: 0))"] {
        peer.send(Array("\(command)\r\n".utf8))
        #expect(await onThread { peer.readLine() }.hasPrefix("-ERR peer db2 is down: "), "\(command)")
      }
      #expect(await onThread { peer.ask("PING\r\n", expecting: 7) } == "+PONG\r\n")
    }
  }
}
