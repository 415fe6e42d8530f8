// ActivationView: what other threads may see of the activation that a worker runs.
//
// The strand of an activation may be gone a moment after it has ended, so who looks at it has to keep it there:
//   inspector  sets `isInspected`, makes a barrier for all threads, and reads the worker's `turn`. If that is odd, the
//              activation has not ended, and cannot: its worker will see the flag. It reads, and clears the flag.
//   worker     ends the activation (`turn` becomes even), then reads the flag, and waits while it is set.
// Either the inspector sees the even turn, or the worker sees the flag: between the two steps of the worker stands no
// instruction that costs anything, since the inspector's barrier orders them for it (membarrier).

internal import CSkeinPlatform
internal import SkeinPlatform
internal import Synchronization

/// A worker's running strand, for other threads.
struct ActivationView: ~Copyable {
  // MARK: Written by the worker, read by any thread
  private let strand = Atomic<UInt>(0)
  private let began = Atomic<Int64>(0)
  // MARK: Any thread
  private let isInspected = Atomic<Bool>(false)
  /// Held by the inspector, of whom there is one at a time; counts them. (Not empty: a lock round nothing shares its
  /// address with what comes next, and ThreadSanitizer reports that.)
  private let inspections = Lock(0)

  /// Says which strand runs from now on. The worker's thread, before `turn` becomes odd.
  func begin(_ strand: Strand, at instant: Int64) {
    // Relaxed, both: published by the release of `turn`.
    self.strand.store(unsafe UInt(bitPattern: Unmanaged.passUnretained(strand).toOpaque()), ordering: .relaxed)
    began.store(instant, ordering: .relaxed)  // Relaxed: as above.
  }

  /// Waits while somebody looks at the strand. The worker's thread, after `turn` became even.
  @inline(__always)
  func waitForInspector() {
    // Acquire: the inspector has looked; pairs with the store of false in `inspect`.
    while isInspected.load(ordering: .acquiring) { PlatformThread.yield() }
  }

  /// The label of the running strand, and when its activation began in nanoseconds; `nil` when none runs, or the kernel
  /// has no barrier.
  ///
  /// - Parameter turn: the worker's.
  func inspect(turn: borrowing Atomic<UInt64>) -> (label: String, began: Int64)? {
    inspections.withLock { count in
      count &+= 1
      // Sequentially consistent: said before the look at `turn`; see the argument above.
      isInspected.store(true, ordering: .sequentiallyConsistent)
      // Release: the looks are over; pairs with the load in `waitForInspector`.
      defer { isInspected.store(false, ordering: .releasing) }
      guard skein_process_barrier() == 0 else { return nil }
      // Sequentially consistent: after the store above. Acquires what `begin` wrote.
      guard turn.load(ordering: .sequentiallyConsistent) % 2 == 1 else { return nil }
      // Relaxed, both: published by the release of `turn`.
      let word = strand.load(ordering: .relaxed)
      let instant = began.load(ordering: .relaxed)  // Relaxed: as above.
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: word) else { return nil }
      return unsafe Unmanaged<Strand>.fromOpaque(pointer)._withUnsafeGuaranteedRef { ($0.label, instant) }
    }
  }
}
