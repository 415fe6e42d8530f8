// PeriodicTimer: a timer that comes back, on a grid that does not drift.
//
// Shared by:  any threads; the handler runs on the one that advances the queue, once at a time.
// Invariant:  the timer stands in the queue at most once, with `due` as its deadline.

public import SkeinPlatform

/// A timer that fires every `interval`, counted from its first deadline and not from when it ran last.
///
/// ```swift
/// let beat = PeriodicTimer(on: queue, first: .now, every: .seconds(1)) { missed in print("beat") }
/// beat.start()
/// ```
///
/// It runs until ``cancel()`` or until its queue is shut down, also when nobody keeps it.
/// - Thread safety: any thread.
public final class PeriodicTimer: TimerTarget {
  /// What to do about the deadlines that passed while the queue was not advanced.
  public enum MissedTicks: Hashable, Sendable {
    /// Fire once for all of them, tell how many were missed, and go on at the next deadline in the future.
    case skip
    /// Fire once for each, in order with the other timers.
    case catchUp
  }

  /// The time between two deadlines.
  public let interval: Duration
  /// What becomes of missed deadlines.
  public let missedTicks: MissedTicks

  private let queue: TimerQueue
  private let handler: @Sendable (_ missed: Int) -> Void
  private let state: Lock<State>

  private struct State {
    var due: MonotonicInstant
    var handle: TimerHandle?
    var isCancelled = false
  }

  /// Creates a timer; ``start()`` arms it.
  ///
  /// - Parameters:
  ///   - queue: where it is armed.
  ///   - first: the first deadline; the others follow at multiples of `interval`.
  ///   - interval: one tick of the queue or more.
  ///   - missedTicks: what to do after a stall.
  ///   - handler: runs on the thread that advances the queue, with the number of deadlines that were skipped.
  public init(
    on queue: TimerQueue, first: MonotonicInstant, every interval: Duration, missedTicks: MissedTicks = .skip,
    handler: @escaping @Sendable (_ missed: Int) -> Void
  ) {
    precondition(interval >= queue.tick, "an interval is at least one tick of the queue")
    self.queue = queue
    self.interval = interval
    self.missedTicks = missedTicks
    self.handler = handler
    state = Lock(State(due: first))
  }

  /// Arms the timer; does nothing when it is armed or cancelled.
  ///
  /// - Throws: ``TimerError`` when the queue is full or shut down. Once started the timer keeps its place: it comes
  ///   back even when the queue has been filled up meanwhile.
  public func start() throws(TimerError) {
    try state.withLock { state throws(TimerError) in
      guard state.handle == nil, !state.isCancelled else { return }
      state.handle = try queue.arm(at: state.due, target: self)
    }
  }

  /// Ends the timer.
  ///
  /// - Returns: `true` when the handler never runs again; `false` when it may be running at this moment, or the
  ///   timer had been cancelled before or was never started.
  @discardableResult
  public func cancel() -> Bool {
    state.withLock { state in
      state.isCancelled = true
      guard let handle = state.handle else { return false }
      state.handle = nil
      return queue.cancel(handle)
    }
  }

  /// Counts what was missed, arms the next deadline and runs the handler.
  public func timerFired(token: UInt64) {
    let missed = state.withLock { state -> Int? in
      guard !state.isCancelled else { return nil }
      let missed = missedTicks == .skip ? passed(since: state.due) : 0
      state.due = state.due.advanced(by: interval * (missed + 1))
      let entry = TimerEntry(target: self, token: 0)
      // Only a queue that was shut down refuses; then the timer has ended with it.
      state.handle = try? queue.arm(at: state.due, entry, inFullQueue: true)
      return missed
    }
    if let missed { handler(missed) }
  }

  /// Deadlines after `due` that the queue's time has passed too.
  private func passed(since due: MonotonicInstant) -> Int {
    let late = due.duration(to: queue.lastAdvance).nanosecondsClamped
    return Int(max(0, late) / interval.nanosecondsClamped)
  }
}
