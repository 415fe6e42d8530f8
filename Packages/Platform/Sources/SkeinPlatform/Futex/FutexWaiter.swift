// FutexWaiter: a Waiter that sleeps on one 32-bit word.
//
// States of `word`: open, woken, asleep, sooner.
//   owner:       open -> asleep before it sleeps; anything -> open when it goes on.
//   wake():      anything -> woken, and a futex wake if it was asleep.
//   wake(at:):   writes `requested`, then asleep -> sooner and a futex wake; else nothing.
// No wake is lost: the futex sleeps only while the word still says asleep. No deadline is lost:
// the owner says asleep and then reads `requested`, wake(at:) writes it and then looks for asleep;
// all four are sequentially consistent, so at least one sees the other.

internal import Synchronization

#if SKEIN_MODEL
public import SkeinPlatform
#endif

/// A waiter made of one futex.
///
/// It has no timer of its own: ``wake(at:)`` wakes the owner, which then waits again until that deadline.
public final class FutexWaiter: Waiter {
  // MARK: Any thread
  private let word = FutexWord()
  /// The deadline asked for through `wake(at:)`, in nanoseconds; `Int64.max` is none.
  private let requested = Atomic<Int64>(.max)

  /// Makes a waiter on which nothing is due.
  public init() {}

  /// Waits until woken or until `deadline`; see ``Waiter``.
  public func wait(until deadline: MonotonicInstant?) {
    var state: UInt32
    repeat {
      // Sequentially consistent: pairs with the compare-exchange in `wake(at:)`; see above.
      // Failure acquires what the waker published; pairs with the exchange in `wake`.
      let (fallsAsleep, found) = unsafe word.atomic.pointee.compareExchange(
        expected: State.open, desired: State.asleep, ordering: .sequentiallyConsistent)
      state = found
      if fallsAsleep {
        // Sequentially consistent: pairs with the store in `wake(at:)`; see above.
        let end = min(deadline?.nanoseconds ?? .max, requested.load(ordering: .sequentiallyConsistent))
        word.sleep(while: State.asleep, until: end == .max ? -1 : max(end, 0))
      }
      // Acquire: pairs with the release half of the exchange in `wake`.
      state = unsafe word.atomic.pointee.exchange(State.open, ordering: .acquiringAndReleasing)
    } while state == State.sooner
    // Relaxed: a passed deadline is done with; one that is set at this moment is in the future.
    let wanted = requested.load(ordering: .relaxed)
    if wanted <= MonotonicInstant.now.nanoseconds {
      // Replaces just the deadline that has passed; on failure a new one stands. Acquire: a request that was taken
      // for the passed one ends this wait, and its maker's reason must be seen; pairs with `wake(at:)`.
      _ = requested.compareExchange(
        expected: wanted, desired: .max, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
    }
  }

  /// Ends the current or the next wait; see ``Waiter``.
  public func wake() {
    // Release: publishes what the waker wrote; pairs with the acquires in `wait`.
    if unsafe word.atomic.pointee.exchange(State.woken, ordering: .acquiringAndReleasing) == State.asleep {
      word.wakeOne()
    }
  }

  /// Bounds the current or the next wait; see ``Waiter``.
  public func wake(at deadline: MonotonicInstant) {
    // Sequentially consistent: pairs with the load in `wait`; see above.
    requested.min(deadline.nanoseconds, ordering: .sequentiallyConsistent)
    // Sequentially consistent: pairs with the compare-exchange in `wait`; see above.
    let (asleep, _) = unsafe word.atomic.pointee.compareExchange(
      expected: State.asleep, desired: State.sooner, ordering: .sequentiallyConsistent)
    if asleep { word.wakeOne() }
  }

  private enum State {
    static let open: UInt32 = 0
    static let woken: UInt32 = 1
    static let asleep: UInt32 = 2
    static let sooner: UInt32 = 3
  }
}
