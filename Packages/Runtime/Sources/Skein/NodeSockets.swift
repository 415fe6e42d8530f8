// NodeSockets: the socket loops of a node, one for each worker, and the services of their connections.
//
// Shared by:  the workers, which wait in the loops, and whoever listens. The table is under one lock, which is taken
//             when a connection begins or ends.

internal import SkeinMailbox
internal import SkeinPlatform
internal import SkeinScheduler
public import SkeinSocketIO
internal import SkeinTimer

/// How a node's sockets are set up.
public struct SocketOptions: Sendable {
  /// The kernel's interface; `nil` takes what `SKEIN_IO` says, else io_uring where it runs, else epoll.
  public var backend: SocketBackend?
  /// Limits of one loop.
  public var limits = SocketLimits()
  /// Bytes that one connection may have received and its service not read; then reading pauses.
  public var unreadLimit = 256 << 10

  /// The standard options.
  public init() {}
}

/// A worker's place to wait in: its loop.
private final class LoopWaiter: WorkerWaiter {
  private let loop: SocketLoop
  init(_ loop: SocketLoop) { self.loop = loop }
  func wait(until deadline: MonotonicInstant?) { loop.wait(until: deadline) }
  func wake() { loop.wake() }
  func wake(at deadline: MonotonicInstant) { loop.wake(at: deadline) }
  func look() -> Bool { loop.look() }
}

final class NodeSockets: Sendable {
  private struct Table {
    var listeners: [Listener] = []
    var connections: [UInt32: (record: ServiceRecord, socket: ServiceSocket)] = [:]
    var isDraining = false
  }

  let loops: [SocketLoop]
  let options: SocketOptions
  let log: SkeinLog
  // MARK: Under lock
  private let table = Lock(Table())

  init(_ options: SocketOptions, workers: Int, log: SkeinLog) throws(NodeError) {
    self.options = options
    self.log = log
    do throws(SocketError) {
      let backend: SocketBackend = if let chosen = options.backend { chosen } else { try SocketBackend.fromEnvironment }
      var loops: [SocketLoop] = []
      for _ in 0..<workers { loops.append(try SocketLoop(backend: backend, limits: options.limits)) }
      self.loops = loops
    } catch {
      throw NodeError(description: "no sockets: \(error)")
    }
  }

  func waiter(_ index: Int) -> any WorkerWaiter { LoopWaiter(loops[index]) }

  /// Listens with every loop on one address.
  func listen(
    on address: SocketEndpoint, backlog: Int, handler: (Int) -> any ListenerHandler
  ) throws(SocketError) -> SocketEndpoint {
    var address = address
    var listeners: [Listener] = []
    for (index, loop) in loops.enumerated() {
      var options = ListenOptions()
      options.backlog = backlog
      options.reusePort = loops.count > 1
      do throws(SocketError) {
        let listener = try loop.listen(on: address, options: options, handler: handler(index))
        listeners.append(listener)
        // Port 0 is chosen once.
        address = listener.localAddress
      } catch {
        for listener in listeners { listener.close() }
        throw error
      }
    }
    table.withLock { $0.listeners += listeners }
    return address
  }

  func add(_ record: ServiceRecord, _ socket: ServiceSocket) {
    let isDraining = table.withLock { table in
      table.connections[record.id] = (record, socket)
      return table.isDraining
    }
    if isDraining { socket.drain() }
  }

  func remove(_ record: ServiceRecord) { table.withLock { $0.connections[record.id] = nil } }

  var connectionCount: Int { table.withLock { $0.connections.count } }

  /// Accepts nothing more.
  func stopListening() {
    let listeners = table.withLock { table in
      defer { table.listeners = [] }
      return table.listeners
    }
    for listener in listeners { listener.close() }
  }

  /// Asks every connection's service to come to an end; returns them.
  func drain() -> [ServiceRecord] {
    let connections = table.withLock { table in
      table.isDraining = true
      return Array(table.connections.values)
    }
    for connection in connections { connection.socket.drain() }
    return connections.map(\.record)
  }

  /// Waits until closed connections have written what they held, at most until `end`.
  func flush(until end: MonotonicInstant, clock: SkeinClock) async {
    while loops.contains(where: { $0.statistics.connections > 0 }) && MonotonicInstant.now < end {
      // A lingering connection ends by its peer's FIN, of which nobody is told.
      try? await clock.sleep(for: .milliseconds(5))
    }
  }

  /// Closes what is left and gives the descriptors back.
  func shutDown() { for loop in loops { loop.shutDown() } }
}

/// Makes a service for each connection.
final class ServiceListener<Service: SocketService>: ListenerHandler {
  private let node: SkeinNode
  private let make: @Sendable (SkeinContext, ServiceSocket) throws -> Service
  private let changed: Command<Service, Void, Void>

  init(_ node: SkeinNode, _ make: @escaping @Sendable (SkeinContext, ServiceSocket) throws -> Service) {
    self.node = node
    self.make = make
    changed = Command("socketChanged") { (service: isolated Service) in
      service.socket.acknowledge()
      service.socketChanged()
      if service.socket.closeReason != nil { service.context.exit() }
    }
  }

  func accepted(_ connection: Connection) {
    guard let sockets = node.sockets else { return connection.abort() }
    let socket = ServiceSocket(connection, unreadLimit: sockets.options.unreadLimit)
    do {
      let whenGone: @Sendable (ServiceRecord) -> Void = { record in
        sockets.remove(record)
        socket.close()
      }
      let service = try node.create(named: nil, limits: nil, whenGone: whenGone) { try make($0, socket) }
      let record = service.context.record
      sockets.add(record, socket)
      // A service that has ended already has left the table before it came in.
      if record.exitReason != nil { whenGone(record) }
      let body = unsafe changed.body.oneWay
      socket.attach {
        // The mailbox may be full of other messages, but a change must be told.
        switch record.strand.send(unsafe Envelope(body, ())) {
        case .delivered: break
        case .closed(let envelope): envelope.refuse()
        case .busy(let envelope): record.strand.sendSystem(envelope)
        }
      }
    } catch {
      node.log(.warning, "a connection was refused", ["peer": "\(connection.peerAddress)", "error": "\(error)"])
      connection.abort()
    }
  }

  func acceptPaused(_ error: SocketError, retryAfter: Duration) {
    node.log(.warning, "accepting is paused; clients wait", ["error": "\(error)", "retryAfter": "\(retryAfter)"])
  }

  func acceptResumed() { node.log(.notice, "accepting goes on") }
}

extension SkeinNode {
  /// Accepts connections, each with a service of its own.
  ///
  /// Every worker listens; a connection stays with the worker that accepted it.
  ///
  /// - Parameters:
  ///   - address: port 0 lets the system choose.
  ///   - backlog: clients that may wait to be accepted, for each worker.
  ///   - make: makes the service of one connection; runs on the accepting worker and must be quick. When it throws,
  ///     the connection is aborted and the reason logged.
  /// - Returns: the address with its real port.
  /// - Throws: `SocketError` when the address cannot be had.
  public func listen<Service: SocketService>(
    on address: SocketEndpoint, backlog: Int = 1_024,
    _ make: @escaping @Sendable (SkeinContext, ServiceSocket) throws -> Service
  ) throws(SocketError) -> SocketEndpoint {
    guard let sockets else { preconditionFailure("the node was set up without sockets") }
    return try sockets.listen(on: address, backlog: backlog) { _ in ServiceListener(self, make) }
  }

  /// The kernel's interface in use, such as `epoll`; `nil` without sockets.
  public var socketBackend: SocketBackend? { sockets?.loops.first?.backend }

  /// How the kernel's interface was chosen, in a phrase; `nil` without sockets.
  public var socketBackendExplanation: String? { sockets?.loops.first?.backendExplanation }

  /// Connections whose services live now.
  public var connectionCount: Int { sockets?.connectionCount ?? 0 }
}
