// SleeperSet: which workers sleep, and whether one that was woken still searches.
//
// Shared by:  the workers (trySearch, enter, leave, foundWork) and whoever has put a strand in line (next).
//
// A worker that finds nothing enters, looks once more at all queues, and waits. Who puts a strand in line does so
// first and then asks for somebody to wake. All steps are sequentially consistent, so of a worker that goes to sleep
// and one who enqueues at least one sees the other: the worker finds the strand, or is woken. What release and acquire
// alone would allow: the worker's look at the queue gives its old state, the waker's look at the set gives its old
// state, and the strand waits until somebody comes by chance.
//
// `isSearching` keeps a burst of enqueues from waking everybody: who was woken searches, and wakes the next one when it
// has found something and there is more. So does a worker that looks round for a while before it sleeps: while it does,
// nobody is woken. Whoever goes to sleep clears it before its last look, so a strand that was enqueued while it was set
// is found by that look.

internal import Synchronization

/// The sleeping workers of a pool, up to 64.
struct SleeperSet: ~Copyable {
  // MARK: Any thread
  /// A bit for each worker that waits or is about to.
  private let bits = Atomic<UInt64>(0)
  /// A worker was woken, or looks round before it sleeps, and has found nothing yet: no other is woken for the same
  /// work.
  private let isSearching = Atomic<Bool>(false)

  /// The worker is about to sleep: it looks at all queues once more after this, and leaves if there is something.
  ///
  /// - Returns: how many sleep now, with this one.
  func enter(_ worker: Int) -> Int {
    // Sequentially consistent: a waker that comes from now on finds the next one, and we look for its work after this.
    isSearching.store(false, ordering: .sequentiallyConsistent)
    // Sequentially consistent: said before the last look; pairs with the load in `next`.
    return bits.bitwiseOr(1 << UInt64(worker), ordering: .sequentiallyConsistent).newValue.nonzeroBitCount
  }

  /// The worker does not sleep any more.
  func leave(_ worker: Int) {
    // Sequentially consistent like the others; a waker that still sees the bit wakes the worker once for nothing.
    bits.bitwiseAnd(~(1 << UInt64(worker)), ordering: .sequentiallyConsistent)
  }

  /// The worker to wake, for a strand that the caller has put in line; `nil` when nobody sleeps or one searches.
  ///
  /// - Parameter preferred: the number of the worker to wake if it sleeps; 64 for any.
  func next(preferring preferred: Int = 64) -> Int? {
    // Sequentially consistent: the caller's enqueue comes first; pairs with the order in `enter`.
    let asleep = bits.load(ordering: .sequentiallyConsistent)
    if asleep == 0 { return nil }
    // Sequentially consistent: one waker wins; pairs with the store before a worker's last look.
    if isSearching.exchange(true, ordering: .sequentiallyConsistent) { return nil }
    return asleep & (1 << preferred) != 0 ? preferred : asleep.trailingZeroBitCount
  }

  /// Whether a worker sleeps or is about to, for a strand that the caller has put in line for it alone.
  func isAsleep(_ worker: Int) -> Bool {
    // Sequentially consistent: the caller's enqueue comes first; pairs with the order in `enter`.
    bits.load(ordering: .sequentiallyConsistent) & (1 << worker) != 0
  }

  /// The caller, which is awake and has nothing to run, asks to be the one that searches. It ends its search with
  /// `foundWork` or `enter`.
  ///
  /// - Returns: `false` when another one searches.
  func trySearch() -> Bool {
    // Sequentially consistent, as in `next`: who is told that one searches has put its strand in line before, and
    // the search ends with the store in `enter` or `foundWork` and a look at all queues after it.
    !isSearching.exchange(true, ordering: .sequentiallyConsistent)
  }

  /// A worker that was asleep, or searched, has found something: the next one may be woken. The caller looks for more work then.
  func foundWork() {
    // Sequentially consistent: whoever enqueues from now on wakes the next sleeper.
    isSearching.store(false, ordering: .sequentiallyConsistent)
  }

  /// A worker that sleeps, or did a moment ago.
  var any: Int? {
    // Relaxed: only to choose one; what it is told finds it awake or asleep.
    let asleep = bits.load(ordering: .relaxed)
    return asleep == 0 ? nil : asleep.trailingZeroBitCount
  }
}
