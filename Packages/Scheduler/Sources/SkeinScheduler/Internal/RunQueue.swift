// RunQueue: a worker's strands in line. One owner pushes and pops, thieves take half.
//
// Owns:       256 slots and two cursors.
// Shared by:  its worker (push, pop) and any thief (moveHalf).
// Invariants:
//   I1  0 <= tail - head <= 256, taken modulo 2^32.
//   I2  slots head ..< tail hold retained strands. A slot is given away by the compare-exchange of `head` that
//       passes it; what a loser of that exchange read from the slot it forgets.
//   I3  only the owner writes `tail`.
// Source: the Go scheduler's per-processor queue (Vyukov, "Scalable Go Scheduler Design", 2012).

internal import SkeinPlatform
internal import Synchronization

@safe final class RunQueue: @unchecked Sendable {
  // @unchecked: `slots` is a raw pointer; I2 gives each slot one owner at a time.
  #if SKEIN_MODEL
  // Few, so that the ring is full and comes round in a checked run.
  static let capacity: UInt32 = 4
  #else
  static let capacity: UInt32 = 256
  #endif

  // MARK: Any thread
  private let head = Atomic<UInt32>(0)
  private let tail = Atomic<UInt32>(0)
  private let slots: UnsafeMutablePointer<Atomic<UInt>>

  init() {
    unsafe slots = .allocate(capacity: Int(Self.capacity))
    for index in 0..<Int(Self.capacity) { unsafe (slots + index).initialize(to: Atomic(0)) }
  }

  deinit {
    while pop() != nil {}
    unsafe slots.deinitialize(count: Int(Self.capacity))
    unsafe slots.deallocate()
  }

  /// Strands in line; a snapshot.
  var count: Int {
    // Sequentially consistent, both: a worker that goes to sleep looks here after it has said so, and who
    // pushes looks for sleepers afterwards.
    let tail = self.tail.load(ordering: .sequentiallyConsistent)
    return Int(Int32(truncatingIfNeeded: tail &- head.load(ordering: .sequentiallyConsistent)))
  }

  /// Whether a push by the owner will be accepted.
  var hasRoom: Bool { count < Int(Self.capacity) }

  private func slot(_ index: UInt32) -> UnsafeMutablePointer<Atomic<UInt>> {
    unsafe slots + Int(index & (Self.capacity - 1))
  }

  /// Adds a strand at the back, or hands it back when the queue is full. Owner's thread only.
  func push(_ strand: Strand) -> Strand? {
    // Acquire: a thief has read the slot before we fill it again; pairs with the release of its exchange.
    let head = self.head.load(ordering: .acquiring)
    // Relaxed: only this thread writes `tail` (I3).
    let tail = self.tail.load(ordering: .relaxed)
    if tail &- head >= Self.capacity { return strand }
    let bits = ReferenceWord.retain(strand)
    // Relaxed: published by the store of `tail`.
    unsafe slot(tail).pointee.store(bits, ordering: .relaxed)
    // Sequentially consistent: publishes the slot, and orders it before the owner's look for sleepers.
    self.tail.store(tail &+ 1, ordering: .sequentiallyConsistent)
    return nil
  }

  /// Takes the strand at the front. Owner's thread only.
  func pop() -> Strand? {
    // Acquire: as in `push`.
    var head = self.head.load(ordering: .acquiring)
    while true {
      // Relaxed: only this thread writes `tail` (I3).
      if self.tail.load(ordering: .relaxed) == head { return nil }
      // Relaxed: our own store, or forgotten when the exchange fails.
      let bits = unsafe slot(head).pointee.load(ordering: .relaxed)
      // Release: the slot was read before it can be filled again. Failure acquires as the first load does.
      let (taken, found) = self.head.compareExchange(
        expected: head, desired: head &+ 1, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
      if taken { return ReferenceWord.take(bits) }
      head = found
    }
  }

  /// Moves half of the strands, rounded up, into the thief's own queue, and returns one more to run at once.
  ///
  /// - Parameter destination: the calling worker's queue, which must be empty.
  func moveHalf(to destination: RunQueue) -> Strand? {
    // Acquire: as in `push`.
    var head = self.head.load(ordering: .acquiring)
    while true {
      // Acquire: the slots' contents; pairs with the store of `tail` in `push`.
      let tail = self.tail.load(ordering: .acquiring)
      let available = tail &- head
      if available == 0 || available > Self.capacity {
        if available == 0 { return nil }
        // The cursors were read at different times: look again.
        head = self.head.load(ordering: .acquiring)  // Acquire: as above.
        continue
      }
      let count = available - available / 2
      // Relaxed: the thief owns its tail (I3).
      let base = destination.tail.load(ordering: .relaxed)
      for index in 0..<count {
        // Relaxed: forgotten when the exchange below fails, published by the store of the tail otherwise.
        let bits = unsafe slot(head &+ index).pointee.load(ordering: .relaxed)
        unsafe destination.slot(base &+ index).pointee.store(bits, ordering: .relaxed)
      }
      // Release: the slots were read before they can be filled again; acquire: see the failure's load.
      let (taken, found) = self.head.compareExchange(
        expected: head, desired: head &+ count, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
      if taken {
        // Relaxed: our own store.
        let last = unsafe destination.slot(base &+ (count - 1)).pointee.load(ordering: .relaxed)
        // Sequentially consistent: as in `push`.
        destination.tail.store(base &+ (count - 1), ordering: .sequentiallyConsistent)
        return ReferenceWord.take(last)
      }
      head = found
    }
  }
}
