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
// `isSearching` keeps a burst of enqueues from waking everybody. It is set by a waker that then takes a sleeper out of
// the set, and so there is somebody who will clear it and look for work afterwards: the one who was taken out, when it
// has found something (and then it wakes the next one if there is more) or goes to sleep again. A strand that was
// enqueued while it was set is found by that look. A waker that only read whom to wake could name one who has woken
// by itself and is busy: the flag then stays set, and no other sleeper is woken, for as long as that one's strand takes.
// A waker that finds nobody left clears the flag itself, and looks for sleepers once more: one may have gone to sleep
// meanwhile whose strand came while the flag was set.
// A worker that looks round for a while before it sleeps sets it, too: while it does, nobody is woken.

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
    // Sequentially consistent like the others; clears nothing when a waker has taken the worker out.
    bits.bitwiseAnd(~(1 << UInt64(worker)), ordering: .sequentiallyConsistent)
  }

  /// Takes out the worker to wake, for a strand that the caller has put in line.
  ///
  /// - Parameter preferred: the number of the worker to wake if it sleeps; 64 for any.
  /// - Returns: `nil` when nobody sleeps or somebody searches.
  func next(preferring preferred: Int = 64) -> Int? {
    // Sequentially consistent: the caller's enqueue comes first; pairs with the order in `enter`.
    while bits.load(ordering: .sequentiallyConsistent) != 0 {
      // Sequentially consistent: one waker wins; pairs with the stores before a worker's look for work.
      if isSearching.exchange(true, ordering: .sequentiallyConsistent) { return nil }
      if let sleeper = takeOne(preferring: preferred) { return sleeper }
      // Sequentially consistent: before the look for sleepers that follows.
      isSearching.store(false, ordering: .sequentiallyConsistent)
    }
    return nil
  }

  private func takeOne(preferring preferred: Int) -> Int? {
    // Relaxed: a guess that the exchange below verifies.
    var asleep = bits.load(ordering: .relaxed)
    while asleep != 0 {
      let worker = asleep & (1 << preferred) != 0 ? preferred : asleep.trailingZeroBitCount
      let bit: UInt64 = 1 << UInt64(worker)
      // Sequentially consistent like the others; only who clears the bit has the sleeper.
      let before = bits.bitwiseAnd(~bit, ordering: .sequentiallyConsistent).oldValue
      if before & bit != 0 { return worker }
      asleep = before
    }
    return nil
  }

  /// Whether a worker sleeps or is about to, for a strand that the caller has put in line for it alone, and for the
  /// watch.
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
    // Sequentially consistent: a look after the name in `WatchWord` was changed, or after the monitor's flag.
    let asleep = bits.load(ordering: .sequentiallyConsistent)
    return asleep == 0 ? nil : asleep.trailingZeroBitCount
  }

  /// How many sleep.
  var count: Int {
    // Sequentially consistent: a look after the name in `WatchWord` was changed.
    bits.load(ordering: .sequentiallyConsistent).nonzeroBitCount
  }
}
