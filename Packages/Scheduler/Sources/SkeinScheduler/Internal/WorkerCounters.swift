// WorkerCounters: what a worker has done so far, for people.

internal import Synchronization

/// Counts of one worker. Each addition is relaxed: nothing follows from a count.
///
/// - Thread safety: any thread.
struct WorkerCounters: ~Copyable {
  // MARK: Any thread
  /// Looks at its poller and timers between strands, its own and those of others for it.
  let looks = Atomic<Int>(0)
  /// Searches before a sleep, and how many of them found something.
  let searches = Atomic<Int>(0)
  let fruitfulSearches = Atomic<Int>(0)
  /// Waits in its waiter.
  let parks = Atomic<Int>(0)
  /// Wakes that others sent to it.
  let wakes = Atomic<Int>(0)
  /// Times that it took strands out of another's queue or slot.
  let steals = Atomic<Int>(0)
  /// Looks after a stuck worker.
  let takeovers = Atomic<Int>(0)
}
