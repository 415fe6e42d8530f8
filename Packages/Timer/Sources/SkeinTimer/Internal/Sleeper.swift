// Sleeper: one suspended task and the timer that resumes it.
//
// Owns:       the task's continuation and the timer's handle.
// Shared by:  the sleeping task, the thread that fires or drops the timer, the one that cancels the task.
// States, and who moves them:
//   starting  -> asleep                          the task's thread, once continuation and handle are written
//   starting  -> fired | dropped | cancelled     timer or canceller, before the task got that far
//   asleep    -> fired | dropped | cancelled     timer or canceller, whoever is first
// Whoever moves asleep on resumes the task; when the task finds itself moved on from starting it resumes itself.
// So it is resumed exactly once, and never before its continuation is written.

internal import SkeinPlatform
internal import Synchronization

@safe final class Sleeper: TimerTarget {
  /// How a sleep ended.
  enum Outcome {
    case fired
    case cancelled
    case refused(TimerError)
  }

  private enum State {
    static let starting: UInt8 = 0
    static let asleep: UInt8 = 1
    static let fired: UInt8 = 2
    static let dropped: UInt8 = 3
    static let cancelled: UInt8 = 4
  }

  private let queue: TimerQueue
  private let state = Atomic<UInt8>(State.starting)
  // Written by the sleeping task before it publishes `asleep`; read by whoever moves the state on from there.
  private nonisolated(unsafe) var continuation: UnsafeContinuation<Void, Never>?
  private nonisolated(unsafe) var handle = TimerHandle.none

  init(queue: TimerQueue) { self.queue = queue }

  /// Suspends the task until the timer fires, is dropped or cannot be armed, or the task is cancelled.
  func sleep(until deadline: MonotonicInstant) async -> Outcome {
    var refusal: TimerError?
    await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { continuation in
        unsafe self.continuation = unsafe continuation
        do throws(TimerError) {
          unsafe handle = try queue.arm(at: deadline, target: self)
          fallAsleep()
        } catch {
          refusal = error
          unsafe continuation.resume()
        }
      }
    } onCancel: {
      end(State.cancelled)
    }
    if let refusal { return .refused(refusal) }
    // Relaxed: the resumption orders this after the exchange that ended the sleep.
    switch state.load(ordering: .relaxed) {
    case State.cancelled: return .cancelled
    case State.dropped: return .refused(.shutDown)
    default: return .fired
    }
  }

  func timerFired(token: UInt64) { end(State.fired) }

  func timerDropped(token: UInt64) { end(State.dropped) }

  private func fallAsleep() {
    // Release: publishes continuation and handle; pairs with the acquiring exchange in `end`.
    // Acquire on failure: the sleep has ended, nothing was read by the one who ended it.
    let (slept, found) = state.compareExchange(
      expected: State.starting, desired: State.asleep, successOrdering: .releasing, failureOrdering: .acquiring)
    if slept { return }
    if found == State.cancelled { queue.cancel(unsafe handle) }
    unsafe continuation?.resume()
  }

  private func end(_ reason: UInt8) {
    // Relaxed: the compare-exchanges below check it.
    var found = state.load(ordering: .relaxed)
    while found == State.starting || found == State.asleep {
      // Acquire: sees continuation and handle; pairs with the release in `fallAsleep`. Release: the task reads the
      // reason. On failure relaxed is enough: the loop looks again.
      let (ended, seen) = state.compareExchange(
        expected: found, desired: reason, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if ended {
        if found == State.asleep {
          if reason == State.cancelled { queue.cancel(unsafe handle) }
          unsafe continuation?.resume()
        }
        return
      }
      found = seen
    }
  }
}
