// WorkerPool: N workers, what they share, and who of them sleeps, wakes and watches.
//
// Owns:       the workers, the injection queue, and the words below.
// Shared by:  everybody.
//
//  sleepers   who waits or is about to, and who was woken and has found nothing yet; see SleeperSet for why an
//             assignment to a sleeping worker cannot strand.
//  watcher    the one sleeping worker that wakes each `watchInterval` while another is busy, takes over what a stuck
//             worker cannot do (poller, timers, queue, ready slot), and reports it. A busy worker never wakes it: it
//             only sets the time of its next look (Waiter.wake(at:)). See WatchWord.

internal import SkeinMailbox
public import SkeinPlatform
public import SkeinTimer
internal import Synchronization

/// Threads that run strands.
///
/// ```swift
/// let pool = try WorkerPool(workers: 2)
/// let strand = try Strand(pool: pool, label: "one")
/// …
/// pool.shutDown()
/// ```
///
/// - Thread safety: any thread.
public final class WorkerPool: Sendable {
  /// The pool's workers.
  public let workers: [Worker]
  /// The limits of an activation.
  public let budget: RunBudget
  /// How often a sleeping worker looks at busy ones.
  public let watchInterval: Duration
  /// Whether a ``SimulatedScheduler`` plays the only worker; the pool has no threads then.
  public let isSimulated: Bool
  /// Told about stuck workers; see ``StuckWorker``.
  let stuckReport: (@Sendable (StuckWorker) -> Void)?

  // MARK: Any thread
  let injection = InjectionQueue()
  let sleepers = SleeperSet()
  private let watcher = WatchWord()
  private let stopping = Atomic<Bool>(false)
  private let threads: Lock<[ThreadBox]>
  /// Looks after stuck workers when no worker sleeps; `nil` when nobody wants to hear of them.
  private let monitor: StuckMonitor?

  /// Makes the pool and starts its threads.
  ///
  /// - Parameters:
  ///   - workers: threads, 1 to 64.
  ///   - budget: limits of an activation.
  ///   - timerCapacity: greatest number of armed timers of a worker.
  ///   - watchInterval: how often a sleeping worker looks whether a busy one is stuck. Not a round number: what comes
  ///     in round intervals would meet the watcher each time, and wait 15 µs longer for its worker.
  ///   - waiter: makes the place in which a worker waits; a futex by default.
  ///   - stuckReport: called when an activation lasts for longer than a second, and each time that doubles, on
  ///     a thread of its own.
  /// - Throws: ``SystemCallError`` when a thread cannot be started.
  public init(
    workers count: Int, budget: RunBudget = RunBudget(), timerCapacity: Int = 1_000_000,
    watchInterval: Duration = .microseconds(450),
    waiter: (Int) -> any WorkerWaiter = { _ in FutexWaiter() },
    stuckReport: (@Sendable (StuckWorker) -> Void)? = nil
  ) throws(SystemCallError) {
    precondition((1...64).contains(count), "a pool has 1 to 64 workers")
    isSimulated = false
    self.budget = budget
    self.watchInterval = watchInterval
    self.stuckReport = stuckReport
    workers = (0..<count).map { index in
      let waiter = waiter(index)
      return Worker(index: index, waiter: waiter, timers: TimerQueue(capacity: timerCapacity, waiter: waiter))
    }
    threads = Lock([])
    monitor = stuckReport == nil ? nil : StuckMonitor()
    for worker in workers { worker.join(self) }
    try monitor?.start(for: self)
    for worker in workers {
      let run: @Sendable () -> Void = { [self] in
        worker.prepareStack()
        worker.occupy { loop(worker) }
      }
      let thread: PlatformThread
      do throws(SystemCallError) {
        thread = try PlatformThread.start(name: "skein-\(worker.index)", outlivesLoops: true, run)
      } catch {
        shutDown()
        throw error
      }
      let box = ThreadBox(thread)
      threads.withLock { $0.append(box) }
    }
  }

  /// Makes a pool without threads, whose one worker a ``SimulatedScheduler`` plays.
  init(simulatedWithTimers timerCapacity: Int) {
    isSimulated = true
    budget = RunBudget()
    watchInterval = .zero
    stuckReport = nil
    let waiter = FutexWaiter()
    workers = [Worker(index: 0, waiter: waiter, timers: TimerQueue(capacity: timerCapacity, waiter: waiter))]
    threads = Lock([])
    monitor = nil
    workers[0].join(self)
  }

  /// Timers for threads that are not workers.
  public var timers: TimerQueue { workers[0].timers }

  /// The timers of the calling worker, or those of the first one.
  public var currentTimers: TimerQueue { Worker.current?.timers ?? timers }

  /// How often a watcher looked after a stuck worker's poller and timers.
  public var takeoverCount: Int {
    // Relaxed: a count for people.
    workers.reduce(0) { $0 + $1.counters.takeovers.load(ordering: .relaxed) }
  }

  /// Ends the threads after the activations that run now. Strands in line are released and do not run any more.
  ///
  /// - Parameter waits: whether to wait for the threads; `false` where an activation may never end.
  /// - Thread safety: any thread that is not a worker; once.
  public func shutDown(waits: Bool = true) {
    // Sequentially consistent: pairs with the look in `sleep`, like an enqueue.
    stopping.store(true, ordering: .sequentiallyConsistent)
    for worker in workers { worker.waiter.wake() }
    monitor?.stop()
    let boxes = threads.withLock { boxes in
      defer { boxes = [] }
      return boxes
    }
    if waits { for box in boxes { box.join() } }
  }

  // MARK: - Enqueueing

  /// Puts an awake strand in line.
  @usableFromInline
  func enqueue(_ strand: Strand) {
    let isDone = Worker.withCurrent { worker in
      guard worker.isWorker(of: self) else { return false }
      strand.isQueued(at: unsafe worker.clock)
      if strand.boundTo == 0 { enqueue(strand, on: worker) } else { enqueueBound(strand) }
      return true
    }
    if isDone == true { return }
    strand.isQueued(at: MonotonicInstant.approximateNow.nanoseconds)
    if strand.boundTo != 0 { return enqueueBound(strand) }
    let last = unsafe Int(strand.lastWorker)
    injection.push(strand)
    wakeOne(preferring: last)
    releaseIfStopping(injection)
  }

  /// A worker puts what it just woke into its ready slot; what was there goes to the back of its queue.
  private func enqueue(_ strand: Strand, on worker: Worker) {
    guard let displaced = worker.ready.exchange(strand) else { return }
    enqueueLast(displaced, on: worker)
  }

  /// Puts a strand at the back of the calling worker's queue.
  func enqueueLast(_ strand: Strand, on worker: Worker) {
    if let refused = worker.queue.push(strand) {
      injection.push(refused)
      wakeHelp(for: worker)
      releaseIfStopping(injection)
    } else if worker.queue.count >= WorkerPool.backlogToWake {
      wakeHelp(for: worker)
    }
  }

  /// Wakes another than the calling worker, which may be in the handlers of its own wait.
  private func wakeHelp(for worker: Worker) {
    if sleepers.isAsleep(worker.index) { sleepers.leave(worker.index) }
    wakeOne()
  }

  /// Releases the strands in a line that nobody empties any more.
  func releaseIfStopping(_ line: InjectionQueue) {
    // Sequentially consistent: after the push; pairs with the store in `shutDown`. Either this sees it, or the worker
    // that ends finds the strand in line.
    if stopping.load(ordering: .sequentiallyConsistent) { while line.pop() != nil {} }
  }

  /// Puts a strand that has used up its budget back in line.
  private func enqueueAgain(_ strand: Strand, on worker: Worker) {
    strand.isQueued(at: unsafe worker.clock)
    if strand.boundTo == 0 { enqueueLast(strand, on: worker) } else { enqueueBound(strand) }
  }

  /// Strands in line at which a busy worker asks a sleeping one for help at once.
  private static let backlogToWake = 3

  /// Wakes a sleeping worker unless one is searching already.
  ///
  /// - Parameter worker: the one to wake if it sleeps; 64 for any.
  private func wakeOne(preferring worker: Int = 64) {
    if let sleeper = sleepers.next(preferring: worker) { wake(workers[sleeper]) }
  }

  func wake(_ worker: Worker) {
    // Relaxed: a count for people.
    worker.counters.wakes.add(1, ordering: .relaxed)
    worker.waiter.wake()
  }

  // MARK: - A worker's life

  private func loop(_ worker: Worker) {
    var wasIdle = true
    // Acquire: pairs with the store in `shutDown`.
    while !stopping.load(ordering: .acquiring) {
      if let strand = next(for: worker, isBusy: !wasIdle) {
        if wasIdle {
          wasIdle = false
          becomeBusy(worker)
        }
        if !worker.run(strand, budget: budget) { enqueueAgain(strand, on: worker) }
      } else {
        // A worker that was woken for nothing does not search: it goes back to sleep.
        let finds = !wasIdle && search(for: worker)
        wasIdle = true
        if !finds { sleep(worker) }
      }
    }
    abandonStrands(of: worker)
  }

  /// Releases what is still in line when a worker ends; it does not run any more.
  private func abandonStrands(of worker: Worker) {
    while worker.queue.pop() ?? worker.ready.take() ?? worker.bound.pop() ?? injection.pop() != nil {}
  }

  /// A worker that was asleep has found something to run.
  private func becomeBusy(_ worker: Worker) {
    sleepers.foundWork()
    ensureWatcher(worker)
    if !injection.isEmpty || worker.queue.count >= WorkerPool.backlogToWake { wakeOne() }
  }

  /// The strand to run now; `nil` when there is none anywhere.
  private func next(for worker: Worker, isBusy: Bool) -> Strand? {
    if worker.isLookDue() {
      worker.lookRound()
      // Only a busy worker needs to be watched: idle ones would keep each other awake.
      if isBusy { passWatchOn(worker) }
      if let strand = takeInjected(for: worker) { return strand }
    }
    if let strand = worker.takeBoundInTurn() { return strand }
    if worker.prefersReady(), let strand = worker.ready.take() { return strand }
    if let strand = worker.queue.pop() { return strand }
    return worker.ready.take() ?? worker.bound.pop() ?? takeInjected(for: worker) ?? steal(for: worker)
  }

  /// Takes a strand from the injection queue, and a share of the others into the worker's own queue, where thieves
  /// find them.
  private func takeInjected(for worker: Worker) -> Strand? {
    guard let strand = injection.drain(into: worker.queue, share: workers.count) else { return nil }
    if worker.queue.count >= WorkerPool.backlogToWake { wakeOne() }
    return strand
  }

  /// A strand out of whatever line it is in, for a simulation, which chooses by itself who comes next.
  func takeFromAnyLine() -> Strand? { workers[0].queue.pop() ?? workers[0].ready.take() ?? injection.pop() }

  private func steal(for worker: Worker) -> Strand? {
    for distance in 1..<max(workers.count, 1) {
      let victim = workers[(worker.index + distance) % workers.count]
      if let strand = victim.queue.moveHalf(to: worker.queue) {
        // Relaxed: a count for people.
        worker.counters.steals.add(1, ordering: .relaxed)
        return strand
      }
    }
    return nil
  }

  private func sleep(_ worker: Worker) {
    let asleep = sleepers.enter(worker.index)
    // Sequentially consistent: pairs with the store in `shutDown`.
    if stopping.load(ordering: .sequentiallyConsistent) || hasWork(for: worker) {
      sleepers.leave(worker.index)
      return
    }
    var deadline = worker.timers.nextDeadline
    let watches = watcher.watch(worker.index, wanted: asleep < workers.count, in: sleepers, of: workers.count)
    if watches {
      let look = MonotonicInstant.now.advanced(by: watchInterval)
      deadline = min(deadline ?? look, look)
    }
    // Relaxed: a count for people.
    worker.counters.parks.add(1, ordering: .relaxed)
    worker.waiter.wait(until: deadline)
    // Before what follows, which may take its time: nobody is to be kept from waking another.
    sleepers.leave(worker.index)
    worker.timers.advance(to: .now)
    worker.hasLooked()
    if watches { rescue(for: worker) }
  }

  /// Whether some queue has a strand in it that the worker may run.
  func hasWork(for worker: Worker) -> Bool {
    !injection.isEmpty || !worker.bound.isEmpty || workers.contains { $0.queue.count > 0 }
  }

  // MARK: - Watching

  /// A worker that has become busy sees to it that a sleeping one will look at it in time.
  private func ensureWatcher(_ worker: Worker) {
    let isWatched = watcher.ensure(for: worker.index, in: sleepers) { sleeper in
      workers[sleeper].waiter.wake(at: .now.advanced(by: watchInterval))
    }
    if !isWatched { monitor?.everybodyIsBusy() }
  }

  /// A busy worker gives the watch, which was given to it or to another that is up, to a sleeping one.
  private func passWatchOn(_ worker: Worker) {
    if watcher.isVacant(in: sleepers) { ensureWatcher(worker) }
  }

  /// Does for stuck workers what they cannot do, and leaves what it finds in this worker's queue.
  private func rescue(for worker: Worker) {
    for victim in workers where victim !== worker {
      // Acquire: pairs with the release in `Worker.run`.
      let turn = victim.turn.load(ordering: .acquiring)
      guard turn % 2 == 1 else { continue }
      guard let stuckFor = unsafe worker.watchedTurns.update(victim.index, turn: turn) else { continue }
      // Relaxed: a count for people.
      worker.counters.takeovers.add(1, ordering: .relaxed)
      victim.lookRound()
      if let strand = victim.ready.take() { enqueueLast(strand, on: worker) }
      takeBound(from: victim, to: worker)
      if stuckReport != nil, unsafe worker.watchedTurns.isReportDue(victim.index, stuckFor) {
        report(victim, turn: turn, duration: stuckFor)
      }
    }
  }
}

/// A thread in a list.
final class ThreadBox: @unchecked Sendable {
  // @unchecked: joined once, by whoever took the list.
  private var thread: PlatformThread?
  init(_ thread: consuming PlatformThread) { self.thread = consume thread }
  func join() {
    guard let thread = thread.take() else { return }
    thread.join()
  }
}
