// SkeinNode: workers, services and their names, in one process.
//
// Owns:       the worker pool with its pollers, and the table of services.
// Shared by:  everybody; the table is under one lock, which no message touches.

internal import SkeinPlatform
public import SkeinScheduler
internal import SkeinTimer
internal import Synchronization

/// A node: it runs services.
///
/// ```swift
/// let node = try SkeinNode()
/// let db = try await node.spawn(named: "simpledb") { SimpleDB($0) }
/// _ = try await db.call(SimpleDB.set, "hello", "world")
/// await node.shutDown()
/// ```
///
/// A node lives until ``shutDown(grace:)``: its threads hold it.
///
/// - Thread safety: any thread.
public final class SkeinNode: Sendable {
  /// How the node was set up.
  public let options: NodeOptions
  /// `options.callDeadline` in nanoseconds.
  let callDeadline: Int64
  /// The node's workers.
  public let pool: WorkerPool
  /// The node's log.
  public let log: SkeinLog
  let sockets: NodeSockets?

  // MARK: Under lock
  private let table = Lock(NameTable())
  private let ended = Lock(EndWaiters())
  private let ownCluster = Lock<NodeCluster?>(nil)
  // MARK: Any thread
  private let zombies = Atomic<Int>(0)

  private struct EndWaiters {
    var isShuttingDown = false
    var hasEnded = false
    var waiting: [TaskGate] = []
    var blocked: [FutexWaiter] = []
  }

  /// Starts a node without services.
  ///
  /// - Throws: ``NodeError`` when threads or pollers cannot be made.
  public init(_ options: NodeOptions = NodeOptions()) throws(NodeError) {
    ProcessSignals.ignoreBrokenPipes()
    self.options = options
    callDeadline = options.callDeadline.nanosecondsClamped
    let log = options.log
    self.log = log
    if let simulation = options.simulation {
      sockets = nil
      pool = simulation.pool
      return
    }
    sockets = try options.sockets.map { settings throws(NodeError) in
      try NodeSockets(settings, workers: options.workers, log: log)
    }
    let sockets = self.sockets
    do throws(SystemCallError) {
      pool = try WorkerPool(
        workers: options.workers, budget: options.budget, timerCapacity: options.timersPerWorker,
        waiter: { index in sockets?.waiter(index) ?? FutexWaiter() },
        stuckReport: { stuck in
          log(.warning, "a handler blocks its worker", ["worker": "\(stuck.worker)", "for": "\(stuck.duration)"])
        })
    } catch {
      throw NodeError(description: "no threads: \(error)")
    }
  }

  /// Handlers that did not end when their service was killed, in services.
  public var zombieCount: Int {
    // Relaxed: a count for people.
    zombies.load(ordering: .relaxed)
  }

  /// Services that live now.
  public var serviceCount: Int { table.withLock { $0.byID.count } }

  // MARK: - Services

  /// Makes a service and starts it.
  ///
  /// - Parameters:
  ///   - name: by which others find it; `nil` for none.
  ///   - limits: what it may use; the node's standard when `nil`.
  ///   - make: makes the actor from its context.
  /// - Returns: a reference; the service is known under its name from then on.
  /// - Throws: ``SpawnError``, or what `make` or the service's `start()` threw: there is no service then.
  public func spawn<Service: SkeinService>(
    named name: String? = nil, limits: ServiceLimits? = nil, _ make: (SkeinContext) throws -> Service
  ) async throws -> ServiceRef<Service> {
    let service = try create(named: name, limits: limits, make)
    do {
      try await service.start()
    } catch {
      table.withLock { $0.release(name) }
      service.context.record.discard()
      throw error
    }
    publish(service.context.record)
    return service.reference
  }

  /// Makes a service without starting it; the caller publishes it. `whenGone` is called once, when it has ended.
  func create<Service: SkeinService>(
    named name: String?, limits: ServiceLimits?, whenGone: (@Sendable (ServiceRecord) -> Void)? = nil,
    _ make: (SkeinContext) throws -> Service
  ) throws -> Service {
    let limits = limits ?? options.limits
    let id = try table.withLock { table throws(SpawnError) in
      try table.reserve(name, limit: options.services)
    }
    do {
      let typeName = "\(Service.self)"
      let strand: Strand
      do throws(SystemCallError) {
        strand = try Strand(
          pool: pool, label: name ?? "\(typeName)#\(id)", mailboxCapacity: limits.mailbox,
          exclusive: limits.isExclusive)
      } catch {
        throw SpawnError.noThread(errorNumber: error.errorNumber)
      }
      let record = ServiceRecord(id: id, name: name, typeName: typeName, strand: strand, node: self, limits: limits)
      unsafe record.whenGone = whenGone
      let service = try make(SkeinContext(record))
      record.adopt(service) { [unowned service, unowned record] driver in await record.stop(service, driver) }
      table.withLock { $0.insert(record) }
      return service
    } catch {
      table.withLock { $0.release(name) }
      throw error
    }
  }

  func publish(_ record: ServiceRecord) {
    let waiting = table.withLock { $0.publish(record) }
    for waiter in waiting { waiter.end(record) }
  }

  /// The service of that name, if there is one now.
  ///
  /// - Throws: ``SpawnError/wrongType(name:is:)`` when it is a service of another type.
  public func query<Service: SkeinService>(
    _ type: Service.Type, named name: String
  ) throws(SpawnError) -> ServiceRef<Service>? {
    guard let record = table.withLock({ $0.find(name) }) else { return nil }
    return try reference(record, name)
  }

  /// The service of that name, as soon as there is one.
  ///
  /// - Parameter deadline: when to give up.
  /// - Throws: ``SpawnError/noSuchName(_:)`` at the deadline or when the task is cancelled,
  ///   ``SpawnError/wrongType(name:is:)`` when it is a service of another type.
  public func waitForService<Service: SkeinService>(
    _ type: Service.Type, named name: String, deadline: Duration = .seconds(5)
  ) async throws -> ServiceRef<Service> {
    let number = table.withLock { $0.waiterNumber() }
    let timer = try pool.currentTimers.arm(at: .now.advanced(by: deadline)) { [self] in giveUpWaiting(name, number) }
    defer { pool.currentTimers.cancel(timer) }
    let record = await wait(name, number, isolation: #isolation)
    guard let record else { throw SpawnError.noSuchName(name) }
    return try reference(record, name)
  }

  private func wait(_ name: String, _ number: UInt64, isolation: isolated (any Actor)?) async -> ServiceRecord? {
    let waiter = NameWaiter()
    let (isWaiting, found) = table.withLock { $0.wait(name, number, waiter) }
    guard isWaiting else { return found }
    return await withTaskCancellationHandler {
      // Names the isolation so that the closure belongs to the caller's actor.
      _ = isolation
      _ = await waiter.gate.wait()
      return waiter.record
    } onCancel: {
      giveUpWaiting(name, number)
    }
  }

  private func giveUpWaiting(_ name: String, _ number: UInt64) {
    table.withLock { $0.giveUp(name, number) }?.end(nil)
  }

  private func reference<Service: SkeinService>(
    _ record: ServiceRecord, _ name: String
  ) throws(SpawnError) -> ServiceRef<Service> {
    guard record.typeName == "\(Service.self)" else { throw .wrongType(name: name, is: record.typeName) }
    return ServiceRef(record)
  }

  /// The node's place in a cluster; made when it is first asked for.
  ///
  /// - Precondition: the node was set up with sockets.
  public var cluster: NodeCluster {
    ownCluster.withLock { own in
      if let own { return own }
      guard let sockets else { preconditionFailure("the node was set up without sockets") }
      let made = NodeCluster(self, sockets)
      own = made
      return made
    }
  }

  // MARK: - What records report

  func removeName(of record: ServiceRecord) { table.withLock { $0.removeName(of: record) } }

  func zombieAppeared(_ record: ServiceRecord, handlers: Int) {
    // Relaxed: a count for people.
    zombies.add(1, ordering: .relaxed)
    unsafe record.becameZombie = true
    log(
      .warning, "a killed service has handlers that have not ended",
      [
        "service": record.label, "handlers": "\(handlers)",
      ])
  }

  func serviceEnded(_ record: ServiceRecord, _ reason: ExitReason) {
    if unsafe record.becameZombie {
      // Relaxed: a count for people.
      zombies.subtract(1, ordering: .relaxed)
      log(.notice, "the last handler of a killed service has ended", ["service": record.label])
    }
    table.withLock { $0.remove(record) }
  }

  // MARK: - The node's end

  /// Blocks the calling thread until the node has shut down.
  public func run() {
    let waiter = FutexWaiter()
    let hasEnded = ended.withLock { ended in
      ended.blocked.append(waiter)
      return ended.hasEnded
    }
    if hasEnded { return }
    repeat { waiter.wait(until: nil) } while !ended.withLock { $0.hasEnded }
  }

  /// Waits until the node has shut down.
  public func waitUntilEnded() async {
    let gate = TaskGate()
    let hasEnded = ended.withLock { ended in
      if !ended.hasEnded { ended.waiting.append(gate) }
      return ended.hasEnded
    }
    if !hasEnded { _ = await gate.wait() }
  }

  /// Ends the node in order: no new services and connections; connections answer what they have received and
  /// close, peers get the answers they are owed; then every service exits, all at once; then the threads end.
  ///
  /// - Parameter grace: time for all of it; what is left then is killed, and
  ///   bytes that no peer has taken are dropped. A handler that does not end even then is left behind and logged.
  /// - Note: called again, it waits for the first call's end. Call it from outside the node's services.
  public func shutDown(grace: Duration = .seconds(5)) async {
    let isFirst = ended.withLock { ended in
      defer { ended.isShuttingDown = true }
      return !ended.isShuttingDown
    }
    guard isFirst else { return await waitUntilEnded() }
    let waiting = table.withLock { table in
      table.isClosed = true
      return table.giveUpAll()
    }
    for waiter in waiting { waiter.end(nil) }
    let end = MonotonicInstant.now.advanced(by: grace)
    sockets?.stopListening()
    await wait(for: sockets?.drain() ?? [], until: end)
    let cluster = ownCluster.withLock { $0 }
    await cluster?.drain(until: end, clock: SkeinClock(pool.timers))
    let services = table.withLock { Array($0.byID.values) }
    for record in services { record.exit(.shutDown) }
    await wait(for: services, until: end)
    cluster?.shutDown()
    await sockets?.flush(until: end, clock: SkeinClock(pool.timers))
    sockets?.shutDown()
    let left = services.filter { $0.exitReason == nil }.map(\.label)
    if !left.isEmpty {
      log(.error, "services have not ended and are left behind", ["services": left.joined(separator: ", ")])
    }
    // A handler that never ends would be waited for for ever.
    pool.shutDown(waits: left.isEmpty)
    let (ending, blocked) = ended.withLock { ended in
      ended.hasEnded = true
      defer {
        ended.waiting = []
        ended.blocked = []
      }
      return (ended.waiting, ended.blocked)
    }
    for gate in ending { gate.open() }
    for waiter in blocked { waiter.wake() }
  }

  /// Waits until `records` are gone; kills those that are not at `end`, and gives up on those that ignore even that.
  private func wait(for records: [ServiceRecord], until end: MonotonicInstant) async {
    let waits = records.map { record in
      let gate = TaskGate()
      record.openWhenGone(gate)
      return gate
    }
    let kill = try? pool.timers.arm(at: end) { for record in records { record.exit(.killed) } }
    let giveUp = try? pool.timers.arm(at: end.advanced(by: SkeinNode.patience)) { for gate in waits { gate.open() } }
    for gate in waits { _ = await gate.wait() }
    for timer in [kill, giveUp] { if let timer { pool.timers.cancel(timer) } }
  }

  /// How long a killed service may take to end before the shutdown goes on without it.
  private static let patience = Duration.milliseconds(500)
}

/// Why a node could not be started.
public struct NodeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A sentence.
  public let description: String
}
