// SimulatedScheduler: the scheduler on one thread, in an order that a seed decides, with a clock that jumps.
//
// Owns:       a pool without threads, a virtual clock, and the strands that are in line.
// Shared by:  the one thread that plays it; who sends from another thread makes the order a matter of luck.
//
// Strands, mailboxes, timers and the worker that a strand finds itself on are the ones of production. Replaced are the
// worker's loop (`WorkerPool.loop`), which is `takeStep` here, and the clock (docs/adr/0006).
//
// A step is one of these, after the timers that are due have fired:
//   - a strand: chance takes one out of all that are in line and gives it an activation, of a length by chance.
//   - a jump: nothing is in line, and the clock moves on to the next deadline.
//   - a stall, if that is asked for: the clock moves on although strands are in line.

public import SkeinPlatform
internal import SkeinTimer

/// Plays a ``WorkerPool`` on the calling thread: the same seed gives the same order, and hours pass in no time.
///
/// ```swift
/// let simulation = SimulatedScheduler(seed: 7)
/// let answer = try simulation.run {
///   let counter = Counter(try Strand(pool: simulation.pool, label: "counter"))
///   try await SkeinClock(simulation.pool.timers).sleep(for: .seconds(3_600))
///   return await counter.add()
/// }
/// ```
///
/// Everything is made and done under its rule: within ``run(_:)``, ``perform(_:)``, or a strand that it runs. An order
/// is repeated only if what runs does not depend on chance of its own: set `SWIFT_DETERMINISTIC_HASHING=1` for what
/// goes through a `Dictionary` or a `Set`, and use no other threads, no detached tasks and no `Task.sleep`. Code that
/// blocks its thread blocks the simulation.
///
/// - Thread safety: one thread at a time, which is not a worker.
@safe public final class SimulatedScheduler {
  /// Decides the order.
  public let seed: UInt64
  /// Where strands are made that it runs.
  public let pool: WorkerPool
  /// What a step costs on the virtual clock.
  public let timePerStep: Duration
  /// Longest time by which a stall moves the clock on while strands are in line.
  public let longestStall: Duration
  /// Most steps of one call of `run`.
  public let stepLimit: Int

  // MARK: The playing thread's
  private let clock = VirtualClock(start: SimulatedScheduler.start)
  @exclusivity(unchecked) private var chance: SeededChance
  @exclusivity(unchecked) private var inLine: [Strand] = []
  /// Of exclusive strands, with messages that met a full mailbox.
  @exclusivity(unchecked) private var outboxes: [Outbox] = []
  @exclusivity(unchecked) private var log = SimulationLog()

  /// What the clock reads at first, the same for every simulation: a day, so that the past has room.
  public static let start = MonotonicInstant(nanoseconds: 86_400_000_000_000)

  /// Prepares a simulation.
  ///
  /// - Parameters:
  ///   - seed: decides the order.
  ///   - timePerStep: what a step costs on the virtual clock; more than zero lets strands that are never idle see
  ///     their timers.
  ///   - longestStall: before one step in 50 the clock moves on by up to this time although strands are in line, as if
  ///     the machine had stood still; finds what relies on being in time.
  ///   - timerCapacity: greatest number of armed timers.
  ///   - stepLimit: most steps of one call of `run`.
  public init(
    seed: UInt64, timePerStep: Duration = .microseconds(1), longestStall: Duration = .zero,
    timerCapacity: Int = 1_000_000, stepLimit: Int = 10_000_000
  ) {
    precondition(timePerStep >= .zero && longestStall >= .zero, "the clock does not go back")
    self.seed = seed
    self.timePerStep = timePerStep
    self.longestStall = longestStall
    self.stepLimit = stepLimit
    unsafe chance = SeededChance(seed: seed)
    pool = WorkerPool(simulatedWithTimers: timerCapacity)
  }

  // Strands in a line hold the pool, which holds the line.
  deinit { while pool.takeFromAnyLine() != nil {} }

  // MARK: - What happened

  /// The virtual time.
  public var now: MonotonicInstant { clock.now }
  /// Steps so far.
  public var stepCount: Int { unsafe log.count }
  /// A hash over all steps in their order; two runs of one seed have the same.
  public var orderHash: UInt64 { unsafe log.hash }
  /// The last steps, oldest first, a line each.
  public var lastSteps: [String] { unsafe log.lines }

  /// Adds a line of the caller's to the steps, and to their hash.
  public func note(_ text: String) { unsafe log.add(.note, text, 0, clock.now) }

  // MARK: - Playing

  /// Runs `body` as the simulated worker, without a step: to make strands, and to send to them.
  public func perform<Result>(_ body: () throws -> Result) rethrows -> Result {
    precondition(Worker.current == nil, "a simulation is played by a thread that is not a worker's")
    return try clock.rule { try pool.workers[0].occupy(body) }
  }

  /// Takes one step.
  ///
  /// - Returns: `false` when there is nothing to do: no strand is in line and no timer is armed.
  @discardableResult
  public func step() -> Bool { perform { takeStep(until: nil) } }

  /// Takes steps until there is nothing to do or `isDone`, which is asked before each.
  ///
  /// - Returns: whether `isDone` was true.
  /// - Throws: ``SimulationError`` after ``stepLimit`` steps.
  @discardableResult
  public func run(until isDone: () -> Bool) throws(SimulationError) -> Bool {
    try run(until: nil, isDone) == .done
  }

  /// Takes steps until there is nothing to do.
  ///
  /// - Throws: ``SimulationError`` after ``stepLimit`` steps, as for a timer that comes back for ever.
  public func runUntilIdle() throws(SimulationError) { _ = try run(until: nil) { false } }

  /// Takes the steps of the next `duration`; then the clock stands at its end.
  ///
  /// - Throws: ``SimulationError`` after ``stepLimit`` steps.
  public func run(for duration: Duration) throws(SimulationError) {
    let end = now.advanced(by: duration)
    _ = try run(until: end) { now >= end }
    clock.move(to: end)
  }

  /// Runs `body` in a task on a strand of its own, and takes steps until it has ended.
  ///
  /// - Returns: what `body` returned; what it has left running stays in line.
  /// - Throws: what `body` threw; ``SimulationError`` when there is nothing to do although `body` has not ended, or after
  ///   ``stepLimit`` steps.
  public func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = SimulatedOutcome<Value>()
    let strand = try Strand(pool: pool, label: "main")
    perform {
      _ = Task(executorPreference: strand) {
        do { outcome.set(.success(try await body())) } catch { outcome.set(.failure(error)) }
      }
    }
    if try run(until: nil, { outcome.isSet }) == .idle { throw unsafe SimulationError(.stalled, self, log) }
    return try outcome.get()
  }

  private enum End { case done, idle }

  private func run(until end: MonotonicInstant?, _ isDone: () -> Bool) throws(SimulationError) -> End {
    let last = stepCount + stepLimit
    let result: End? = perform {
      while !isDone() {
        if stepCount >= last { return nil }
        if !takeStep(until: end) { return .idle }
      }
      return .done
    }
    guard let result else { throw unsafe SimulationError(.tooLong, self, log) }
    return result
  }

  private func takeStep(until end: MonotonicInstant?) -> Bool {
    let timers = pool.workers[0].timers
    let fired = timers.advance(to: clock.now)
    if fired > 0 { unsafe log.add(.timers, "", fired, clock.now) }
    flushOutboxes()
    while let strand = pool.takeFromAnyLine() { unsafe inLine.append(strand) }
    if unsafe inLine.isEmpty {
      guard let deadline = timers.nextDeadline, deadline <= end ?? .distantFuture else { return fired > 0 }
      clock.move(to: deadline)
      unsafe log.add(.jump, "", 0, clock.now)
      return true
    }
    if longestStall > .zero, unsafe chance.next(below: 50) == 0 {
      let stall = unsafe chance.next(below: Int(longestStall.nanosecondsClamped)) + 1
      clock.move(to: clock.now.advanced(by: .nanoseconds(stall)))
      unsafe log.add(.stall, "", stall, clock.now)
      return true
    }
    // The last one takes the chosen one's place: where a strand stands in line means nothing.
    let chosen = unsafe chance.next(below: inLine.count)
    unsafe inLine.swapAt(chosen, inLine.count - 1)
    let strand = unsafe inLine.removeLast()
    let messages = unsafe SimulatedScheduler.budgets[chance.next(below: SimulatedScheduler.budgets.count)]
    unsafe log.add(.strand, strand.label, messages, clock.now)
    let rests = pool.workers[0].run(strand, budget: RunBudget(messages: messages))
    if !rests { unsafe inLine.append(strand) }
    if let outbox = strand.outbox, outbox.count > 0, unsafe !outboxes.contains(where: { $0 === outbox }) {
      unsafe outboxes.append(outbox)
    }
    clock.move(to: clock.now.advanced(by: timePerStep))
    return true
  }

  /// Tries what met a full mailbox again, as an exclusive strand's thread does after each activation and in waits.
  private func flushOutboxes() {
    if unsafe outboxes.isEmpty { return }
    for outbox in unsafe outboxes { outbox.flush() }
    unsafe outboxes.removeAll { $0.count == 0 }
  }

  /// Lengths of an activation: mostly one message, so that others come in between wherever they may.
  private static let budgets = [1, 1, 1, 2, 64]
}

// @unchecked: one thread at a time, see above.
extension SimulatedScheduler: @unchecked Sendable {}
