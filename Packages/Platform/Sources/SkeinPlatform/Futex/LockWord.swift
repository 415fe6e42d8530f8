// LockWord: mutual exclusion in four bytes.
//
// States:  open, held, contended: held, and somebody may sleep.
//   open -> held            a thread that takes the lock without having slept
//   open, held -> contended a thread that is about to sleep, or has slept
//   held, contended -> open the holder; it wakes one sleeper if the lock was contended
// One holder: only the thread whose step finds `open` and replaces it goes on, and only the holder writes `open`.
// What a holder wrote is seen by the next one: the step that finds `open` acquires, and the one that wrote it released.
// Nobody sleeps for ever, while holders let go:
//   L1  a thread falls asleep only while the word says contended (the kernel compares); see FutexWord.
//   L2  contended ends only with the holder's exchange to open, and then that holder wakes one sleeper.
//   L3  the one that is woken takes the lock, or marks it, with an exchange to contended: it cannot know whether others
//       sleep, so it says that they may. Were it to write held, the next holder would wake nobody.
//   So as long as somebody sleeps, the word says contended or one that was woken is on its way to say so. A thread that
//   takes an open lock meanwhile makes it held, and finds it contended when that one has come.
// It is not fair: a thread that runs takes the lock before one that must first wake up, which costs 10 µs and more.
// Synchronization.Mutex hands the lock to the sleeper (a futex with priority inheritance), so that with many contenders
// each turn costs that much.
// ThreadSanitizer sees all of it: each step is an atomic one of a module that it has compiled.
// Source: Ulrich Drepper, "Futexes Are Tricky", 2011, the second mutex, with the spinning before the sleep.

public import Synchronization

#if !SKEIN_MODEL
internal import CSkeinPlatform
#endif

/// Who has a lock, and whether somebody waits for it.
@usableFromInline
@safe struct LockWord: ~Copyable {
  @usableFromInline let word = FutexWord()

  @usableFromInline static var open: UInt32 { 0 }
  @usableFromInline static var held: UInt32 { 1 }
  @usableFromInline static var contended: UInt32 { 2 }
  #if SKEIN_MODEL
  // A run in which somebody sleeps must not need many deviations.
  private static var maxSpins: Int { 1 }
  private func relax() {}
  #else
  /// Looks at a held lock before sleeping: about 2 µs, less than a sleep costs, more than a short turn.
  private static var maxSpins: Int { 40 }
  private func relax() { skein_cpu_relax() }
  #endif

  @inlinable
  init() {}

  /// Takes the lock, after all who have it.
  @inlinable
  func lock() { if !tryLock() { waitAndLock() } }

  /// Takes the lock if nobody has it.
  @inlinable
  func tryLock() -> Bool {
    // Acquire: sees what the last holder wrote; pairs with the exchange in `unlock`. Failure is relaxed: nothing is
    // read on account of it.
    unsafe word.atomic.pointee.compareExchange(
      expected: Self.open, desired: Self.held, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  /// Lets go of the lock.
  @inlinable
  func unlock() {
    // Release: publishes what the holder wrote; pairs with the acquires in `tryLock` and `waitAndLock`.
    if unsafe word.atomic.pointee.exchange(Self.open, ordering: .releasing) == Self.contended { wakeOne() }
  }

  @usableFromInline
  @inline(never)
  func waitAndLock() {
    if spin() == Self.open && tryLock() { return }
    // Acquire: as in `tryLock`.
    while unsafe word.atomic.pointee.exchange(Self.contended, ordering: .acquiring) != Self.open {
      word.sleep(while: Self.contended)
      _ = spin()
    }
  }

  /// Looks for a while, as long as nobody else waits; returns what it saw last.
  private func spin() -> UInt32 {
    var state = Self.held
    for _ in 0..<Self.maxSpins {
      // Relaxed: a hint; the step that takes the lock acquires.
      state = unsafe word.atomic.pointee.load(ordering: .relaxed)
      if state != Self.held { break }
      relax()
    }
    return state
  }

  @usableFromInline
  @inline(never)
  func wakeOne() { word.wakeOne() }
}
