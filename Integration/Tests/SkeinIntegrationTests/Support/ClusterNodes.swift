// ClusterNodes: several `skein serve` that know each other: db1, db2 and so on.
//
// Owns:       the nodes that run.
// Shared by:  one test thread.

import Glibc
import Testing

/// A cluster whose nodes are started, killed and started again one by one, each on its own port for as long as it lives.
final class ClusterNodes {
  let names: [String]
  let backends: [IOBackend]
  /// The ports on which the nodes reach each other.
  let ports: [UInt16]
  let ring: KeyRing
  private let options: [String]
  private(set) var running: [Node?]

  /// Makes the cluster, and starts none of its nodes.
  init(_ backends: [IOBackend], _ options: [String] = []) throws {
    names = backends.indices.map { "db\($0 + 1)" }
    self.backends = backends
    // All are held at once, so that they differ.
    let held = try backends.map { _ in try FreePort.lasting() }
    ports = held.map(\.port)
    ring = KeyRing(names)
    running = backends.map { _ in nil }
    self.options = options
  }

  /// Starts a node and waits for its ready line.
  ///
  /// - Parameter peers: its `--peer` options, where they are not the other nodes.
  @discardableResult
  func start(_ index: Int, peers: [String]? = nil) throws -> Node {
    let others = names.indices.filter { $0 != index }.map { "\(names[$0])=127.0.0.1:\(ports[$0])" }
    let place = ["--name", names[index], "--cluster", "127.0.0.1:\(ports[index])"]
    let list = (peers ?? others).flatMap { ["--peer", $0] }
    let node = try Node(backends[index], place + list + options)
    running[index] = node
    return node
  }

  /// Ends a node with SIGKILL.
  func kill(_ index: Int) {
    running[index]?.process.kill()
    running[index] = nil
  }

  subscript(index: Int) -> Node {
    get throws {
      guard let node = running[index] else { throw Failure("\(names[index]) does not run") }
      return node
    }
  }

  /// A key that the node holds.
  func key(of index: Int) -> String { ring.keys(of: names[index], 1)[0] }

  /// What a node says of itself in a section of INFO.
  func info(_ index: Int, _ section: String) throws -> String {
    guard case .bulk(let bytes) = try self[index].client().ask("INFO", section) else {
      throw Failure("INFO is a bulk string")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What INFO of a node says of a peer.
  func peerLine(_ index: Int, _ peer: String) throws -> String {
    let lines = try info(index, "cluster").split(separator: "\r\n")
    return lines.first { $0.hasPrefix("skein_peer_\(peer):") }.map { String($0) } ?? ""
  }

  /// The number of keys that a node holds itself.
  func keysHeld(_ index: Int) throws -> Int {
    guard let match = try info(index, "keyspace").firstMatch(of: /keys=(\d+)/) else { return 0 }
    return Int(match.1) ?? -1
  }

  /// Waits until each node has compared its list of names with all others'.
  func awaitPeers() throws {
    for index in names.indices where running[index] != nil {
      let others = running.indices.count { $0 != index && running[$0] != nil }
      try Poll.until("\(names[index]) knows its peers") {
        try info(index, "cluster").split(separator: "\r\n").count { $0.hasSuffix("state=up,names=same") } >= others
      }
    }
  }
}

/// Runs `body` with a cluster, and ends its nodes in any case. A node that ended by itself fails the test; a failure
/// carries the ends of all logs.
func withCluster(
  _ backends: [IOBackend], _ options: [String] = [], _ body: (ClusterNodes) throws -> Void
) throws {
  let cluster = try ClusterNodes(backends, options)
  defer { for index in backends.indices { cluster.kill(index) } }
  do {
    try body(cluster)
  } catch {
    let logs = cluster.running.compactMap { node in
      node.map { "\($0.readyLine) (\($0.process.isRunning ? "runs" : "has ended")):\n\($0.process.log.suffix(2_000))" }
    }
    throw Failure("\(error)\n\(logs.joined(separator: "\n"))")
  }
  for node in cluster.running.compactMap(\.self) where node.process.exitStatus == nil && !node.process.isRunning {
    Issue.record("\(node.readyLine) ended by itself; \(node.process.log)")
  }
}

/// Each backend beside each.
let backendPairs: [[IOBackend]] = IOBackend.allCases.flatMap { first in IOBackend.allCases.map { [first, $0] } }
