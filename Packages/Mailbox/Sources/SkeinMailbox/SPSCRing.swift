// SPSCRing: a bounded queue between exactly one producer and one consumer.
//
// Owns:       the slot memory and the two cursors.
// Shared by:  one producer and one consumer, which may be on different threads.
// Invariants (hold whenever either side is outside a method):
//   I1  0 <= tail - head <= capacity; both cursors only grow.
//   I2  slot i is initialized exactly when head <= i < tail (modulo capacity).
//   I3  only the producer writes `tail`; only the consumer writes `head`.
//   I4  knownHead <= head and knownTail <= tail: a cached cursor is old, never wrong.
// Source: Lê, Guatto, Cohen, Pop, "Correct and Efficient Bounded FIFO Queues",
//         SBAC-PAD 2013, for the orderings and the cached cursors used below.

public import Synchronization

/// A bounded first-in, first-out queue with one producer and one consumer.
///
/// Neither side blocks or allocates. Use ``Mailbox`` when several threads send.
///
/// - Thread safety: call ``push(_:)`` from one thread at a time and ``pop()`` from one thread at a
///   time; the two may run at once.
@safe public final class SPSCRing<Element: ~Copyable & Sendable> {
  /// Greatest number of elements held at once; a power of two.
  public let capacity: Int

  @usableFromInline let slots: UnsafeMutablePointer<Element>

  // MARK: Producer's line
  @usableFromInline let tail = Atomic<Int>(0)
  /// The producer's last look at `head`. Unchecked: only the producer touches it.
  @exclusivity(unchecked) @usableFromInline var knownHead = 0
  // Keeps the consumer's line off the producer's: 128 bytes, since pairs of lines are fetched together.
  @usableFromInline let padding: InlineArray<14, Int> = .init(repeating: 0)

  // MARK: Consumer's line
  @usableFromInline let head = Atomic<Int>(0)
  /// The consumer's last look at `tail`. Unchecked: only the consumer touches it.
  @exclusivity(unchecked) @usableFromInline var knownTail = 0

  /// Creates an empty ring.
  ///
  /// - Parameter capacity: slots to allocate; a power of two, 1 or more.
  /// - Complexity: O(`capacity`), and the only allocation this type makes.
  public init(capacity: Int) {
    precondition(capacity > 0, "capacity must be 1 or more")
    precondition(capacity.nonzeroBitCount == 1, "capacity must be a power of two")
    self.capacity = capacity
    unsafe self.slots = .allocate(capacity: capacity)
  }

  deinit {
    while pop() != nil {}
    unsafe slots.deallocate()
  }

  /// Adds `element` at the back, or hands it back when the ring is full.
  ///
  /// - Returns: `nil` when stored; `element` itself when the ring is full.
  /// - Complexity: O(1), wait-free.
  @inlinable
  public func push(_ element: consuming Element) -> Element? {
    // Relaxed: only this thread writes `tail` (I3).
    let tail = self.tail.load(ordering: .relaxed)
    if unsafe tail - knownHead == capacity {
      // Acquire: pairs with the release store of `head` in `pop`, so the consumer
      // has finished moving out of the slot that we are about to reuse.
      unsafe knownHead = head.load(ordering: .acquiring)
      if unsafe tail - knownHead == capacity { return element }
    }
    unsafe (slots + (tail & (capacity - 1))).initialize(to: element)
    // Release: publishes the slot; pairs with the acquire load of `tail` in `pop`.
    self.tail.store(tail + 1, ordering: .releasing)
    return nil
  }

  /// Takes the element at the front, or `nil` when the ring is empty.
  ///
  /// - Complexity: O(1), wait-free.
  @inlinable
  public func pop() -> Element? {
    // Relaxed: only this thread writes `head` (I3).
    let head = self.head.load(ordering: .relaxed)
    if unsafe head == knownTail {
      // Acquire: pairs with the release store of `tail` in `push`: the slot's content is there.
      unsafe knownTail = tail.load(ordering: .acquiring)
      if unsafe head == knownTail { return nil }
    }
    let element = unsafe (slots + (head & (capacity - 1))).move()
    // Release: the slot is empty before the producer may fill it; pairs with the acquire load in `push`.
    self.head.store(head + 1, ordering: .releasing)
    return element
  }
}

// @unchecked: `slots` is a raw pointer. I2 and I3 give each slot one owner at a time,
// and the acquire/release pairs above order the hand-over.
extension SPSCRing: @unchecked Sendable where Element: ~Copyable {}
