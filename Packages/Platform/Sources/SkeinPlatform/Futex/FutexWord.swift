// FutexWord: an atomic on which threads sleep in the kernel.
//
// The kernel puts a thread to sleep only while the word has the value that the thread expects. It looks at the word and
// queues the thread under one lock, which a wake takes too. So whoever changes the word and then wakes is either seen
// by the one that is about to sleep, or finds it asleep.

#if SKEIN_MODEL
internal import SkeinModelCheck
#else
internal import CSkeinPlatform
public import Synchronization
#endif

/// Four bytes, 0 at first, which threads change and on which they sleep.
@usableFromInline
@safe struct FutexWord: ~Copyable {
  @usableFromInline let cell = InlineCell(Atomic<UInt32>(0))
  #if SKEIN_MODEL
  private let sleepers = ModelSleepers()
  #endif

  @inlinable
  init() {}

  /// The word itself.
  @inlinable
  var atomic: UnsafeMutablePointer<Atomic<UInt32>> { unsafe cell.address }

  #if SKEIN_MODEL
  func sleep(while value: UInt32, until deadline: Int64 = -1) {
    unsafe sleepers.sleep(on: atomic, while: value, isForEver: deadline < 0)
  }

  func wakeOne() { sleepers.wakeOne() }
  #else
  /// Sleeps until woken, until `deadline`, or, rarely, for no reason; returns at once if the word is not `value`.
  ///
  /// - Parameter deadline: in nanoseconds of the monotonic clock; a negative one never comes.
  func sleep(while value: UInt32, until deadline: Int64 = -1) {
    _ = unsafe skein_futex_wait(UnsafeRawPointer(atomic).assumingMemoryBound(to: UInt32.self), value, deadline)
  }

  /// Wakes one of those that sleep.
  func wakeOne() {
    _ = unsafe skein_futex_wake(UnsafeRawPointer(atomic).assumingMemoryBound(to: UInt32.self), 1)
  }
  #endif
}

// @unchecked: the cell holds nothing but an atomic.
extension FutexWord: @unchecked Sendable {}
