// Worker: a thread that runs strands, with a place to wait in and a timer queue of its own.
//
// Owns:       its ready slot and run queue, which thieves may empty; its waiter and timers, which others may
//             look after while it is stuck (docs/adr/0001).
// Shared by:  its thread; thieves; watchers, which read `turn`.

internal import SkeinMailbox
public import SkeinPlatform
public import SkeinTimer
internal import Synchronization

/// A thread of a ``WorkerPool``.
///
/// - Thread safety: what is not marked otherwise belongs to the worker's own thread.
@safe public final class Worker {
  /// Its number in the pool; -1 for the thread of an exclusive strand.
  public let index: Int
  /// Where it waits.
  public let waiter: any WorkerWaiter
  /// Its timers; armed from any thread, fired by the worker or, while that is stuck, by another.
  public let timers: TimerQueue

  // MARK: Any thread
  let ready = HandoffSlot<Strand>()
  let queue = RunQueue()
  /// Odd while a strand runs; a number that stays the same between two looks shows one that does not end.
  let turn = Atomic<UInt64>(0)
  let counters = WorkerCounters()
  /// Strands that are bound to this worker.
  let bound = InjectionQueue()
  /// What others may see of the running activation.
  let activation = ActivationView()
  /// The thread's number in the kernel, when its stack can be taken; 0 otherwise.
  let threadNumber = Atomic<Int32>(0)

  // MARK: Worker's thread only
  @exclusivity(unchecked) @usableFromInline var running: Unmanaged<Strand>?
  /// How many handlers are nested on the thread's stack by in-place calls.
  @exclusivity(unchecked) public var depth = 0
  /// What this worker saw of others while it watched.
  @exclusivity(unchecked) var watchedTurns = WatchedTurns()
  /// Whether its searches before a sleep have been worth their time.
  @exclusivity(unchecked) var searchHabit = SearchHabit()
  @exclusivity(unchecked) var searchedTurns = SearchedTurns()
  /// Drivers that wait for work.
  @exclusivity(unchecked) var parkedDrivers: [TaskDriver] = []
  /// The job that is kept from its line, and the strand whose that is; the job once it was.
  @exclusivity(unchecked) private var captured: (job: UInt, strand: UnsafeRawPointer?, found: UnownedJob?) =
    (0, nil, nil)
  @exclusivity(unchecked) private var untilLook = Worker.activationsPerLook
  /// Whether the last turn went to a bound strand.
  @exclusivity(unchecked) var boundTurn = false
  /// Short activations until one is accounted for.
  @exclusivity(unchecked) var untilSample = StrandFigures.sampleInterval
  /// Times that the ready slot may still come before the queue.
  @exclusivity(unchecked) private var readyTurns = Worker.readyTurnsInARow
  @exclusivity(unchecked) private var lastLook: Int64 = 0
  /// When its last activation or wait ended, in nanoseconds of the monotonic clock.
  @exclusivity(unchecked) var clock: Int64 = 0
  /// The pool whose worker it is, for comparing; `nil` for the thread of an exclusive strand.
  @exclusivity(unchecked) private var home: UnsafeRawPointer?

  /// Times in a row that the ready slot comes before the queue: so two strands that wake each other do not keep the
  /// queue waiting for ever, and a chain of calls still finds its data warm.
  static let readyTurnsInARow = 8
  /// Activations after which a busy worker looks round.
  static let activationsPerLook = 61
  /// Time after which a busy worker looks round.
  static let nanosecondsPerLook: Int64 = 200_000

  init(index: Int, waiter: any WorkerWaiter, timers: TimerQueue) {
    self.index = index
    self.waiter = waiter
    self.timers = timers
  }

  // Tasks that nobody resumes would never be freed.
  deinit { for driver in unsafe parkedDrivers { driver.end() } }

  /// The worker that the calling thread is, or `nil`.
  public static var current: Worker? {
    guard let pointer = unsafe ThreadSlot.worker.value else { return nil }
    return unsafe Unmanaged<Worker>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Runs `body` with the worker that the calling thread is; without counting references, for the paths that are hot.
  ///
  /// - Returns: `nil` on a thread that is not a worker.
  @inlinable
  public static func withCurrent<Result>(_ body: (Worker) -> Result) -> Result? {
    guard let pointer = unsafe ThreadSlot.worker.value else { return nil }
    // The thread that is the worker keeps it.
    return unsafe Unmanaged<Worker>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
  }

  /// Makes it a worker of `pool`; before its thread runs.
  func join(_ pool: WorkerPool) {
    unsafe home = UnsafeRawPointer(Unmanaged.passUnretained(pool).toOpaque())
  }

  /// Whether it is one of the workers of `pool`.
  func isWorker(of pool: WorkerPool) -> Bool {
    unsafe home == UnsafeRawPointer(Unmanaged.passUnretained(pool).toOpaque())
  }

  /// Makes the calling thread this worker until `body` ends.
  func occupy<Value>(_ body: () throws -> Value) rethrows -> Value {
    unsafe ThreadSlot.worker.value = unsafe Unmanaged.passUnretained(self).toOpaque()
    readClock()
    defer { unsafe ThreadSlot.worker.value = nil }
    return try body()
  }

  // MARK: - Running

  /// Gives `strand` one activation.
  ///
  /// - Returns: whether it is at rest.
  func run(_ strand: Strand, budget: RunBudget) -> Bool {
    // Relaxed: only this thread writes it.
    let turn = self.turn.load(ordering: .relaxed)
    let begin = unsafe clock
    beginsActivation(of: strand, at: begin)
    // Release: a watcher that sees the same odd number twice knows that one activation lasted.
    self.turn.store(turn &+ 1, ordering: .releasing)
    let before = unsafe running
    unsafe running = unsafe Unmanaged.passUnretained(strand)
    let rests = strand.run(on: self, from: begin, budget: budget)
    unsafe running = before
    // Release: as above.
    self.turn.store(turn &+ 2, ordering: .releasing)
    // The caller holds the strand until we return.
    activation.waitForInspector()
    readClock()
    account(strand, nanoseconds: unsafe clock &- begin)
    return rests
  }

  /// Makes `strand`, which the caller has entered, what the worker runs, for a handler in place.
  ///
  /// - Returns: what it ran before; give it to ``leaveInPlace(_:)``.
  @inlinable
  public func enterInPlace(_ strand: Strand) -> Unmanaged<Strand>? {
    let before = unsafe running
    unsafe running = unsafe Unmanaged.passUnretained(strand)
    unsafe depth += 1
    return unsafe before
  }

  /// Ends what ``enterInPlace(_:)`` began.
  @inlinable
  public func leaveInPlace(_ before: Unmanaged<Strand>?) {
    unsafe depth -= 1
    unsafe running = before
  }

  func pointsAt(_ strand: Strand) -> Bool {
    guard let running = unsafe running else { return false }
    return unsafe running.toOpaque() == Unmanaged.passUnretained(strand).toOpaque()
  }

  /// Runs `body` with the strand that runs on this worker, without counting references; on the worker's thread only.
  ///
  /// - Returns: `nil` between two strands.
  @inlinable
  public func withRunning<Result>(_ body: (Strand) -> Result) -> Result? {
    guard let running = unsafe running else { return nil }
    return unsafe running._withUnsafeGuaranteedRef(body)
  }

  /// The strand that runs on the calling thread; `nil` between two.
  public static var runningStrand: Strand? { unsafe current?.running?.takeUnretainedValue() }

  // MARK: - Capturing a job

  func beginCapture(of job: UnownedJob, for strand: Strand) {
    unsafe captured = (job.bits, UnsafeRawPointer(Unmanaged.passUnretained(strand).toOpaque()), nil)
  }

  func captures(_ job: UnownedJob, of strand: Strand) -> Bool {
    guard unsafe captured.job == job.bits,
      unsafe captured.strand == UnsafeRawPointer(Unmanaged.passUnretained(strand).toOpaque())
    else { return false }
    unsafe captured = (0, nil, job)
    return true
  }

  func endCapture() -> UnownedJob? {
    defer { unsafe captured = (0, nil, nil) }
    return unsafe captured.found
  }

  // MARK: - Looking round

  /// Handles events and timers that are due, without waiting.
  ///
  /// - Returns: whether there was something.
  /// - Thread safety: any thread; a watcher calls it for a stuck worker.
  @discardableResult
  func lookRound() -> Bool {
    // Relaxed: a count for people.
    counters.looks.add(1, ordering: .relaxed)
    let polled = waiter.look()
    return timers.advance(to: .now) > 0 || polled
  }

  /// Counts the wait that has just ended, which handled events and timers, as a look.
  func hasLooked() {
    readClock()
    unsafe untilLook = Worker.activationsPerLook
    unsafe lastLook = clock
  }

  private func readClock() { unsafe clock = MonotonicInstant.approximateNow.nanoseconds }

  /// Whether the ready slot comes before the queue this time.
  func prefersReady() -> Bool {
    unsafe readyTurns -= 1
    if unsafe readyTurns >= 0 { return true }
    unsafe readyTurns = Worker.readyTurnsInARow
    return false
  }

  /// Whether a busy worker has to look round now.
  func isLookDue() -> Bool {
    unsafe untilLook -= 1
    guard unsafe untilLook <= 0 || clock &- lastLook >= Worker.nanosecondsPerLook else { return false }
    unsafe untilLook = Worker.activationsPerLook
    unsafe lastLook = clock
    return true
  }
}

// @unchecked: the mutable properties belong to the worker's thread.
extension Worker: @unchecked Sendable {}
