// InboundConnection: carries out what an AcceptorMachine asks for.
//
// Owns:       one accepted connection and its timer.
// Shared by:  the loop's threads, those who answer, the timers' threads; MachineRunner puts them in order.
// Contract:   A1–A5 of AcceptorMachine. A request that is let go unanswered answers itself (ClusterInboundRequest).

internal import SkeinPlatform
public import SkeinSocketIO
internal import SkeinTimer

/// A request of a peer.
///
/// Answer calls and name queries once; what comes later is ignored. One that is let go unanswered fails, so that no
/// peer waits for nothing.
///
/// - Thread safety: any thread.
public final class ClusterInboundRequest: Sendable {
  /// Whether an answer is owed.
  public let kind: ClusterRequestKind
  /// Whom it is for.
  public let address: ClusterAddress
  /// The trace tag, if the peer sent one for this request.
  public let trace: [UInt8]?
  /// The arguments, encoded.
  public let body: [UInt8]
  private let id: UInt64
  private let connection: InboundConnection

  init(_ request: ClusterRequest, _ connection: InboundConnection) {
    kind = request.kind
    address = request.address
    trace = request.trace
    body = request.body
    id = request.id
    self.connection = connection
  }

  deinit { connection.fail(id, "call failed: nobody answered") }

  /// The peer's address.
  public var peerAddress: SocketEndpoint { connection.peerAddress }
  /// The peer's name, once a hello has told it.
  public var peerName: String? { connection.peerName }

  /// Answers with encoded values.
  public func answer(_ body: [UInt8]) { connection.answer(id, body) }
  /// Answers with an error; the text is cut to 32,768 bytes.
  public func fail(_ text: String) { connection.fail(id, text) }
}

@safe final class InboundConnection: ConnectionHandler {
  let socket: Connection
  private let cluster: Cluster
  private let runner: MachineRunner<AcceptorMachine>

  // MARK: Under lock
  private let name = Lock<String?>(nil)
  // MARK: Whoever carries out actions
  @exclusivity(unchecked) nonisolated(unsafe) private var timer: MachineTimer

  init(_ socket: Connection, _ cluster: Cluster, _ configuration: AcceptorConfiguration, _ timers: TimerQueue) {
    self.socket = socket
    self.cluster = cluster
    unsafe timer = MachineTimer(timers)
    runner = MachineRunner(AcceptorMachine(configuration: configuration))
  }

  var peerAddress: SocketEndpoint { socket.peerAddress }
  /// The peer's name, once a hello has told it.
  var peerName: String? { name.withLock { $0 } }

  enum Naming { case new, same, other }

  /// A hello tells the peer's name: the first one counts.
  func nameIs(_ peer: String) -> Naming {
    name.withLock { name in
      if let name { return name == peer ? .same : .other }
      name = peer
      return .new
    }
  }

  var requestsInWork: Int { runner.with { $0.requestsInWork } }

  func answer(_ id: UInt64, _ body: [UInt8]) { apply { machine, now in machine.answer(id, body: body, now: now) } }
  func fail(_ id: UInt64, _ text: String) { apply { machine, now in machine.fail(id, text: text, now: now) } }
  /// Reads nothing more, answers what is in work, and closes.
  func drain() { apply { machine, now in machine.inputEnded(now: now) } }
  func disconnect(reason: String) { apply { machine, _ in machine.disconnect(reason: reason) } }

  // MARK: Events and actions

  @discardableResult
  private func apply<Result: Sendable>(
    _ event: (inout AcceptorMachine, MonotonicInstant) -> Result
  ) -> Result {
    runner.apply { machine in
      event(&machine, .now)
    } perform: { action in
      perform(action)
    }
  }

  private func perform(_ action: AcceptorAction) {
    switch action {
    case .deliver(let request):
      cluster.handle(ClusterInboundRequest(request, self), from: self)
      apply { machine, now in machine.handedOver(now: now) }
    case .write: write()
    case .pauseReading: socket.pause()
    case .resumeReading: socket.resume()
    case .close(let reason):
      cluster.note(.info, "connection from \(peerAddress) is closed: \(reason)")
      socket.close()
    case .abort(let reason):
      cluster.note(.warning, "connection from \(peerAddress) is aborted: \(reason)")
      socket.abort()
    case .arm(let time): arm(time)
    case .disarm: unsafe timer.disarm()
    case .log(let level, let text): cluster.note(level, "connection from \(peerAddress): \(text)")
    }
  }

  private func write() {
    let bytes = runner.with { $0.takeOutput() }
    if bytes.isEmpty { return }
    switch socket.send(bytes) {
    case .accepted: apply { machine, now in machine.sentBytes(socket.bytesSent, now: now) }
    case .full: socket.abort()  // the loop's limit is below the window: an answer must not vanish in silence
    case .closed, .notStarted: break  // its end is on the way
    }
  }

  private func arm(_ time: MonotonicInstant) {
    do throws(TimerError) {
      try unsafe timer.arm(at: time) { [weak self] in
        self?.apply { machine, now in machine.timerFired(now: now) }
      }
    } catch {
      cluster.note(.warning, "connection from \(peerAddress) is aborted: no timer: \(error)")
      socket.abort()
    }
  }

  // MARK: What the socket tells

  func received(_ connection: Connection, _ bytes: RawSpan) {
    let isPaused = unsafe bytes.withUnsafeBytes { raw in
      apply { machine, now in
        unsafe machine.received(raw.bytes, now: now)
        return machine.isPaused
      }
    }
    // A2: whoever carries out actions may be held up, and this thread would read on. Under the lock, so that it comes
    // before a `.resumeReading` that is given from now on.
    if isPaused { runner.with { if $0.isPaused { socket.pause() } } }
  }

  func inputEnded(_ connection: Connection) { apply { machine, now in machine.inputEnded(now: now) } }

  func writabilityChanged(_ connection: Connection, isWritable: Bool) {
    apply { machine, now in machine.sentBytes(connection.bytesSent, now: now) }
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    apply { machine, _ in machine.ended() }
    cluster.left(self)
  }
}
