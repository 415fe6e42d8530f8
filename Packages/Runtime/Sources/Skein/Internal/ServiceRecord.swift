// ServiceRecord: what a node knows of one service, and the service's life.
//
// Life, moved on the strand's turn only:
//   running -> exiting(reason)   by the exit message, from whoever asks.
//   exiting -> gone              when no handler runs any more (and, in order, `stop` has returned).
// The record keeps the service alive until then; strand, record and service refer to each other in a circle
// that `gone` cuts.

internal import SkeinMailbox
internal import SkeinPlatform
public import SkeinScheduler
internal import Synchronization

/// A service's entry in its node.
@safe @usableFromInline
final class ServiceRecord: Sendable {
  @usableFromInline let id: UInt32
  /// The service's name, or its type and id.
  @usableFromInline let label: String
  let name: String?
  let typeName: String
  @usableFromInline let strand: Strand
  @usableFromInline let node: SkeinNode
  @usableFromInline let limits: ServiceLimits

  // MARK: The strand's turn only
  /// The service, counted by hand: messages use it without counting.
  @exclusivity(unchecked) @usableFromInline nonisolated(unsafe) private(set) var serviceReference: Unmanaged<AnyObject>?
  @exclusivity(unchecked) nonisolated(unsafe) private var handlers: [UInt64: RunningHandler] = [:]
  @exclusivity(unchecked) nonisolated(unsafe) private var handlersStarted: UInt64 = 0
  @exclusivity(unchecked) nonisolated(unsafe) private var life = Life.running
  @exclusivity(unchecked) nonisolated(unsafe) private var hasStopped = false
  /// Called once, when the service is gone.
  @exclusivity(unchecked) nonisolated(unsafe) var whenGone: (@Sendable (ServiceRecord) -> Void)?
  /// Whether the node counts the service as a zombie.
  @exclusivity(unchecked) nonisolated(unsafe) var becameZombie = false
  /// What runs when an orderly exit has drained the handlers.
  @exclusivity(unchecked) nonisolated(unsafe) private var stop: (@Sendable () async -> Void)?

  // MARK: Any thread
  private let refusesOutgoing = Atomic<Bool>(false)
  private let waitsForExit = Lock(ExitWaiters())

  private enum Life {
    case running
    case exiting(ExitReason)
    case gone
  }

  private struct RunningHandler {
    let task: Task<Void, Never>
    let call: (any RunningCall)?
  }

  private struct ExitWaiters {
    var reason: ExitReason?
    var waiting: [TaskGate] = []
  }

  init(id: UInt32, name: String?, typeName: String, strand: Strand, node: SkeinNode, limits: ServiceLimits) {
    self.id = id
    self.name = name
    self.label = strand.label
    self.typeName = typeName
    self.strand = strand
    self.node = node
    self.limits = limits
  }

  deinit { unsafe serviceReference?.release() }

  /// The record of the service in which the calling thread is.
  @usableFromInline static var current: ServiceRecord? {
    Worker.withCurrent { worker in withRunning(on: worker) { $0 } ?? nil } ?? nil
  }

  /// Runs `body` with the record of the service that runs on `worker`.
  static func withRunning<Result>(on worker: Worker, _ body: (ServiceRecord) -> Result) -> Result? {
    let result: Result?? = worker.withRunning { strand in
      let result: Result?? = strand.withOwner { owner in
        // The owner of a strand that is not a service's is another class.
        type(of: owner) == ServiceRecord.self ? body(unsafe unsafeDowncast(owner, to: ServiceRecord.self)) : nil
      }
      return result ?? nil
    }
    return result ?? nil
  }

  /// Whether the service that runs on `worker` may not call or send any more.
  static func isRefusingOutgoing(on worker: Worker) -> Bool {
    withRunning(on: worker) { $0.isRefusingOutgoing } ?? false
  }

  /// Whether the service in which the calling thread is may not call or send any more.
  @usableFromInline static var callerIsRefusingOutgoing: Bool {
    Worker.withCurrent { isRefusingOutgoing(on: $0) } ?? false
  }

  /// Ties the service to the record; before anybody can send to it.
  func adopt(_ service: AnyObject, stop: @escaping @Sendable () async -> Void) {
    unsafe serviceReference = Unmanaged.passRetained(service)
    unsafe self.stop = stop
    strand.owner = self
  }

  /// Whether the service may not call or send any more.
  @usableFromInline var isRefusingOutgoing: Bool {
    // Acquire: pairs with the release in `exit`: a handler that learns of the kill sees what came before it.
    refusesOutgoing.load(ordering: .acquiring)
  }

  // MARK: - Asynchronous handlers

  /// Starts a task on the strand for one asynchronous handler.
  ///
  /// - Precondition: on the strand's turn.
  @usableFromInline
  func startHandler(
    _ call: (any RunningCall)?, _ context: CallContext?, _ body: @escaping @Sendable () async -> Void
  ) {
    unsafe handlersStarted += 1
    let number = unsafe handlersStarted
    let task = Task(executorPreference: strand) { [self] in
      await CallContext.$ofTask.withValue(context) { await body() }
      handlerEnded(number)
    }
    unsafe handlers[number] = RunningHandler(task: task, call: call)
    if unsafe handlers.count >= limits.suspendedHandlers { strand.holdsMessages = true }
    call?.attach(task)
    // A service that is about to go starts no handler but its own stop.
    if case .exiting(.killed) = unsafe life { task.cancel() }
  }

  private func handlerEnded(_ number: UInt64) {
    unsafe handlers[number] = nil
    if unsafe handlers.count < limits.suspendedHandlers { strand.holdsMessages = false }
    goOnExiting()
  }

  /// A handler of a one-way message has thrown: nobody else would learn of it.
  @usableFromInline
  func reportFailure(_ command: String, _ error: any Error) {
    node.log(.error, "a one-way message failed", ["service": label, "command": command, "error": "\(error)"])
  }

  // MARK: - Exit

  /// Asks the service to end; see docs/adr/0004. Any thread.
  func exit(_ reason: ExitReason) {
    // Release: pairs with the acquire in `isRefusingOutgoing`.
    if reason == .killed { refusesOutgoing.store(true, ordering: .releasing) }
    strand.sendSystem(unsafe Envelope(ServiceRecord.exitMessage, reason))
  }

  private static let exitMessage = unsafe MessageHandler.make(
    perform: { payload, strand in
      let reason = unsafe payload.assumingMemoryBound(to: ExitReason.self).move()
      (strand.owner as? ServiceRecord)?.beginExit(reason)
    },
    refuse: { _ in })

  private func beginExit(_ reason: ExitReason) {
    switch unsafe life {
    case .gone: return
    case .exiting(.killed): return
    case .exiting where reason != .killed: return
    case .running, .exiting: break
    }
    unsafe life = .exiting(reason)
    node.removeName(of: self)
    strand.close()
    strand.refuseUnread()
    if reason == .killed {
      let running = unsafe handlers.values
      for handler in running {
        handler.call?.abandon(.serviceExited)
        handler.task.cancel()
      }
      if unsafe !handlers.isEmpty { node.zombieAppeared(self, handlers: unsafe handlers.count) }
    }
    goOnExiting()
  }

  private func goOnExiting() {
    guard case .exiting(let reason) = unsafe life, unsafe handlers.isEmpty else { return }
    if reason != .killed, unsafe !hasStopped, let stop = unsafe stop {
      unsafe hasStopped = true
      startHandler(nil, nil) { await stop() }
      return
    }
    unsafe life = .gone
    // Release: pairs with the acquire in `isRefusingOutgoing`.
    refusesOutgoing.store(true, ordering: .releasing)
    unsafe stop = nil
    unsafe serviceReference?.release()
    unsafe serviceReference = nil
    node.serviceEnded(self, reason)
    if let whenGone = unsafe whenGone { whenGone(self) }
    unsafe whenGone = nil
    let waiting = waitsForExit.withLock { waiters in
      waiters.reason = reason
      defer { waiters.waiting = [] }
      return waiters.waiting
    }
    for gate in waiting { gate.open() }
    strand.owner = nil
  }

  /// Drops a service that never became known.
  func discard() {
    // Release: pairs with the acquire in `isRefusingOutgoing`.
    refusesOutgoing.store(true, ordering: .releasing)
    exit(.killed)
  }

  /// Waits until the service is gone.
  func waitUntilGone() async -> ExitReason {
    let gate = TaskGate()
    openWhenGone(gate)
    _ = await gate.wait()
    return exitReason ?? .exited
  }

  /// Opens `gate` when the service is gone; at once if it is.
  func openWhenGone(_ gate: TaskGate) {
    let isGone = waitsForExit.withLock { waiters in
      if waiters.reason == nil { waiters.waiting.append(gate) }
      return waiters.reason != nil
    }
    if isGone { gate.open() }
  }

  /// Why the service is gone; `nil` while it is not.
  var exitReason: ExitReason? { waitsForExit.withLock { $0.reason } }
}
