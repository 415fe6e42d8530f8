// Gate: a place where one task waits, once, until somebody opens it.
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

/// How a gate was opened.
enum GateReason: UInt8 {
  /// The timer fired.
  case fired = 2
  /// The queue was shut down.
  case dropped = 3
  /// The waiting task was cancelled.
  case cancelled = 4
  /// What was waited for has ended.
  case ended = 5
}

actor Gate: SerialExecutor, TimerTarget {
  private static var fresh: UInt8 { 0 }
  private static var waiting: UInt8 { 1 }

  private let state = Atomic<UInt8>(Gate.fresh)
  // Written once by the waiting task before it publishes `waiting`, read by the one who moves the state from there.
  private nonisolated(unsafe) var job: UnownedJob?

  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

  /// Waits until the gate is open and says why it was opened; called by one task, once.
  ///
  /// Not inlined, else the optimizer may find that it needs no executor and drop the wait.
  @inline(never)
  func reason() -> GateReason {
    // Relaxed: the acquiring exchange that let this job run came before.
    guard let reason = GateReason(rawValue: state.load(ordering: .relaxed)) else {
      preconditionFailure("a gate's job ran before the gate was opened")
    }
    return reason
  }

  /// Opens the gate; `false` when it was open.
  @discardableResult
  nonisolated func open(_ reason: GateReason) -> Bool {
    // Relaxed: the compare-exchange below checks it.
    var found = state.load(ordering: .relaxed)
    while found == Gate.fresh || found == Gate.waiting {
      // Acquire: sees `job`; pairs with the release in `enqueue`. Release: what was done before the gate was opened
      // is seen by the task. Relaxed on failure: the loop looks again.
      let (opened, seen) = state.compareExchange(
        expected: found, desired: reason.rawValue, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if opened {
        if found == Gate.waiting { run() }
        return true
      }
      found = seen
    }
    return false
  }

  /// Takes the job of the task that begins to wait.
  nonisolated func enqueue(_ job: consuming ExecutorJob) {
    unsafe self.job = UnownedJob(job)
    // Release: publishes `job`; pairs with the exchange in `open`. Acquire on failure: sees what was done before
    // the gate was opened; pairs with the release there.
    let (waits, _) = state.compareExchange(
      expected: Gate.fresh, desired: Gate.waiting, successOrdering: .releasing, failureOrdering: .acquiring)
    if !waits { run() }
  }

  private nonisolated func run() {
    if let job = unsafe job { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  nonisolated func timerFired(token: UInt64) { open(.fired) }

  nonisolated func timerDropped(token: UInt64) { open(.dropped) }
}
