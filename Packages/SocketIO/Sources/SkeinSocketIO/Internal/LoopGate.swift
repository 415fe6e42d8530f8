// LoopGate: the lock of a loop, with a mark that work was left for whoever holds it.
//
// One word, three bits: held, marked, sleepers. The numbered argument why no marked work is left lying:
//   1. A thread that leaves work first puts it into the list, then changes the word, once: it either takes the open
//      gate, or sets the mark. All changes of the word are in one order, that of the word.
//   2. The holder opens the gate with a compare-exchange from a word without the mark. If the mark was set before, the
//      exchange fails, and the holder takes the mark away (`takeMark`), empties the list, and tries again.
//   3. So a mark on a held gate is seen by its holder. The mark's release pairs with `takeMark`'s acquire, hence the
//      work that was put into the list before is seen too.
//   4. A mark on an open gate (from a thread that may not enter) stays in the word; the next holder finds it when it
//      enters, and the marker wakes the owner so that there is a next holder.
// If 2 opened the gate with a plain store, work marked just before would wait for the next event.

internal import CSkeinPlatform
internal import Synchronization

/// A lock that can be tried, waited for, or marked.
@safe struct LoopGate: ~Copyable, @unchecked Sendable {
  // @unchecked: the pointer leads to an atomic that lives as long as the gate.
  private let word: UnsafeMutablePointer<Atomic<UInt32>>

  private static var held: UInt32 { 1 }
  private static var marked: UInt32 { 2 }
  private static var sleepers: UInt32 { 4 }

  init() {
    unsafe word = .allocate(capacity: 1)
    unsafe word.initialize(to: Atomic(0))
  }

  deinit {
    unsafe word.deinitialize(count: 1)
    unsafe word.deallocate()
  }

  /// Takes the gate if it is open.
  func tryEnter() -> Bool {
    // Relaxed: a guess, which the exchange checks.
    var seen = unsafe word.pointee.load(ordering: .relaxed)
    while seen & Self.held == 0 {
      // Success acquires what the last holder did; pairs with the release in `tryLeave`. Failure is a new guess.
      let (done, now) = unsafe word.pointee.compareExchange(
        expected: seen, desired: seen | Self.held, successOrdering: .acquiring, failureOrdering: .relaxed)
      if done { return true }
      seen = now
    }
    return false
  }

  /// Takes the gate, or marks it when another thread holds it.
  ///
  /// - Returns: whether it was taken.
  func enterOrMark() -> Bool {
    // Relaxed: a guess, which the exchange checks.
    var seen = unsafe word.pointee.load(ordering: .relaxed)
    while true {
      let isOpen = seen & Self.held == 0
      // Acquires as in `tryEnter` when taken; releases the list when marked; pairs with `takeMark`.
      let (done, now) = unsafe word.pointee.compareExchange(
        expected: seen, desired: seen | (isOpen ? Self.held : Self.marked), successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if done { return isOpen }
      seen = now
    }
  }

  /// Marks the gate.
  ///
  /// - Returns: whether a thread holds it, which then does the work.
  func mark() -> Bool {
    // Release: publishes the list; pairs with the acquire in `takeMark`.
    let before = unsafe word.pointee.bitwiseOr(Self.marked, ordering: .releasing).oldValue
    return before & Self.held != 0
  }

  /// Takes the gate, waiting until it is open.
  func enter() {
    // Relaxed: a guess, which the exchange checks.
    var seen = unsafe word.pointee.load(ordering: .relaxed)
    while true {
      let isOpen = seen & Self.held == 0
      // A thread that comes here says that there are sleepers, since it may have been woken from among several.
      let wanted = seen | Self.sleepers | Self.held
      if isOpen || seen & Self.sleepers == 0 {
        // Success acquires as in `tryEnter`; harmless when it only adds the sleepers' bit. Failure is a new guess.
        let (done, now) = unsafe word.pointee.compareExchange(
          expected: seen, desired: wanted, successOrdering: .acquiring, failureOrdering: .relaxed)
        if done && isOpen { return }
        seen = done ? wanted : now
      } else {
        _ = unsafe skein_futex_wait(UnsafeRawPointer(word).assumingMemoryBound(to: UInt32.self), seen, -1)
        // Relaxed: a guess, which the exchange checks.
        seen = unsafe word.pointee.load(ordering: .relaxed)
      }
    }
  }

  /// Takes the mark away; the holder's thread only.
  ///
  /// - Returns: whether there was one, and so work in the list.
  func takeMark() -> Bool {
    // Relaxed: without the mark there is nothing to acquire, and `tryLeave` looks again.
    if unsafe word.pointee.load(ordering: .relaxed) & Self.marked == 0 { return false }
    // Acquire: sees the list; pairs with the releases in `enterOrMark` and `mark`.
    _ = unsafe word.pointee.bitwiseAnd(~Self.marked, ordering: .acquiring)
    return true
  }

  /// Opens the gate unless it is marked; the holder's thread only.
  ///
  /// - Returns: whether it is open.
  func tryLeave() -> Bool {
    // Relaxed: a guess, which the exchange checks.
    var seen = unsafe word.pointee.load(ordering: .relaxed)
    while seen & Self.marked == 0 {
      // Success releases what the holder did; pairs with the acquires on entry. Failure is a new guess.
      let (done, now) = unsafe word.pointee.compareExchange(
        expected: seen, desired: 0, successOrdering: .releasing, failureOrdering: .relaxed)
      if done {
        if seen & Self.sleepers != 0 {
          _ = unsafe skein_futex_wake(UnsafeRawPointer(word).assumingMemoryBound(to: UInt32.self), 1)
        }
        return true
      }
      seen = now
    }
    return false
  }
}
