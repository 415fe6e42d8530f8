// LinkDriver: carries out what a LinkMachine asks for, with a socket loop and a timer queue.
//
// Owns:       the link's connection and timer.
// Shared by:  callers, the loop's threads, the timers' threads; MachineRunner puts them in order.
// Contract:   D1–D6 of LinkMachine. D4: the kernel is asked under the runner's lock, so no request can join the queue
//             between the look and its verdict. D3: a connection that the socket's `close` ends lingers unseen, so ours
//             is shut down for writing instead, and is over, descriptor and all, when the peer has ended its direction
//             too, or the machine aborts it.

internal import Glibc
internal import SkeinPlatform
internal import SkeinSocketIO
internal import SkeinTimer

/// One call's answer, for the task that waits for it.
final class PendingAnswer: Sendable {
  let gate = TaskGate()
  // MARK: Under lock
  private let result = Lock<Result<[UInt8], ClusterError>?>(nil)

  func settle(_ outcome: Result<[UInt8], ClusterError>) {
    result.withLock { $0 = outcome }
    gate.open()
  }

  /// The result; after the gate was opened.
  func get() throws(ClusterError) -> [UInt8] {
    guard let outcome = result.withLock({ $0 }) else { preconditionFailure("a gate was opened without a result") }
    return try outcome.get()
  }
}

@safe final class LinkDriver: Sendable {
  let peer: String
  private let loop: SocketLoop
  private let runner: MachineRunner<LinkMachine>
  private let log: @Sendable (ClusterLogLevel, String) -> Void
  private let changed: @Sendable (LinkDriver, LinkState, LinkState, String) -> Void

  // MARK: Under lock
  private let waiting = Lock<(next: UInt64, answers: [UInt64: PendingAnswer])>((next: 1, answers: [:]))

  // MARK: Whoever carries out actions
  @exclusivity(unchecked) nonisolated(unsafe) private var connection: (attempt: UInt64, socket: Connection)?
  @exclusivity(unchecked) nonisolated(unsafe) private var timer: MachineTimer

  init(
    machine: LinkMachine, loop: SocketLoop, timers: TimerQueue,
    log: @escaping @Sendable (ClusterLogLevel, String) -> Void,
    changed: @escaping @Sendable (LinkDriver, LinkState, LinkState, String) -> Void
  ) {
    peer = machine.peer
    self.loop = loop
    unsafe timer = MachineTimer(timers)
    self.log = log
    self.changed = changed
    runner = MachineRunner(machine)
  }

  // MARK: Requests

  /// Begins a call and returns its id, with the place where its answer will be.
  func begin(
    to address: ClusterAddress, body: [UInt8], deadline: MonotonicInstant?, waitsForConnection: Bool, trace: [UInt8]?
  ) -> (id: UInt64, answer: PendingAnswer) {
    let answer = PendingAnswer()
    let id = waiting.withLock { waiting in
      let id = waiting.next
      waiting.next += 1
      waiting.answers[id] = answer
      return id
    }
    apply { machine, now in
      machine.call(
        id, to: address, body: body, deadline: deadline, waitsForConnection: waitsForConnection, trace: trace, now: now)
    }
    return (id, answer)
  }

  func cancel(_ id: UInt64) { apply { machine, now in machine.cancel(id, now: now) } }

  func send(to address: ClusterAddress, body: [UInt8], trace: [UInt8]?) -> ClusterSendReceipt {
    apply { machine, now in machine.send(to: address, body: body, trace: trace, now: now) }
  }

  // MARK: The link

  var state: LinkState { runner.with { $0.state } }
  /// Calls that are not finished.
  var pendingCalls: Int { waiting.withLock { $0.answers.count } }

  func dial() { apply { machine, now in machine.dial(now: now) } }
  func setDirectory(_ directory: LinkMachine.Directory) {
    apply { machine, now in
      switch directory {
      case .address(let address): machine.setAddress(address, now: now)
      case .down: machine.setDown(now: now)
      case .unknown: break
      }
    }
  }
  func disconnect(reason: String) { apply { machine, now in machine.disconnect(reason: reason, now: now) } }
  func peerSaidHello() { apply { machine, now in machine.peerSaidHello(now: now) } }
  func shutDown() { apply { machine, now in machine.shutDown(now: now) } }

  // MARK: Events and actions

  @discardableResult
  fileprivate func apply<Result: Sendable>(
    _ event: (inout LinkMachine, MonotonicInstant) -> Result
  ) -> Result {
    // The time is taken under the lock: it never goes back from event to event.
    runner.apply { machine in
      event(&machine, .now)
    } perform: { action in
      perform(action)
    }
  }

  private func perform(_ action: LinkAction) {
    switch action {
    case .connect(let address, let attempt): connect(address, attempt)
    case .checkConnection(let attempt):
      let socket = unsafe connection.flatMap { $0.attempt == attempt ? $0.socket : nil }
      apply { machine, now in machine.checked(attempt, peerHasEnded: socket?.peerHasEnded ?? true, now: now) }
    case .write(let attempt): write(attempt)
    case .close(let attempt): socket(attempt)?.shutdownWrite()
    case .abort(let attempt): socket(attempt)?.abort()
    case .complete(let id, let result): waiting.withLock { $0.answers.removeValue(forKey: id) }?.settle(result)
    case .checkProgress(let attempt):
      guard let socket = socket(attempt) else { return }
      apply { machine, now in machine.closing(attempt, sentBytes: socket.bytesSent, now: now) }
    case .arm(let time): arm(time)
    case .disarm: unsafe timer.disarm()
    case .stateChanged(let from, let to, let reason): changed(self, from, to, reason)
    case .log(let level, let text): log(level, text)
    }
  }

  private func socket(_ attempt: UInt64) -> Connection? {
    guard let (current, socket) = unsafe connection, current == attempt else { return nil }
    return socket
  }

  private func connect(_ address: String, _ attempt: UInt64) {
    do throws(SocketError) {
      let endpoint = try SocketEndpoint(address)
      unsafe connection = (attempt, try loop.connect(to: endpoint, handler: LinkEnd(self, attempt)))
    } catch {
      let failure =
        switch error {
        case .system(let failure): failure
        case .tooManyConnections: SystemCallError(call: "connect", errorNumber: EMFILE)
        case .invalidAddress: SystemCallError(call: "the address", errorNumber: EINVAL)
        default: SystemCallError(call: "connect", errorNumber: ECANCELED)
        }
      apply { machine, now in machine.connectFailed(attempt, failure, now: now) }
    }
  }

  private func write(_ attempt: UInt64) {
    let bytes = runner.with { $0.takeOutput() }
    guard !bytes.isEmpty, let socket = socket(attempt) else { return }
    switch socket.send(bytes) {
    case .accepted: apply { machine, _ in machine.sentBytes(attempt, socket.bytesSent) }
    case .full:
      // The loop's limit is below the link's window: what is lost must not look as if it were sent.
      let failure = SystemCallError(call: "send", errorNumber: ENOBUFS)
      apply { machine, now in machine.failed(attempt, failure, now: now) }
      socket.abort()
    case .closed, .notStarted: break  // its end is on the way
    }
  }

  private func arm(_ time: MonotonicInstant) {
    do throws(TimerError) {
      try unsafe timer.arm(at: time) { [weak self] in
        self?.apply { machine, now in machine.timerFired(now: now) }
      }
    } catch {
      apply { machine, now in machine.timerFailed("\(error)", now: now) }
    }
  }
}

/// Hears of one attempt's connection.
private final class LinkEnd: ConnectionHandler {
  private let driver: LinkDriver
  private let attempt: UInt64

  init(_ driver: LinkDriver, _ attempt: UInt64) {
    self.driver = driver
    self.attempt = attempt
  }

  func connected(_ connection: Connection) {
    driver.apply { machine, now in machine.connected(attempt, now: now) }
  }

  func received(_ connection: Connection, _ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { raw in
      driver.apply { machine, now in unsafe machine.received(attempt, raw.bytes, now: now) }
    }
  }

  func inputEnded(_ connection: Connection) {
    driver.apply { machine, now in
      machine.sentBytes(attempt, connection.bytesSent)
      machine.inputEnded(attempt, now: now)
    }
  }

  func writabilityChanged(_ connection: Connection, isWritable: Bool) {
    driver.apply { machine, _ in machine.sentBytes(attempt, connection.bytesSent) }
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    driver.apply { machine, now in
      machine.sentBytes(attempt, connection.bytesSent)
      switch reason {
      case .connectFailed(let failure): machine.connectFailed(attempt, failure, now: now)
      case .failed(let failure):
        machine.failed(attempt, failure, now: now)
        machine.connectionClosed(attempt, now: now)
      case .closed, .aborted, .ended, .loopShutDown: machine.connectionClosed(attempt, now: now)
      }
    }
  }
}
