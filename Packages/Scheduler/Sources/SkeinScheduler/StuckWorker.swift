// StuckWorker: a report about an activation that does not end, and who makes it.
//
// A sleeping worker watches the busy ones and reports (`WorkerPool.rescue`). When none sleeps there is no watcher: then
// a thread of its own looks once a second, for as long as nobody sleeps. It starts no sooner, so an idle node has no
// wake-ups of it, and a busy one with a sleeper one a second at most, when the sleeper was up for a look of its own.

public import SkeinPlatform
internal import Synchronization

/// A worker whose activation does not end.
public struct StuckWorker: Hashable, Sendable, CustomStringConvertible {
  /// The worker's number.
  public let worker: Int
  /// For how long the activation has been seen running.
  public let duration: Duration
  /// The label of the strand whose handler runs, the callee's for one that was called in place; `nil` if that cannot be
  /// said.
  public let strand: String?
  /// Where the handler is; `nil` if the thread did not answer.
  public let stack: ThreadStack?
  /// Strands that are bound to the worker and wait for it.
  public let boundInLine: Int

  /// One line, and one more for each function on the stack.
  public var description: String {
    let head = "worker \(worker) has been in strand \(strand ?? "?") for \(duration), \(boundInLine) bound strands wait"
    return ([head] + (stack?.frames ?? []).map { "  \($0)" }).joined(separator: "\n")
  }
}

extension Worker {
  /// Lets others take the calling thread's stack, if that is possible.
  func prepareStack() {
    guard (try? ThreadStack.prepareThread()) != nil else { return }
    // Release: prepared before; pairs with the acquire in `describeStuck`.
    threadNumber.store(PlatformThread.currentNumber, ordering: .releasing)
  }

  /// Counts one more reference to what runs, while the thread stands still; 0 when `turn` is over. Allocates nothing: the
  /// thread may hold the allocator's lock.
  func retainRunning(turn seen: UInt64) -> UInt {
    // Acquire: pairs with the release in `Worker.run`.
    guard turn.load(ordering: .acquiring) == seen, let strand = unsafe running else { return 0 }
    return unsafe UInt(bitPattern: strand.retain().toOpaque())
  }

  /// What is known of the activation `turn`; `nil` if it has ended meanwhile.
  func describeStuck(turn: UInt64, duration: Duration) -> StuckWorker? {
    // Acquire: pairs with the release in `prepareStack`.
    let thread = threadNumber.load(ordering: .acquiring)
    var stack: ThreadStack?
    let label: String?
    if thread != 0, let taken = ThreadStack.take(ofThread: thread, whileStopped: { retainRunning(turn: turn) }) {
      guard let strand = ReferenceWord.take(taken.result, as: Strand.self) else { return nil }
      label = strand.label
      stack = taken.stack
    } else {
      label = activation.inspect(turn: self.turn)?.label
    }
    return StuckWorker(worker: index, duration: duration, strand: label, stack: stack, boundInLine: bound.count)
  }
}

extension WorkerPool {
  /// Tells of a stuck worker, on a thread of the report's own: it waits for the stuck one, and finding names takes
  /// its time.
  func report(_ victim: Worker, turn: UInt64, duration: Duration) {
    guard let stuckReport else { return }
    let tell: @Sendable () -> Void = {
      guard let stuck = victim.describeStuck(turn: turn, duration: duration) else { return }
      stuckReport(stuck)
    }
    do throws(SystemCallError) {
      _ = try PlatformThread.start(name: "skein-report", tell)
    } catch {
      tell()
    }
  }

  /// Reports workers that are stuck, and have been since an earlier look.
  ///
  /// - Returns: whether to look again: nobody sleeps.
  func reportStuck(_ watched: inout WatchedTurns) -> Bool {
    if sleepers.any != nil { return false }
    for victim in workers {
      // Acquire: pairs with the release in `Worker.run`.
      let turn = victim.turn.load(ordering: .acquiring)
      guard turn % 2 == 1, let stuckFor = watched.update(victim.index, turn: turn) else { continue }
      if watched.isReportDue(victim.index, stuckFor) { report(victim, turn: turn, duration: stuckFor) }
    }
    return true
  }
}

/// A thread that looks for stuck workers while no worker sleeps.
final class StuckMonitor: Sendable {
  private let waiter = FutexWaiter()
  // MARK: Any thread
  private let isOn = Atomic<Bool>(false)
  private let isStopping = Atomic<Bool>(false)

  /// Time between two looks.
  private static let interval = Duration.seconds(1)

  func start(for pool: WorkerPool) throws(SystemCallError) {
    _ = try PlatformThread.start(name: "skein-monitor") { [self] in watch(pool) }
  }

  /// No worker sleeps: a look is due in a while.
  func everybodyIsBusy() {
    // Sequentially consistent: the caller has left the sleepers before; pairs with the store in `watch`, which comes
    // before the look at them. So the look finds the caller awake, or the caller finds the flag clear.
    if isOn.load(ordering: .sequentiallyConsistent) { return }
    // Relaxed: one of several callers sets the time; nothing else is published.
    if isOn.exchange(true, ordering: .relaxed) { return }
    waiter.wake(at: .now.advanced(by: StuckMonitor.interval))
  }

  func stop() {
    // Release: pairs with the acquire in `watch`.
    isStopping.store(true, ordering: .releasing)
    waiter.wake()
  }

  private func watch(_ pool: WorkerPool) {
    var watched = WatchedTurns()
    var deadline: MonotonicInstant?
    while true {
      waiter.wait(until: deadline)
      // Acquire: pairs with the release in `stop`.
      if isStopping.load(ordering: .acquiring) { return }
      // Sequentially consistent: see `everybodyIsBusy`.
      isOn.store(false, ordering: .sequentiallyConsistent)
      let looksAgain = pool.reportStuck(&watched)
      // Relaxed: spares the others a call.
      if looksAgain { isOn.store(true, ordering: .relaxed) }
      deadline = looksAgain ? .now.advanced(by: StuckMonitor.interval) : nil
    }
  }
}
