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
  /// The drivers of the asynchronous handlers that run, newest first.
  @exclusivity(unchecked) nonisolated(unsafe) private var newestHandler: TaskDriver?
  @exclusivity(unchecked) nonisolated(unsafe) private var handlerCount = 0
  @exclusivity(unchecked) nonisolated(unsafe) private var life = Life.running
  @exclusivity(unchecked) nonisolated(unsafe) private var hasStopped = false
  /// Called once, when the service is gone.
  @exclusivity(unchecked) nonisolated(unsafe) var whenGone: (@Sendable (ServiceRecord) -> Void)?
  /// Whether the node counts the service as a zombie.
  @exclusivity(unchecked) nonisolated(unsafe) var becameZombie = false
  /// What runs when an orderly exit has drained the handlers.
  @exclusivity(unchecked) nonisolated(unsafe) private var stop: (@Sendable (TaskDriver) async -> Void)?

  // MARK: Any thread
  private let refusesOutgoing = Atomic<Bool>(false)
  private let waitsForExit = Lock(ExitWaiters())

  private enum Life {
    case running
    case exiting(ExitReason)
    case gone
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
  func adopt(_ service: AnyObject, stop: @escaping @Sendable (TaskDriver) async -> Void) {
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

  /// Begins an asynchronous handler: it runs at once, up to its first suspension.
  ///
  /// - Parameter body: calls what belongs to the service, and nothing after it; that calls ``handlerEnded(_:)`` as the
  ///   last thing.
  /// - Precondition: on the strand's turn.
  @usableFromInline
  func startHandler(_ call: PendingCall?, _ body: (TaskDriver) -> TaskDriver.Work) {
    let driver = TaskDriver.make()
    driver.bind(call)
    add(driver)
    call?.attach(driver)
    // A service that is about to go starts no handler but its own stop.
    if case .exiting(.killed) = unsafe life {
      driver.retire()
      driver.cancel()
    }
    driver.begin(on: strand, body(driver))
  }

  /// An asynchronous handler has ended, on the strand's turn.
  @usableFromInline
  func handlerEnded(_ driver: TaskDriver) {
    // Somebody else took it out to cancel it, and may do so only later.
    if let call = driver.call, call.takeHandler() == nil { driver.retire() }
    remove(driver)
    driver.bind(nil)
    goOnExiting()
  }

  /// The last handler of an orderly exit.
  func stop<Service: SkeinService>(_ service: isolated Service, _ driver: TaskDriver) async {
    await service.stop()
    handlerEnded(driver)
  }

  private func add(_ driver: TaskDriver) {
    unsafe driver.next = unsafe newestHandler
    unsafe newestHandler?.previous = driver
    unsafe newestHandler = driver
    unsafe handlerCount += 1
    if unsafe handlerCount >= limits.suspendedHandlers { strand.holdsMessages = true }
  }

  private func remove(_ driver: TaskDriver) {
    let (previous, next) = unsafe (driver.previous, driver.next)
    unsafe driver.previous = nil
    unsafe driver.next = nil
    unsafe next?.previous = previous
    if let previous { unsafe previous.next = next } else { unsafe newestHandler = next }
    unsafe handlerCount -= 1
    if unsafe handlerCount < limits.suspendedHandlers { strand.holdsMessages = false }
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
      var running = unsafe newestHandler
      while let driver = running {
        running = unsafe driver.next
        driver.call?.abandon(.serviceExited)
        driver.retire()
        driver.cancel()
      }
      if unsafe handlerCount > 0 { node.zombieAppeared(self, handlers: unsafe handlerCount) }
    }
    goOnExiting()
  }

  private func goOnExiting() {
    guard case .exiting(let reason) = unsafe life, unsafe handlerCount == 0 else { return }
    if reason != .killed, unsafe !hasStopped, let stop = unsafe stop {
      unsafe hasStopped = true
      startHandler(nil) { driver in { _ in await stop(driver) } }
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

extension TaskDriver {
  /// The call that its handler answers; `nil` for a one-way message.
  fileprivate var call: PendingCall? { unsafe subject.map { unsafe unsafeDowncast($0, to: PendingCall.self) } }

  /// Binds a call, or none, to the handler that follows.
  fileprivate func bind(_ call: PendingCall?) {
    unsafe subject = call
    if unsafe context == nil {
      unsafe context = UnsafeMutableRawPointer(UnsafeMutablePointer<CallFrame>.allocate(capacity: 1))
    }
    var frame = unsafe CallFrame(of: call)
    unsafe frame.driver = Unmanaged.passUnretained(self)
    unsafe context?.initializeMemory(as: CallFrame.self, to: frame)
  }
}
