// MailboxConsumer: the one end that reads. A move-only value, so that the type system keeps it single.
//
// What it holds is touched only by whoever is awake for the mailbox: the thread that got
// `mustSchedule`, `signal() == true` or `tryAwaken() == true`, until `rest()` answers true.

public import Synchronization

/// The consumer's end of a ``Mailbox``.
///
/// The consumer is either *at rest* or *awake*. Whoever is told to schedule it runs it: dequeues,
/// takes signals, and calls ``rest()`` until that answers `true`.
///
/// ```swift
/// while let element = consumer.dequeue() { handle(element) }
/// ```
///
/// - Thread safety: one thread at a time, handed on by the protocol above.
@safe public struct MailboxConsumer<Element: ~Copyable & Sendable>: ~Copyable, Sendable {
  /// The producers' end.
  public let mailbox: Mailbox<Element>
  /// Most elements that were seen waiting at once.
  public private(set) var highWaterMark = 0

  /// Index of the next element to read.
  @usableFromInline var cursor: UInt64 = 15
  /// Address of the block of `cursor`; 0 when there is none.
  @usableFromInline var block: UInt = 0
  /// The index up to which elements are known to be claimed.
  @usableFromInline var knownIndex: UInt64 = 15

  /// Makes an empty mailbox, at rest, without storage.
  ///
  /// - Parameter capacity: greatest number of waiting elements, 1 or more. Storage grows as they come.
  public init(capacity: Int = 1_024) { mailbox = Mailbox(capacity: capacity) }

  deinit {
    // The last reader is gone: what is unread is dropped, and the storage with it.
    var rest = MailboxRemains(mailbox: mailbox, cursor: cursor, block: block)
    rest.dropAll()
  }

  /// Takes the element at the front.
  ///
  /// - Returns: `nil` when nothing waits, or when the next one is claimed by a producer that has not
  ///   finished writing it (``rest()`` then answers `false`: look again later).
  /// - Complexity: O(1).
  @inlinable
  public mutating func dequeue() -> Element? {
    if cursor == knownIndex {
      look()
      if cursor == knownIndex { return nil }
    }
    if cursor & 15 == 15 { advanceToNextBlock() }
    let storage = unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!)
    let offset = Int(truncatingIfNeeded: cursor & 15)
    // Acquire: sees the element; pairs with the release store of the mark in `push`.
    if unsafe storage.mark(offset).pointee.load(ordering: .acquiring) == 0 {
      if unsafe !awaitMark(storage, offset) { return nil }
    }
    let element = unsafe storage.empty(offset)
    cursor &+= 1
    // Release: the element was moved out before its place counts as free; the producers' relaxed loads are hints.
    mailbox.head.store(cursor, ordering: .releasing)
    return element
  }

  /// Learns how far producers have got.
  @usableFromInline
  mutating func look() {
    // Acquire: sees the blocks that were linked; pairs with the releases in `install`.
    let word = MailboxWord(bits: mailbox.word.load(ordering: .acquiring))
    knownIndex = cursor
    if word.has(MailboxWord.bare) { return }
    let waiting = MailboxWord.position(word.index) &- MailboxWord.position(cursor)
    if waiting == 0 { return }
    if waiting > highWaterMark { highWaterMark = waiting }
    // (lap + 1, 0) is the same position as (lap, 15): nothing of the new lap may be read.
    knownIndex = word.offset == 0 ? word.index &- 1 : word.index
  }

  @usableFromInline
  mutating func advanceToNextBlock() {
    let next: UInt
    if block == 0 {
      // Relaxed: written before the step that `look` acquired.
      next = mailbox.firstBlock.exchange(0, ordering: .relaxed)
    } else {
      let storage = unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!)
      // Acquire: pairs with the release store in `install`.
      next = unsafe storage.next.pointee.load(ordering: .acquiring)
      unsafe storage.deallocate()
    }
    precondition(next != 0, "an index beyond a lap was seen before its block")
    block = next
    cursor &+= 1
  }

  /// Waits a moment for a producer between its claim and its mark.
  @usableFromInline
  func awaitMark(_ storage: Block<Element>, _ offset: Int) -> Bool {
    for _ in 0..<64 {
      skeinRelax()
      // Acquire: as in `dequeue`.
      if unsafe storage.mark(offset).pointee.load(ordering: .acquiring) != 0 { return true }
    }
    return false
  }

  /// Takes the signal that a side lane holds something.
  ///
  /// - Returns: whether there was one. Look into every side lane after `true`.
  @inlinable
  public mutating func takeSignal() -> Bool {
    // Relaxed: a look; the exchange below synchronizes.
    if mailbox.word.load(ordering: .relaxed) & MailboxWord.signalled == 0 { return false }
    // Acquire: sees what was put into the lane before the signal; pairs with the release in `signal`.
    let old = mailbox.word.bitwiseAnd(~MailboxWord.signalled, ordering: .acquiringAndReleasing).oldValue
    return old & MailboxWord.signalled != 0
  }

  /// Takes everything out of the system lane, oldest first.
  @inlinable
  public mutating func takeSystem() -> SystemBatch<Element> { unsafe SystemBatch(mailbox.system.takeAll()) }

  /// Goes to rest if there is nothing to do, giving the storage back.
  ///
  /// - Returns: `true` when the consumer is at rest: the caller must not touch it any more. `false` when
  ///   something waits or was signalled: the consumer stays awake, with the caller.
  /// - Complexity: O(1); one atomic step.
  @inlinable
  public mutating func rest() -> Bool {
    // Acquire: as in `look`.
    let word = MailboxWord(bits: mailbox.word.load(ordering: .acquiring))
    if word.has(MailboxWord.signalled | MailboxWord.installing) { return false }
    if word.has(MailboxWord.bare) {
      // Release: hands the consumer's state to whoever wakes it; pairs with the acquires of the claims.
      return mailbox.word.compareExchange(
        expected: word.bits, desired: word.bits & ~MailboxWord.awake, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed
      ).exchanged
    }
    return restWithStorage(word)
  }

  @usableFromInline
  mutating func restWithStorage(_ word: MailboxWord) -> Bool {
    if MailboxWord.position(word.index) != MailboxWord.position(cursor) { return false }
    if cursor & 15 == 15 && word.index != cursor {
      // The next lap is linked and empty: step into it, so that there is one block to give back.
      advanceToNextBlock()
    }
    let (oldCursor, oldBlock) = (cursor, block)
    cursor |= 15
    knownIndex = cursor
    block = 0
    let bits = (cursor << 5) | (word.bits & MailboxWord.closed) | MailboxWord.bare
    // Release: hands the consumer's state to whoever wakes it; pairs with the acquires of the claims.
    // Failure: somebody pushed or signalled; nothing is read from it here.
    // Sequentially consistent: see `Mailbox.mayTakeMore`.
    let rests = mailbox.word.compareExchange(
      expected: word.bits, desired: bits, successOrdering: .sequentiallyConsistent, failureOrdering: .relaxed
    ).exchanged
    if rests {
      // Nobody else can reach this block: the index has left its lap for good.
      unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: oldBlock)!).deallocate()
    } else {
      cursor = oldCursor
      block = oldBlock
      knownIndex = oldCursor
    }
    return rests
  }

  /// Goes to rest although elements may be unread; only a signal or a push ends that rest.
  ///
  /// For a consumer that takes nothing for a while. Storage stays.
  ///
  /// - Returns: `false` when something was signalled: the consumer stays awake, with the caller.
  public mutating func restHolding() -> Bool {
    // Acquire: as in `look`.
    let word = MailboxWord(bits: mailbox.word.load(ordering: .acquiring))
    if word.has(MailboxWord.signalled | MailboxWord.installing) { return false }
    // Release: hands the consumer's state to whoever wakes it; pairs with the acquires of the claims.
    // Sequentially consistent: see `Mailbox.mayTakeMore`.
    return mailbox.word.compareExchange(
      expected: word.bits, desired: word.bits & ~MailboxWord.awake, successOrdering: .sequentiallyConsistent,
      failureOrdering: .relaxed
    ).exchanged
  }

  /// Refuses pushes from now on. What was accepted before stays and must be dequeued.
  ///
  /// To take over everything, dequeue until ``hasUnread`` is false.
  public mutating func close() {
    // Acquire: sees every claim before the close; release: orders the consumer's work before it.
    // Sequentially consistent: see `Mailbox.mayTakeMore`.
    mailbox.word.bitwiseOr(MailboxWord.closed, ordering: .sequentiallyConsistent)
  }

  /// Whether elements were accepted that have not been dequeued.
  public var hasUnread: Bool {
    // Acquire: as in `look`.
    let word = MailboxWord(bits: mailbox.word.load(ordering: .acquiring))
    return !word.has(MailboxWord.bare) && MailboxWord.position(word.index) != MailboxWord.position(cursor)
  }
}
