// ModelSleepers: the kernel's side of a futex in a checked run.

internal import SkeinModelCheck
internal import Synchronization

/// Those who sleep on one word. Whoever has the run's baton has the kernel's lock.
final class ModelSleepers {
  private var asleep: [Sleeper] = []
  /// Made before the threads, so that all of them know of it; a run has no more sleeps than that.
  private var spare = (0..<20).map { _ in Sleeper() }
  /// Accessed where others may come in between.
  private let entrance = ModelAtomic(0)

  private final class Sleeper {
    let isAwake = ModelAtomic(false)
  }

  /// Sleeps until woken, or, when it is not for ever, until nobody else goes on.
  func sleep(on word: UnsafeMutablePointer<ModelAtomic<UInt32>>, while value: UInt32, isForEver: Bool) {
    // The kernel looks at the newest value, as a read-modify-write does, and says nothing about other memory.
    let seen = unsafe word.pointee.compareExchange(expected: value, desired: value, ordering: .relaxed)
    if !seen.exchanged { return }
    // Time passes as others go on.
    if !isForEver { return ModelRun.relax() }
    let sleeper = spare.removeLast()
    asleep.append(sleeper)
    // One who is never woken goes round for ever, and a run without end is a failure.
    while !sleeper.isAwake.load(ordering: .relaxed) { ModelRun.relax() }
  }

  func wakeOne() {
    _ = entrance.load(ordering: .relaxed)
    if !asleep.isEmpty { asleep.removeFirst().isAwake.store(true, ordering: .relaxed) }
  }
}
