// Cluster: a node among its peers: links out, connections in, and the directory of names.
//
// Owns:       a LinkDriver for each peer of the directory, the listeners, the inbound connections.
// Shared by:  any thread; the tables are under one lock, which no request holds while it waits.

internal import SkeinPlatform
internal import SkeinSerialization
public import SkeinSocketIO
public import SkeinTimer

/// A node's part in a cluster that speaks Skynet's protocol.
///
/// Bodies are bytes here: the arguments in Skynet's encoding, which SkeinSerialization reads and writes.
///
/// ```swift
/// let cluster = Cluster(options, loops: [loop], timers: timers, handler: handler)
/// try cluster.listen(on: SocketEndpoint("127.0.0.1:7001"))
/// cluster.reload(["db2": .address("127.0.0.1:7002")])
/// let answer = try await cluster.call("db2", try .name(ClusterName("@simpledb")), body, .after(.seconds(1)))
/// ```
///
/// - Thread safety: any thread.
public final class Cluster: Sendable {
  /// How the node takes part.
  public let options: ClusterOptions
  private let loops: [SocketLoop]
  private let timers: TimerQueue
  private let handler: any ClusterRequestHandler

  /// Somebody who follows the changes, until he lets go.
  private struct Observer {
    weak var changes: PeerStateChanges?
  }

  /// A peer that no directory has named yet, and how many calls wait until one does.
  private struct Awaited {
    let link: LinkDriver
    var calls: Int
  }

  private struct Tables {
    var links: [String: LinkDriver] = [:]
    var awaited: [String: Awaited] = [:]
    var inbound: [ObjectIdentifier: InboundConnection] = [:]
    var listeners: [Listener] = []
    var observers: [Observer] = []
    /// Nobody is let in any more.
    var isDraining = false
    var isShutDown = false
  }

  // MARK: Under lock
  private let tables = Lock(Tables())

  /// Makes a node without peers.
  ///
  /// - Parameters:
  ///   - loops: where its connections live; somebody waits in them. Their limit of queued bytes is 2 MiB at least; the
  ///     windows of links and acceptors are raised to their high watermark.
  ///   - timers: somebody advances them.
  public init(
    _ options: ClusterOptions, loops: [SocketLoop], timers: TimerQueue, handler: any ClusterRequestHandler
  ) {
    precondition(!loops.isEmpty, "a cluster needs a loop")
    var options = options
    // A drain is told only from the high watermark on: what waits for one must not wait below it.
    let watermark = loops.map(\.limits.highWatermark).max() ?? 0
    options.link.window = max(options.link.window, watermark)
    options.acceptor.window = max(options.acceptor.window, watermark)
    options.acceptor.maxUnreadAnswerBytes = max(options.acceptor.maxUnreadAnswerBytes, watermark)
    self.options = options
    self.loops = loops
    self.timers = timers
    self.handler = handler
  }

  /// Leaves the cluster, if nobody has said so before.
  deinit { shutDown() }

  // MARK: - Listening

  /// Accepts peers on an address.
  ///
  /// - Returns: the address with its real port.
  /// - Throws: `SocketError`.
  public func listen(on address: SocketEndpoint, backlog: Int = 1_024) throws(SocketError) -> SocketEndpoint {
    var listening = ListenOptions()
    listening.backlog = backlog
    let listener = try loops[0].listen(on: address, options: listening, handler: PeerListener(self))
    let isLate = tables.withLock { tables in
      if !tables.isDraining { tables.listeners.append(listener) }
      return tables.isDraining
    }
    if isLate {
      listener.close()
      throw .shutDown
    }
    return listener.localAddress
  }

  fileprivate func accepted(_ socket: Connection) {
    let inbound = InboundConnection(socket, self, options.acceptor, timers)
    let refusal: String? = tables.withLock { tables in
      if tables.isDraining { return "this node is shutting down" }
      if tables.inbound.count >= options.maxInbound { return "there are \(options.maxInbound) already" }
      tables.inbound[ObjectIdentifier(inbound)] = inbound
      return nil
    }
    if let refusal {
      note(.warning, "connection from \(socket.peerAddress) is refused: \(refusal)")
      return socket.abort()
    }
    note(.info, "connection from \(socket.peerAddress)")
    socket.start(handler: inbound)
  }

  func left(_ inbound: InboundConnection) {
    _ = tables.withLock { $0.inbound.removeValue(forKey: ObjectIdentifier(inbound)) }
  }

  func note(_ level: ClusterLogLevel, _ text: String) { options.log(level, text) }

  // MARK: - The directory

  /// Changes what is known of the peers that are named; others stay as they are.
  ///
  /// A peer with another address is disconnected: its pending calls fail, what was not written goes to the new one.
  ///
  /// - Returns: `false`, and nothing has changed, when there would be more than ``ClusterOptions/maxPeers``, or the node
  ///   has left the cluster.
  @discardableResult
  public func reload(_ directory: [String: PeerAddress]) -> Bool {
    let drivers: [(LinkDriver, PeerAddress)]? = tables.withLock { tables in
      let added = directory.keys.filter { tables.links[$0] == nil && tables.awaited[$0] == nil }.count
      guard !tables.isShutDown, tables.links.count + tables.awaited.count + added <= options.maxPeers else {
        return nil
      }
      return directory.map { name, address in (link(name, in: &tables), address) }
    }
    guard let drivers else { return false }
    for (driver, address) in drivers {
      switch address {
      case .address(let text): driver.setDirectory(.address(text))
      case .down: driver.setDirectory(.down)
      }
    }
    return true
  }

  /// The names in the directory, sorted.
  public var peers: [String] { tables.withLock { $0.links.keys.sorted() } }

  /// The link of that name, which is taken from those that are awaited, or made.
  private func link(_ name: String, in tables: inout Tables) -> LinkDriver {
    if let link = tables.links[name] { return link }
    let link = tables.awaited.removeValue(forKey: name)?.link ?? makeLink(name, tables.links.count)
    tables.links[name] = link
    return link
  }

  private func makeLink(_ name: String, _ number: Int) -> LinkDriver {
    LinkDriver(
      machine: LinkMachine(
        peer: name, directory: .unknown, configuration: options.link,
        introduction: options.saysHello ? Hello(node: options.name).query : nil,
        seed: UInt64.random(in: .min ... .max)),
      loop: loops[number % loops.count], timers: timers, log: options.log
    ) { [weak self] driver, from, to, reason in self?.changed(driver, from, to, reason) }
  }

  private func find(_ name: String) -> LinkDriver? { tables.withLock { $0.links[name] } }

  // MARK: - Requests

  /// Calls a service of a peer and waits for its answer.
  ///
  /// - Returns: the answer's values, encoded.
  /// - Throws: ``ClusterError``, which says what happened and whether the peer may have executed the request.
  public func call(
    _ peer: String, _ address: ClusterAddress, _ body: [UInt8], _ options: ClusterCallOptions = .after(),
    isolation: isolated (any Actor)? = #isolation
  ) async throws(ClusterError) -> [UInt8] {
    let (link, isAwaited) = try linkForCall(peer, waits: options.waitsForConnection)
    defer { if isAwaited { stopAwaiting(peer) } }
    let (id, answer) = link.begin(
      to: address, body: body, deadline: options.deadline, waitsForConnection: options.waitsForConnection,
      trace: options.trace)
    await withTaskCancellationHandler {
      // Names the isolation so that the closure belongs to the caller's actor.
      _ = isolation
      _ = await answer.gate.wait()
    } onCancel: {
      link.cancel(id)
    }
    return try answer.get()
  }

  private func linkForCall(
    _ peer: String, waits: Bool
  ) throws(ClusterError) -> (link: LinkDriver, isAwaited: Bool) {
    try tables.withLock { tables throws(ClusterError) in
      if let link = tables.links[peer] { return (link, false) }
      if tables.isShutDown { throw ClusterError(.shuttingDown, peer: peer, address: nil) }
      // A call may wait for a reload that names its peer.
      guard waits, tables.links.count + tables.awaited.count < options.maxPeers else {
        throw ClusterError(.unknownPeer, peer: peer, address: nil)
      }
      var awaited = tables.awaited[peer] ?? Awaited(link: makeLink(peer, tables.links.count), calls: 0)
      awaited.calls += 1
      tables.awaited[peer] = awaited
      return (awaited.link, true)
    }
  }

  /// A call that has waited for a peer to be named has ended.
  private func stopAwaiting(_ peer: String) {
    tables.withLock { tables in
      // A directory may have named it meanwhile.
      guard var awaited = tables.awaited.removeValue(forKey: peer) else { return }
      awaited.calls -= 1
      if awaited.calls > 0 { tables.awaited[peer] = awaited }
    }
  }

  /// Sends a request that nobody answers.
  ///
  /// - Returns: what became of it, at once. What is taken and then lost before the kernel has it is counted and logged;
  ///   what a peer's kernel had and its program did not read, nobody knows of.
  public func send(
    _ peer: String, _ address: ClusterAddress, _ body: [UInt8], trace: [UInt8]? = nil
  ) -> ClusterSendReceipt {
    guard let link = find(peer) else { return .refused(ClusterError(.unknownPeer, peer: peer, address: nil)) }
    return link.send(to: address, body: body, trace: trace)
  }

  // MARK: - The state of things

  /// The state of our connection to a peer; `nil` when the directory does not have it.
  public func state(of peer: String) -> LinkState? { find(peer)?.state }

  /// Calls to a peer that are not finished.
  public func pendingCalls(to peer: String) -> Int { find(peer)?.pendingCalls ?? 0 }

  /// The changes of state from now on.
  public func stateChanges() -> PeerStateChanges {
    let observer = PeerStateChanges()
    let isLate = tables.withLock { tables in
      // Those that nobody holds any more are let go.
      tables.observers.removeAll { $0.changes == nil }
      if !tables.isDraining { tables.observers.append(Observer(changes: observer)) }
      return tables.isDraining
    }
    if isLate { observer.end() }
    return observer
  }

  /// The connections that peers have made to us.
  public var inbound: [InboundPeer] {
    tables.withLock { Array($0.inbound.values) }.map { inbound in
      InboundPeer(address: inbound.peerAddress, name: inbound.peerName, requestsInWork: inbound.requestsInWork)
    }
  }

  private func changed(_ driver: LinkDriver, _ from: LinkState, _ to: LinkState, _ reason: String) {
    let level: ClusterLogLevel = if case .backingOff = to { .warning } else { .info }
    note(level, "peer \(driver.peer) is \(to): \(reason)")
    for observer in tables.withLock({ $0.observers }) {
      observer.changes?.add(PeerStateChange(peer: driver.peer, from: from, to: to, reason: reason))
    }
  }

  // MARK: - Connecting and disconnecting

  /// Connects to a peer now, and keeps trying until there was a connection.
  public func dial(_ peer: String) { find(peer)?.dial() }

  /// Ends both directions with a peer: our connection, whose pending calls fail, and those that it has made and has
  /// said hello on. The next request connects again.
  public func disconnect(peer: String, reason: String) {
    let (link, inbound) = tables.withLock { tables in
      (tables.links[peer], tables.inbound.values.filter { $0.peerName == peer })
    }
    link?.disconnect(reason: reason)
    for connection in inbound { connection.disconnect(reason: reason) }
  }

  /// Ends the connection that a peer has made from `address`.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func disconnect(inbound address: SocketEndpoint, reason: String) -> Bool {
    let found = tables.withLock { $0.inbound.values.filter { $0.peerAddress == address } }
    for connection in found { connection.disconnect(reason: reason) }
    return !found.isEmpty
  }

  /// Begins to leave the cluster: accepts nothing more and reads no more requests. What is in work is answered, then each
  /// connection is closed; ``inbound`` is empty when all are. Our own calls go on. Sequences of changes end.
  public func drain() {
    let (inbound, listeners, observers) = tables.withLock { tables in
      tables.isDraining = true
      defer {
        tables.listeners = []
        tables.observers = []
      }
      return (Array(tables.inbound.values), tables.listeners, tables.observers)
    }
    for listener in listeners { listener.close() }
    for connection in inbound { connection.drain() }
    for observer in observers { observer.changes?.end() }
  }

  /// Leaves the cluster: accepts nothing more, fails pending calls, and closes every connection when what was written
  /// has been sent.
  public func shutDown() {
    drain()
    let (links, inbound) = tables.withLock { tables in
      tables.isShutDown = true
      return (tables.links.values + tables.awaited.values.map(\.link), Array(tables.inbound.values))
    }
    for link in links { link.shutDown() }
    for connection in inbound { connection.disconnect(reason: "this node is shutting down") }
  }

  // MARK: - What peers ask

  func handle(_ request: ClusterInboundRequest, from connection: InboundConnection) {
    guard request.kind == .nameQuery else { return handler.handle(request) }
    guard let name = Hello.name(inQuery: request.body) else { return request.fail("name not found") }
    if let hello = Hello(name) {
      switch connection.nameIs(hello.node) {
      case .new:
        note(.info, "connection from \(connection.peerAddress) is from peer \(hello.node)")
        find(hello.node)?.peerSaidHello()
      case .same: break
      case .other: return request.fail("this connection has another name already")
      }
      return request.answer(Hello(node: options.name).answer)
    }
    guard let id = handler.id(exportedAs: name) else { return request.fail("name not found") }
    request.answer(Hello.answer(id: id))
  }
}

private final class PeerListener: ListenerHandler {
  private let cluster: Cluster
  init(_ cluster: Cluster) { self.cluster = cluster }
  func accepted(_ connection: Connection) { cluster.accepted(connection) }
  func acceptPaused(_ error: SocketError, retryAfter: Duration) {
    cluster.note(.warning, "accepting peers is paused for \(retryAfter): \(error)")
  }
  func acceptResumed() { cluster.note(.info, "accepting peers goes on") }
}
