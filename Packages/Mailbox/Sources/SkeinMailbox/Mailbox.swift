// Mailbox: a bounded queue of many producers and one consumer, written by the sender.
//
// Owns:       the blocks in which elements wait, and the word below.
// Shared by:  any number of producers, and the one holder of the MailboxConsumer.
//
// The word (MailboxWord): index of the next element, and the flags closed, awake, signalled,
// installing and bare. An index is a lap of sixteen positions: fifteen cells and one position that
// means "the next block is not linked yet".
//
//  1 claim    producer: compare-exchange index -> index + 1 and awake. It owns the cell, writes the
//             element and then the cell's mark. Whoever moved awake from 0 to 1 must schedule.
//  2 install  producer that finds offset 15: sets installing (others spin), links a new block behind the
//             last one (or as the first, when bare), and adds one step while it clears the flag.
//  3 rest     consumer: compare-exchange of a word with nothing unread and nothing signalled: clears
//             awake, and, when it gives back its storage, moves the index to the lap's end and sets bare.
//  4 signal   anybody: puts something into a side lane, then sets signalled and awake.
//  5 close    sets closed; claims fail from then on.
//
// No wake-up is lost: an element can only be claimed by changing the word, and the consumer can only
// rest by changing the very word in which it saw that there was none. Either the claim comes first, and
// rest fails, or rest comes first, and the claim finds awake clear and schedules. The same holds for 4.
//
// A producer never touches freed storage: it reads the last block's address after the word and before its
// claim. The index only grows (rest moves it on when it frees the block), so a claim that succeeds proves
// that the block is still the one of that index. An installer touches the block before its own only
// before its step, and the consumer leaves a block only after that step and after reading all its marks.

internal import SkeinPlatform
public import Synchronization

/// The producers' end of a bounded first-in, first-out mailbox.
///
/// A push answers at once with a ``PushReceipt``; nothing blocks. Make one with ``MailboxConsumer``:
///
/// ```swift
/// var consumer = MailboxConsumer<Int>(capacity: 1_024)
/// let mailbox = consumer.mailbox            // give this to the producers
/// ```
///
/// An empty mailbox that has given back its storage holds about 100 bytes.
///
/// - Thread safety: any thread.
@safe public final class Mailbox<Element: ~Copyable & Sendable> {
  /// Greatest number of elements that wait at once.
  public let capacity: Int

  // MARK: Any thread
  @usableFromInline let word = Atomic<UInt64>(MailboxWord.initial.bits)
  /// The block in which claims are made.
  @usableFromInline let lastBlock = Atomic<UInt>(0)
  /// The first block after a rest; taken by the consumer.
  @usableFromInline let firstBlock = Atomic<UInt>(0)
  /// A head that a producer has seen.
  @usableFromInline let knownHead = Atomic<UInt64>(15)
  /// The consumer's index, as last published.
  @usableFromInline let head = Atomic<UInt64>(15)
  @usableFromInline let refusals = Atomic<Int>(0)
  @usableFromInline let system: SystemLane<Element>

  @usableFromInline
  init(capacity: Int) {
    precondition(capacity > 0, "a mailbox holds at least one element")
    self.capacity = capacity
    unsafe system = SystemLane()
  }

  /// Adds `element` at the back.
  ///
  /// - Returns: `.delivered`, or the element itself: `.busy` when ``capacity`` elements wait, `.closed` after a close.
  /// - Complexity: O(1); one atomic step when nobody contends, an allocation for every fifteenth element.
  @inlinable
  public func push(_ element: consuming Element) -> PushReceipt<Element> {
    // Acquire: sees the block that was linked before the index moved into it; pairs with the step in `install`.
    var word = MailboxWord(bits: self.word.load(ordering: .acquiring))
    while true {
      if word.has(MailboxWord.closed) { return .closed(element) }
      if !word.has(MailboxWord.bare) && !hasRoom(word.index) { return refuse(element) }
      if word.offset == 15 {
        word = install(after: word)
        continue
      }
      // Acquire: if this shows a later block, the compare-exchange below must see a later word and fail;
      // pairs with the release store in `install`.
      let block = lastBlock.load(ordering: .acquiring)
      // Success acquires the consumer's last rest and releases nothing yet (the mark does); failure
      // acquires as the first load does.
      let (claimed, found) = self.word.compareExchange(
        expected: word.bits, desired: (word.bits &+ MailboxWord.step) | MailboxWord.awake,
        successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
      if claimed {
        let storage = unsafe Block<Element>(base: UnsafeMutableRawPointer(bitPattern: block)!)
        unsafe storage.fill(word.offset, with: element)
        // Release: publishes the element; pairs with the acquire in `dequeue`.
        unsafe storage.mark(word.offset).pointee.store(1, ordering: .releasing)
        return .delivered(mustSchedule: !word.has(MailboxWord.awake))
      }
      word = MailboxWord(bits: found)
    }
  }

  /// Whether fewer than ``capacity`` elements wait before `index`.
  ///
  /// The producers keep a head that one of them has seen, and look at the consumer's own, which changes with each element
  /// that is read, only when there is no room by that.
  @inlinable
  func hasRoom(_ index: UInt64) -> Bool {
    let position = MailboxWord.position(index)
    // Relaxed: an old head only makes the mailbox look fuller.
    if position &- MailboxWord.position(knownHead.load(ordering: .relaxed)) < capacity { return true }
    // Relaxed: as above. After a rest the word's acquire shows the last one.
    let read = head.load(ordering: .relaxed)
    if position &- MailboxWord.position(read) >= capacity { return false }
    // Relaxed: a hint.
    knownHead.store(read, ordering: .relaxed)
    return true
  }

  @usableFromInline
  func refuse(_ element: consuming Element) -> PushReceipt<Element> {
    // Relaxed: a count for people.
    refusals.add(1, ordering: .relaxed)
    return .busy(element)
  }

  /// Links a block for the lap after `word`, or waits until another producer has; returns a new look.
  @usableFromInline
  func install(after word: MailboxWord) -> MailboxWord {
    if word.has(MailboxWord.installing) {
      skeinRelax()
      // Acquire: as in `push`.
      return MailboxWord(bits: self.word.load(ordering: .acquiring))
    }
    // Success acquires the earlier installer's work and the consumer's rest; failure is a new look, as in `push`.
    let (mine, found) = self.word.compareExchange(
      expected: word.bits, desired: word.bits | MailboxWord.installing,
      successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
    guard mine else { return MailboxWord(bits: found) }
    let block = unsafe Block<Element>.allocate()
    let address = unsafe UInt(bitPattern: block.base)
    var change = MailboxWord.step &- MailboxWord.installing
    if word.has(MailboxWord.bare) {
      change &-= MailboxWord.bare
      // Relaxed, both: the step below publishes them, and the consumer looks only after it.
      head.store(word.index, ordering: .relaxed)
      firstBlock.store(address, ordering: .relaxed)
    } else {
      // Relaxed: written by the installer before us, whose step our compare-exchange acquired.
      let previous = unsafe Block<Element>(
        base: UnsafeMutableRawPointer(bitPattern: lastBlock.load(ordering: .relaxed))!)
      // Release: publishes the block's marks; pairs with the acquire in `dequeue`.
      unsafe previous.next.pointee.store(address, ordering: .releasing)
    }
    // Release: pairs with the acquire in `push`, which must not see this block with an older word.
    lastBlock.store(address, ordering: .releasing)
    // Release: publishes all of the above with the new index; pairs with the acquires in `push` and `dequeue`.
    return MailboxWord(bits: self.word.wrappingAdd(change, ordering: .acquiringAndReleasing).newValue)
  }

  /// Adds `element` to the system lane, which is never busy and is read before the others.
  ///
  /// For answers and system messages, whose number something else bounds.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller. Elements are
  ///   accepted after a close too.
  /// - Complexity: O(1), one allocation.
  public func pushSystem(_ element: consuming Element) -> Bool {
    unsafe system.push(element)
    return signal()
  }

  /// Tells the consumer to look at its side lanes.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller.
  @inlinable
  public func signal() -> Bool {
    // Release: publishes what the caller put into the side lane; pairs with the acquire in `takeSignal`.
    // Acquire: sees the consumer's last rest, since the caller may become the one who runs it.
    let old = word.bitwiseOr(MailboxWord.signalled | MailboxWord.awake, ordering: .acquiringAndReleasing).oldValue
    return old & MailboxWord.awake == 0
  }

  /// Makes a consumer at rest awake without giving it anything.
  ///
  /// - Returns: `true` when it was at rest and open: the caller now has to run or schedule it.
  @inlinable
  public func tryAwaken() -> Bool {
    // Relaxed: a guess that the compare-exchange verifies.
    let seen = word.load(ordering: .relaxed)
    if seen & (MailboxWord.awake | MailboxWord.closed | MailboxWord.installing) != 0 { return false }
    // Success acquires what the consumer did before its rest, since the caller continues it. Failure reads nothing.
    return word.compareExchange(
      expected: seen, desired: seen | MailboxWord.awake, successOrdering: .acquiringAndReleasing,
      failureOrdering: .relaxed
    ).exchanged
  }

  /// Whether pushes are refused for good.
  public var isClosed: Bool {
    // Relaxed: a snapshot.
    MailboxWord(bits: word.load(ordering: .relaxed)).has(MailboxWord.closed)
  }

  /// Elements that wait now; a snapshot that may count elements which were just read.
  public var count: Int {
    // Acquire: so that the head is not older than the word's last rest.
    let word = MailboxWord(bits: self.word.load(ordering: .acquiring))
    if word.has(MailboxWord.bare) { return 0 }
    // Relaxed: a snapshot.
    return max(0, MailboxWord.position(word.index) &- MailboxWord.position(head.load(ordering: .relaxed)))
  }

  /// Whether it is worth trying again after a push that was refused for lack of room: there is some, or it is closed.
  ///
  /// Sequentially consistent with the consumer's ``MailboxConsumer/rest()`` and ``MailboxConsumer/close()``: who says
  /// that it waits, in a sequentially consistent step, and then finds this `false`, is seen by whoever looks after those.
  public var mayTakeMore: Bool {
    // Sequentially consistent: see above.
    let word = MailboxWord(bits: self.word.load(ordering: .sequentiallyConsistent))
    if word.has(MailboxWord.bare | MailboxWord.closed) { return true }
    // Relaxed: while the consumer is awake it looks again later.
    return MailboxWord.position(word.index) &- MailboxWord.position(head.load(ordering: .relaxed)) < capacity
  }

  /// Pushes that were answered with `.busy`.
  public var refusedCount: Int {
    // Relaxed: a count for people.
    refusals.load(ordering: .relaxed)
  }
}

// @unchecked: cells pass from the one producer that claimed them to the one consumer, by the argument above.
extension Mailbox: @unchecked Sendable where Element: ~Copyable {}
