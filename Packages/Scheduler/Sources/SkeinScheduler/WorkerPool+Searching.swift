// WorkerPool+Searching: what a worker does between its last strand and its sleep.
//
// A wake on another core costs 10 to 40 µs, of which the waker pays 7 to 10, so a worker that has run out of work looks
// round for a moment first. One at a time does (`SleeperSet.isSearching` is the baton): while it has the baton nobody
// is woken, and what it finds it drains and hands out; who does not get it sleeps at once. Since a search that finds
// nothing is time taken from other programs, each worker keeps to it only as long as it pays (`SearchHabit`).

internal import SkeinMailbox
internal import SkeinPlatform
internal import Synchronization

extension WorkerPool {
  /// For how long a worker looks round before it sleeps.
  static let searchTime = Duration.microseconds(10)
  /// How often a search looks at the poller and the timers, which costs a system call.
  static let searchLookInterval = Duration.microseconds(2)

  /// Looks for work for a moment, unless another worker does.
  ///
  /// - Returns: whether there is something to run. The caller has the baton then and ends it with `foundWork`.
  func search(for worker: Worker) -> Bool {
    guard unsafe worker.searchHabit.isWorthwhile(), sleepers.trySearch() else { return false }
    // Relaxed: a count for people.
    worker.counters.searches.add(1, ordering: .relaxed)
    let finds = lookRoundForAWhile(worker)
    // Relaxed: a count for people.
    if finds { worker.counters.fruitfulSearches.add(1, ordering: .relaxed) }
    unsafe worker.searchHabit.searched(finding: finds)
    return finds
  }

  private func lookRoundForAWhile(_ worker: Worker) -> Bool {
    unsafe worker.searchedTurns.note(workers)
    var now = MonotonicInstant.now
    let end = now.advanced(by: WorkerPool.searchTime)
    var nextLook = now
    repeat {
      if hasWork(for: worker) { return true }
      if now >= nextLook {
        worker.lookRound()
        // What an event or a timer has woken is in this worker's own slot.
        if !worker.ready.isEmpty { return true }
        nextLook = now.advanced(by: WorkerPool.searchLookInterval)
      }
      PlatformThread.relax()
      now = .now
    } while now < end
    return takeReadySlot(for: worker)
  }

  /// Takes what lies in the ready slot of a worker whose activation has lasted for the whole search.
  ///
  /// What a worker has just woken is warm on its core and runs there next; so a thief comes last, and only to one that
  /// has been busy with something else all the while.
  private func takeReadySlot(for worker: Worker) -> Bool {
    for victim in workers where victim !== worker && !victim.ready.isEmpty {
      guard unsafe worker.searchedTurns.isUnchanged(victim), let strand = victim.ready.take() else { continue }
      // Relaxed: a count for people.
      worker.counters.steals.add(1, ordering: .relaxed)
      enqueueLast(strand, on: worker)
      return true
    }
    return false
  }
}

/// The activations that ran when a search began.
struct SearchedTurns {
  private var turns: [UInt64] = []

  mutating func note(_ workers: [Worker]) {
    if turns.isEmpty { turns = Array(repeating: 0, count: workers.count) }
    // Acquire: pairs with the release in `Worker.run`.
    for worker in workers { turns[worker.index] = worker.turn.load(ordering: .acquiring) }
  }

  /// Whether `worker` runs the same activation as when the search began.
  func isUnchanged(_ worker: Worker) -> Bool {
    // Acquire: as above.
    let turn = worker.turn.load(ordering: .acquiring)
    return turn % 2 == 1 && turns[worker.index] == turn
  }
}

/// Whether a worker should search before it sleeps: always while most searches find something, else now and then.
struct SearchHabit {
  private static let mostCredit = 4
  /// Of the sleeps without credit, each so many-th is preceded by a search.
  private static let trialInterval = 32

  private var credit = SearchHabit.mostCredit
  private var untilTrial = SearchHabit.trialInterval

  /// Whether to search before this sleep.
  mutating func isWorthwhile() -> Bool {
    if credit > 0 { return true }
    untilTrial -= 1
    if untilTrial > 0 { return false }
    untilTrial = SearchHabit.trialInterval
    return true
  }

  /// Learns from a search.
  mutating func searched(finding: Bool) {
    credit = finding ? min(credit + 2, SearchHabit.mostCredit) : max(credit - 1, 0)
  }
}
