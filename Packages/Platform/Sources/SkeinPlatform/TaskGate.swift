// TaskGate: a place where one task waits, once, until somebody opens it.
//
// Owns:       the waiting task's job.
// Shared by:  the task, and any threads that open the gate; the first one decides.
// Why not a continuation: the runtime of Swift 6.3.1 resumes one on the task's preferred executor or, without
// such, on the global pool, before it goes to the caller's actor. A gate is an actor whose executor keeps the job
// instead of running it. Opening runs the job on the opener's thread for the length of one return; from there it
// goes straight to the caller's actor or preferred executor.
// States of `state`, and who moves them:
//   fresh  -> waiting    the task, once `job` is written
//   fresh  -> reason     an opener; the task then finds it open and goes on by itself
//   waiting -> reason    an opener, who then runs the job
// Whoever moves it from waiting runs the job, or the task itself does: it runs exactly once.

internal import Synchronization

/// A gate at which one task waits until another thread opens it, without ever touching Swift's global pool.
///
/// ```swift
/// let gate = TaskGate()
/// timer.whenFired { gate.open(TaskGate.firstReason) }
/// let reason = await gate.wait()
/// ```
///
/// - Thread safety: open it from any thread, as often as you like; wait in one task, once.
public actor TaskGate: SerialExecutor {
  /// The smallest number that may be given as a reason.
  public static var firstReason: UInt8 { 2 }
  private static var fresh: UInt8 { 0 }
  private static var waiting: UInt8 { 1 }

  // MARK: Any thread
  private let state = Atomic<UInt8>(TaskGate.fresh)
  // Written once by the waiting task before it publishes `waiting`, read by the one who moves the state from there.
  private nonisolated(unsafe) var job: UnownedJob?

  /// Makes a gate that is shut.
  public init() {}

  /// The gate is its own executor.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

  /// Waits until the gate is open.
  ///
  /// Not inlined, else the optimizer may find that it needs no executor and drop the wait.
  ///
  /// - Returns: the reason given by the one who opened it first.
  @inline(never)
  public func wait() -> UInt8 {
    // Relaxed: the acquiring exchange that let this job run came before.
    let reason = state.load(ordering: .relaxed)
    precondition(reason >= TaskGate.firstReason, "a gate's job ran before the gate was opened")
    return reason
  }

  /// Whether somebody has opened the gate; a snapshot.
  public nonisolated var isOpen: Bool {
    // Acquire: sees what was done before the gate was opened; pairs with the release in `open`.
    state.load(ordering: .acquiring) >= TaskGate.firstReason
  }

  /// Opens the gate.
  ///
  /// - Parameter reason: a number of the caller's, ``firstReason`` or more; handed to the waiting task.
  /// - Returns: `false` when it was open.
  @discardableResult
  public nonisolated func open(_ reason: UInt8 = TaskGate.firstReason) -> Bool {
    precondition(reason >= TaskGate.firstReason, "the numbers below firstReason are the gate's own")
    // Relaxed: the compare-exchange below checks it.
    var found = state.load(ordering: .relaxed)
    while found < TaskGate.firstReason {
      // Acquire: sees `job`; pairs with the release in `enqueue`. Release: what was done before the gate was opened
      // is seen by the task. Relaxed on failure: the loop looks again.
      let (opened, seen) = state.compareExchange(
        expected: found, desired: reason, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if opened {
        if found == TaskGate.waiting { run() }
        return true
      }
      found = seen
    }
    return false
  }

  /// Takes the job of the task that begins to wait; called by the Swift runtime.
  public nonisolated func enqueue(_ job: consuming ExecutorJob) {
    unsafe self.job = UnownedJob(job)
    // Release: publishes `job`; pairs with the exchange in `open`. Acquire on failure: sees what was done before
    // the gate was opened; pairs with the release there.
    let (waits, _) = state.compareExchange(
      expected: TaskGate.fresh, desired: TaskGate.waiting, successOrdering: .releasing, failureOrdering: .acquiring)
    if !waits { run() }
  }

  private nonisolated func run() {
    if let job = unsafe job { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
  }
}
