// WatchWord: which sleeping worker looks after the busy ones.
//
// Shared by:  workers that go to sleep (`watch`), have become busy (`ensure`), or are busy (`passOn`).
// Invariant:  while a worker is busy and another one sleeps, a sleeping one is named and wakes in time.
//
// The word names a worker, and says nothing of its sleep: one that was named may wake, by itself or because a waker has
// taken it out of the set, and stick in a handler before it has passed the watch on. So the word counts only while the
// set of sleepers has the one it names in it. All accesses to both are sequentially consistent, and each worker changes
// one before it reads the other:
//  - who goes to sleep enters the set and then reads the word. If that names another who is asleep, the other one is
//    asleep with a look due; should it be taken out after this, it comes by `ensure` (busy) or `watch` (idle), and the
//    newcomer is in the set by then, so it is found.
//  - who becomes busy has left the set and then reads the word. If the one that it names has gone when the name is
//    written, it names the next; if nobody is left, it says so with a 0, and looks at the set once more: who has
//    entered since reads the 0, or is seen here.
//  - who sees all asleep gives the watch up, and then counts once more: one that has become busy since has read the old
//    name, perhaps, and relies on it; so the watch is taken again. One that becomes busy later reads the 0.
// No loop spins: each turn but the first comes of a step of another worker, a change of the word or of the set, of
// which each worker makes one for each of its sleeps. And an idle pool sleeps without a deadline: of workers that
// find nothing the last one to enter sees all asleep and takes no watch, and who wakes for its look enters last, if
// no other is awake then, and gives the watch up. So from look to look fewer have a deadline; nobody gives an idle
// one a new deadline but another that is awake.

internal import Synchronization

/// The number of the watching worker, and who may change it.
struct WatchWord: ~Copyable {
  // MARK: Any thread
  /// The watcher's number + 1; 0 for none.
  private let named = Atomic<Int>(0)

  /// Becomes, stays or stops being the watcher. Called by a worker that goes to sleep and is in the set.
  ///
  /// - Parameter wanted: whether another worker was awake when this one entered the set.
  /// - Returns: whether the worker has to look after the others.
  func watch(_ worker: Int, wanted: Bool, in sleepers: borrowing SleeperSet, of workers: Int) -> Bool {
    let mine = worker + 1
    var wanted = wanted
    while true {
      // Sequentially consistent: after `enter`; pairs with the exchange in `ensure`.
      let current = named.load(ordering: .sequentiallyConsistent)
      if !wanted {
        guard current == mine else { return false }
        // Sequentially consistent: given up before the count that follows.
        if !named.compareExchange(expected: mine, desired: 0, ordering: .sequentiallyConsistent).exchanged { continue }
        if sleepers.count == workers { return false }
        wanted = true
        continue
      }
      if current == mine { return true }
      if current != 0 && sleepers.isAsleep(current - 1) { return false }
      // Sequentially consistent: as above.
      if named.compareExchange(expected: current, desired: mine, ordering: .sequentiallyConsistent).exchanged {
        return true
      }
    }
  }

  /// A worker that has become busy sees to it that a sleeping one will look at it in time.
  ///
  /// - Parameter ask: sets the time of a sleeper's next look.
  /// - Returns: whether somebody watches; `false` when nobody sleeps.
  func ensure(for worker: Int, in sleepers: borrowing SleeperSet, ask: (Int) -> Void) -> Bool {
    while true {
      // Sequentially consistent: after the worker has left the set; pairs with the exchange in `watch`.
      let current = named.load(ordering: .sequentiallyConsistent)
      if current != 0 && current != worker + 1 && sleepers.isAsleep(current - 1) { return true }
      let next = sleepers.any.map { $0 + 1 } ?? 0
      // Sequentially consistent: before the look at the set that follows.
      guard named.compareExchange(expected: current, desired: next, ordering: .sequentiallyConsistent).exchanged
      else { continue }
      if next == 0 {
        if sleepers.any == nil { return false }
      } else {
        ask(next - 1)
        if sleepers.isAsleep(next - 1) { return true }
      }
    }
  }

  /// Whether a busy worker has to call `ensure`: the one that is named does not sleep.
  func isVacant(in sleepers: borrowing SleeperSet) -> Bool {
    // Sequentially consistent, like the others.
    let current = named.load(ordering: .sequentiallyConsistent)
    return current == 0 || !sleepers.isAsleep(current - 1)
  }
}
