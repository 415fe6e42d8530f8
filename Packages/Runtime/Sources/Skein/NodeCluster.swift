// NodeCluster: a node's place in a cluster: what it exports, and how its services reach others.
//
// Owns:       the table of exported names; connections and links are the cluster layer's.
// Shared by:  any thread. Requests of peers come on the threads that serve the sockets, or that answer earlier ones, one
//             at a time for each connection: their arguments are read there, and they go into the service's mailbox, so
//             what a peer sends stays in order.

public import SkeinCluster
internal import SkeinPlatform
internal import SkeinScheduler
public import SkeinSerialization
public import SkeinSocketIO
internal import SkeinTimer

/// A node's place in a cluster, on Skynet's wire: its peers may be Skynet nodes.
///
/// Nothing is exported by itself: a peer reaches the services that ``register(_:_:)`` names, whatever form of address it
/// uses, and no others.
///
/// ```swift
/// try node.cluster.open(on: SocketEndpoint("127.0.0.1:7001"))
/// node.cluster.register("simpledb", db)
/// node.cluster.reload(["db2": .address("127.0.0.1:7002")])
/// let values = try await node.cluster.call("db2", "@simpledb", "GET", "hello")
/// let far = node.cluster.service(SimpleDB.self, node: "db2", name: "simpledb")
/// let value = try await far.call(SimpleDB.get, "hello")
/// ```
///
/// - Thread safety: any thread.
public final class NodeCluster: Sendable {
  private let callDeadline: Int64
  private let exports: ExportTable
  private let cluster: Cluster

  init(_ node: SkeinNode, _ sockets: NodeSockets) {
    callDeadline = node.callDeadline
    var options = node.options.cluster
    options.name = node.options.name
    let log = node.log
    options.log = { level, text in
      log(level == .debug ? .debug : level == .info ? .info : .warning, text, [:])
    }
    exports = ExportTable(log)
    cluster = Cluster(options, loops: sockets.loops, timers: node.pool.timers, handler: exports)
  }

  // MARK: - This node

  /// Listens for peers.
  ///
  /// Skynet's wire knows no password: whoever can connect can call what is exported. Keep it on loopback or a network
  /// that only nodes are in.
  /// - Returns: the address with its real port.
  /// - Throws: `SocketError`.
  @discardableResult
  public func open(on address: SocketEndpoint, backlog: Int = 1_024) throws(SocketError) -> SocketEndpoint {
    try cluster.listen(on: address, backlog: backlog)
  }

  /// Exports a service: peers call it as `@name`, or by its id, and find the id by name.
  ///
  /// Its commands are those of ``SkeinService/commands`` whose arguments and result have an encoding.
  /// - Returns: `false` when another service is exported under that name.
  @discardableResult
  public func register<Service: SkeinService>(_ name: String, _ service: ServiceRef<Service>) -> Bool {
    exports.add(name, Export(name, service))
  }

  /// Ends the export of a name; unknown ones are ignored.
  public func unregister(_ name: String) { exports.remove(name) }

  /// The exported names, sorted.
  public var exportedNames: [String] { exports.names }

  // MARK: - Peers

  /// Changes what is known of the peers that are named; others stay as they are. See `Cluster.reload`.
  @discardableResult
  public func reload(_ directory: [String: PeerAddress]) -> Bool { cluster.reload(directory) }

  /// The names of the known peers, sorted.
  public var peers: [String] { cluster.peers }

  /// Connects to a peer now, and keeps trying until there was a connection.
  public func dial(_ peer: String) { cluster.dial(peer) }

  /// The state of our connection to a peer; `nil` when it is not known.
  public func state(of peer: String) -> LinkState? { cluster.state(of: peer) }

  /// The changes of state from now on.
  public func stateChanges() -> PeerStateChanges { cluster.stateChanges() }

  /// The connections that peers have made to us.
  public var inbound: [InboundPeer] { cluster.inbound }

  /// Ends both directions with a peer; pending calls fail with the reason. The next request connects again.
  public func disconnect(peer: String, reason: String) { cluster.disconnect(peer: peer, reason: reason) }

  /// Ends the connection that a peer has made from `address`.
  @discardableResult
  public func disconnect(inbound address: SocketEndpoint, reason: String) -> Bool {
    cluster.disconnect(inbound: address, reason: reason)
  }

  // MARK: - Requests

  /// Calls a service of a peer.
  ///
  /// - Parameters:
  ///   - peer: the peer's name in the directory.
  ///   - address: `@name` of an exported service, another of Skynet's name forms, or the decimal text of an id.
  ///   - arguments: usually the command's name first.
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Returns: the values of the answer.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the request; `SeriError`
  ///   when arguments or answer are beyond a limit.
  public func call(
    _ peer: String, _ address: String, _ arguments: Value..., deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws -> [Value] {
    try await call(peer, address, arguments: arguments, deadline: deadline, waitsForConnection: waitsForConnection)
  }

  /// Calls a service of a peer, with the arguments as an array; see the other form.
  public func call(
    _ peer: String, _ address: String, arguments: [Value], deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws -> [Value] {
    let body = try Seri.encode(arguments)
    return try Seri.decode(
      await request(peer, NodeCluster.address(address), body, deadline, waitsForConnection))
  }

  /// Sends a one-way message to a service of a peer.
  ///
  /// - Returns: what became of it, at once. One that is taken and then lost before the kernel has it is counted and
  ///   logged; of one that a peer's kernel had and its program did not read, nobody knows.
  /// - Throws: `SeriError` when the arguments are beyond a limit, `ClusterWireError` for an address that is none.
  @discardableResult
  public func send(_ peer: String, _ address: String, _ arguments: Value...) throws -> ClusterSendReceipt {
    cluster.send(peer, try NodeCluster.address(address), try Seri.encode(arguments))
  }

  /// The id of the service that a peer exports under a name (without `@`).
  ///
  /// - Throws: `ClusterError` with ``SkeinCluster/ClusterError/Code/remoteError`` when there is none.
  public func query(_ peer: String, _ name: String, deadline: CallDeadline = .standard) async throws -> UInt32 {
    let answer = try await request(peer, .nameQuery, try Seri.encode([Value(name)]), deadline, false)
    return try Seri.decode(one: UInt32.self, from: answer)
  }

  /// A typed reference to an exported service of a peer.
  public func service<Service: SkeinService>(
    _ type: Service.Type, node peer: String, name: String
  ) -> RemoteServiceRef<Service> { RemoteServiceRef(self, peer: peer, name: name) }

  func request(
    _ peer: String, _ address: ClusterAddress, _ body: [UInt8], _ deadline: CallDeadline, _ waits: Bool
  ) async throws -> [UInt8] {
    guard let end = CallContext.derivedDeadline(deadline, standard: callDeadline) else {
      throw CallError(.deadlineExceeded, service: "\(address) of \(peer)", command: "call")
    }
    let deadline = end == .max ? nil : MonotonicInstant(nanoseconds: end)
    return try await cluster.call(
      peer, address, body, ClusterCallOptions(deadline: deadline, waitsForConnection: waits))
  }

  func send(_ peer: String, _ address: ClusterAddress, _ body: [UInt8]) -> ClusterSendReceipt {
    cluster.send(peer, address, body)
  }

  static func address(_ text: String) throws(ClusterWireError) -> ClusterAddress {
    if let number = UInt32(text) { return .number(number) }
    return .name(try ClusterName(text))
  }

  // MARK: - The end

  /// Lets nobody in any more, and waits until peers have the answers to what they asked, at most until `end`.
  func drain(until end: MonotonicInstant, clock: SkeinClock) async {
    cluster.drain()
    while !cluster.inbound.isEmpty && MonotonicInstant.now < end { try? await clock.sleep(for: .milliseconds(5)) }
  }

  func shutDown() { cluster.shutDown() }
}
