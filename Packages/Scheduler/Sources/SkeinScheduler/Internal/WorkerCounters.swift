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
  /// Strands that waited in line for 20 µs and more before they ran here, and the longest wait.
  let delays = Atomic<Int>(0)
  private let longest = Atomic<UInt32>(0)

  /// Notes a long wait; the worker's thread only.
  func note(delay: UInt32) {
    // Relaxed, all: only the worker's thread writes.
    delays.add(1, ordering: .relaxed)
    if delay > longest.load(ordering: .relaxed) { longest.store(delay, ordering: .relaxed) }  // Relaxed: as above.
  }

  /// The longest wait of a strand in line.
  var longestDelay: Duration {
    // Relaxed: a figure for people.
    .nanoseconds(Int64(longest.load(ordering: .relaxed)) << Int64(StrandFigures.delayShift))
  }
}
