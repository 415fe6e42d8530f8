// SchedulerSnapshot: what a pool is doing at this moment, for people.

internal import SkeinMailbox
internal import SkeinPlatform
internal import Synchronization

/// A pool's workers and queues, read while they go on: each figure is right for some moment of the reading.
public struct SchedulerSnapshot: Hashable, Sendable {
  /// What one worker does now, and has done since its start.
  public struct WorkerState: Hashable, Sendable {
    /// Its number in the pool.
    public var index: Int
    /// The label of the strand that it runs; `nil` between two.
    public var strand: String?
    /// For how long that strand has been running.
    public var runningFor: Duration?
    /// Whether it sleeps, or is about to.
    public var isAsleep: Bool
    /// Whether a strand is in its ready slot.
    public var hasReady: Bool
    /// Strands in its queue.
    public var queued: Int
    /// Strands in line that are bound to it.
    public var boundQueued: Int
    /// Activations so far.
    public var activations: Int
    /// Looks at its poller and timers between strands, also by others in its place.
    public var looks: Int
    /// Searches before a sleep.
    public var searches: Int
    /// Those of them that found something.
    public var fruitfulSearches: Int
    /// Sleeps in its waiter.
    public var parks: Int
    /// Wakes that it was sent.
    public var wakes: Int
    /// Times that it took strands from others.
    public var steals: Int
    /// Looks after stuck workers.
    public var takeovers: Int
    /// Strands that waited 20 µs and more in line before they ran here.
    public var delays: Int
    /// The longest wait of a strand in line before it ran here.
    public var longestDelay: Duration
  }

  /// The workers, in the order of their numbers.
  public var workers: [WorkerState]
  /// Strands in the injection queue.
  public var injected: Int
  /// Services that were killed and have a handler that does not end; whoever counts them sets it.
  public var zombies = 0

  /// Makes one of its parts.
  public init(workers: [WorkerState], injected: Int) {
    self.workers = workers
    self.injected = injected
  }
}

extension WorkerPool {
  /// What the pool is doing now.
  ///
  /// A worker whose activation ends while its strand's name is read waits for the reader.
  ///
  /// - Complexity: O(workers); one system call each.
  /// - Thread safety: any thread.
  public func snapshot() -> SchedulerSnapshot {
    SchedulerSnapshot(workers: workers.map { state(of: $0) }, injected: injection.count)
  }

  private func state(of worker: Worker) -> SchedulerSnapshot.WorkerState {
    let running = worker.activation.inspect(turn: worker.turn)
    let counters = worker.countersNow()
    return SchedulerSnapshot.WorkerState(
      index: worker.index, strand: running?.label,
      runningFor: running.map { .nanoseconds(max(MonotonicInstant.approximateNow.nanoseconds - $0.began, 0)) },
      isAsleep: sleepers.isAsleep(worker.index), hasReady: !worker.ready.isEmpty, queued: worker.queue.count,
      boundQueued: worker.bound.count, activations: counters.activations, looks: counters.looks,
      searches: counters.searches, fruitfulSearches: counters.fruitfulSearches, parks: counters.parks,
      wakes: counters.wakes, steals: counters.steals, takeovers: counters.takeovers, delays: counters.delays,
      longestDelay: worker.counters.longestDelay)
  }
}

extension Worker {
  fileprivate typealias Counts = (
    activations: Int, looks: Int, searches: Int, fruitfulSearches: Int, parks: Int, wakes: Int, steals: Int,
    takeovers: Int, delays: Int
  )

  fileprivate func countersNow() -> Counts {
    func read(_ count: borrowing Atomic<Int>) -> Int {
      // Relaxed: a count for people.
      count.load(ordering: .relaxed)
    }
    // Relaxed: a count for people; two steps are an activation.
    let activations = Int((turn.load(ordering: .relaxed) + 1) / 2)
    return (
      activations, read(counters.looks), read(counters.searches), read(counters.fruitfulSearches), read(counters.parks),
      read(counters.wakes), read(counters.steals), read(counters.takeovers), read(counters.delays)
    )
  }
}
