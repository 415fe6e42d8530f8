// MailboxCore: a bounded queue of many producers and one consumer, written by the sender.
//
// Owns:       the blocks in which elements wait, and the words below.
// Shared by:  any number of producers, and the one who is awake for it: the consumer.
//
// The word (MailboxWord): index of the next element, room that is known, and the flags closed, awake, signalled,
// installing, bare, wide and inlined. As many elements as a block has cells share it; an index that is a multiple of
// that number needs a new one. A wide block begins where its size divides the index, while the consumer does not rest.
//
//  1 claim    producer: compare-exchange index + 1, room - 1, awake. It owns the cell, writes the element and then the
//             cell's mark. Whoever moved awake from 0 to 1 must schedule.
//             The first claim after a rest takes the cell in the mailbox itself, and says so by inlined.
//  2 install  producer that finds no cell: sets installing and awake (others wait), links a block behind the last one
//             (or as the first, when bare), and claims its cell with the step that clears installing and bare.
//  3 rest     consumer: compare-exchange of a word with nothing unread, nothing signalled and nobody installing: clears
//             awake, and, when it gives back its storage, sets bare and all the room there is.
//  4 signal   anybody: puts something into a side lane, then sets signalled and awake.
//  5 close    sets closed; claims fail from then on.
//
// No wake-up is lost: an element can only be claimed by changing the word, and the consumer can only rest by changing
// the very word in which it saw that there was none. Either the claim comes first, and rest fails, or rest comes
// first, and the claim finds awake clear and schedules. The same holds for 4.
//
// The room is exact. head counts what was read; waiting = index - head. Always room <= capacity - waiting: a claim
// takes 1 from both sides, a read adds 1 to the right. Where it says 0, a producer reads head and claims with
// capacity - waiting in its place; its compare-exchange proves that the index was still that one, and a head that is
// old only makes the mailbox look fuller than it is. So the capacity is never exceeded, and a producer that knows of a
// read knows of the room: it is refused only when so many waited at the moment of its look at head.
//
// A producer never touches storage that was given back: it reads the last block's address after the word and before
// its claim. Word and block go together: the last block changes only between the two steps of an install, whose second
// moves the index on, and rest, which frees it, leaves bare, which only an install ends. (The inline cell belongs to the
// mailbox, and is free after each rest.) The index does not come back,
// so a claim that succeeds proves that the block is still the one of that word. An installer touches the block before
// its own only before its second step, and the consumer leaves a block only when it is linked to the next one and all
// its marks were read.
//
// Who writes where: producers the word and the last block; the consumer head and block, 64 bytes further, which
// producers read only when the word knows of no room, and the consumer does not read the word while marks tell it of
// elements. So a message moves its cell and its mark between the cores and nothing else.

public import Synchronization

/// A bounded first-in, first-out mailbox without an object of its own, for a type that contains one.
///
/// ``Mailbox`` and ``MailboxConsumer`` are the same with a type system that keeps the consumer single. Who contains a
/// core does that itself: the functions under "Consumer" belong to the one thread that is awake for the mailbox, which
/// is the one that got `mustSchedule`, `signal() == true` or `tryAwaken() == true`, until ``rest()`` answers true.
///
/// Make it the first stored property of a final class: its parts for producers and for the consumer then lie on
/// different cache lines. It is 112 bytes, and holds nothing else at rest.
///
/// - Thread safety: any thread, but for the consumer's functions.
@safe public struct MailboxCore<Element: ~Copyable & Sendable>: ~Copyable {
  // MARK: Producers
  @usableFromInline let word: Atomic<UInt64>
  /// The block in which claims are made.
  @usableFromInline let lastBlock = Atomic<UInt>(0)

  // MARK: Any thread, seldom
  /// From an installer to the consumer: the first block after a rest, marked by an odd address. From the consumer to
  /// installers: the last of a stack of wide blocks that were read. Else 0.
  @usableFromInline let passage = Atomic<UInt>(0)
  @usableFromInline let system: SystemLane<Element>
  /// A ``MailboxLedger``, when something was refused.
  @usableFromInline let ledger = Atomic<UInt>(0)
  /// Greatest number of elements that wait at once.
  public let capacity: Int
  /// Most elements that the consumer saw waiting.
  @usableFromInline let peak = Atomic<Int>(0)
  @usableFromInline let policy: UInt64

  // MARK: Consumer
  /// How many elements were read, modulo 2^32.
  @usableFromInline let head = Atomic<UInt32>(0)
  /// Whether somebody has signalled: a hint on the consumer's line, so that it need not look at the word.
  @usableFromInline let hint = Atomic<Bool>(false)
  /// 1 when the element of ``inline`` is there.
  @usableFromInline let inlineMark = Atomic<UInt8>(0)
  /// Where the consumer last found nothing, modulo 2^16; anything else after a rest.
  @usableFromInline let emptyAt = Atomic<UInt16>(.max)
  /// The block that is read; odd when it is read through; 1 when there is none, 3 when the inline cell was read.
  @usableFromInline let block = Atomic<UInt>(1)

  // MARK: First a producer, then the consumer
  @usableFromInline let inline = InlineCell<Element>()

  /// Makes an empty mailbox, at rest, without storage.
  ///
  /// - Parameters:
  ///   - capacity: greatest number of waiting elements, 1 to 2^31 - 1. Storage grows as they come.
  ///   - busyPolicy: what ``post(_:)`` does when so many wait.
  @inlinable
  public init(capacity: Int = 1_024, busyPolicy: BusyPolicy = .refuse) {
    precondition(capacity > 0, "a mailbox holds at least one element")
    precondition(capacity <= Int(Int32.max), "a mailbox counts its elements in 32 bits")
    self.capacity = capacity
    policy = UInt64(busyPolicy.rawValue)
    word = Atomic(MailboxWord(bits: MailboxWord.bare).with(room: capacity).bits)
    unsafe system = SystemLane()
  }

  @inlinable
  deinit {
    dropAll()
    // Relaxed: nobody else is left.
    let counts = ledger.load(ordering: .relaxed)
    if counts != 0 { unsafe MailboxLedger.free(UnsafeMutablePointer(bitPattern: counts).unsafelyUnwrapped) }
  }

  // MARK: - Producers

  /// Adds `element` at the back.
  ///
  /// - Returns: `.delivered`, or the element itself: `.busy` when ``capacity`` elements wait, `.closed` after a close.
  /// - Complexity: O(1); one atomic step when nobody contends, two and mostly no allocation for every sixteenth.
  @inlinable
  public func push(_ element: consuming Element) -> PushReceipt<Element> {
    // Acquire: sees the block that was linked before the index moved into it; pairs with the step in `install`.
    let seen = MailboxWord(bits: word.load(ordering: .acquiring))
    let offset = unsafe Block<Element>.offset(seen.index, isWide: seen.has(MailboxWord.wide))
    if seen.isClaimable(offset) {
      // Acquire: if this shows a later block, the compare-exchange below must see a later word and fail;
      // pairs with the release store in `install`.
      let block = lastBlock.load(ordering: .acquiring)
      // Success acquires the consumer's last rest and releases nothing yet (the mark does). Failure reads nothing.
      if word.compareExchange(
        expected: seen.bits, desired: seen.claimed.bits, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed
      ).exchanged {
        unsafe Block<Element>(block).put(element, at: offset)
        return .delivered(mustSchedule: !seen.has(MailboxWord.awake))
      }
    }
    return pushSlowly(element)
  }

  /// A push that contends, needs a block or has to ask for room.
  @inlinable
  @inline(never)
  func pushSlowly(_ element: consuming Element) -> PushReceipt<Element> {
    var turns = 0
    while true {
      // Acquire: as in `push`.
      let seen = MailboxWord(bits: word.load(ordering: .acquiring))
      if seen.has(MailboxWord.closed) { return .closed(element) }
      if seen.has(MailboxWord.installing) {
        skeinRelax(&turns)
        continue
      }
      if InlineCell<Element>.isRoomy && seen.bits & (MailboxWord.bare | MailboxWord.inlined) == MailboxWord.bare {
        // Success acquires the consumer's last rest: the cell is empty. Failure reads nothing.
        if word.compareExchange(
          expected: seen.bits, desired: seen.claimed.bits | MailboxWord.inlined,
          successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed
        ).exchanged {
          inline.put(element)
          // Release: publishes the element; pairs with the acquire in `dequeueInline`.
          inlineMark.store(1, ordering: .releasing)
          return .delivered(mustSchedule: !seen.has(MailboxWord.awake))
        }
        continue
      }
      let room = seen.room > 0 ? seen.room : roomNow(at: seen.index)
      if room <= 0 {
        countRefusal()
        return .busy(element)
      }
      let known = seen.with(room: room)
      let offset = unsafe Block<Element>.offset(seen.index, isWide: seen.has(MailboxWord.wide))
      if offset == 0 || seen.has(MailboxWord.bare) {
        let isWide = unsafe !seen.has(MailboxWord.bare) && Block<Element>.offset(seen.index, isWide: true) == 0
        let new = unsafe isWide && hasSpare ? nil : Block<Element>.allocate(isWide: isWide)
        // Success acquires the earlier installer's work and the consumer's rest. Failure reads nothing.
        if word.compareExchange(
          expected: seen.bits, desired: known.bits | MailboxWord.installing | MailboxWord.awake,
          successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed
        ).exchanged {
          let block = unsafe new ?? takeSpare() ?? Block.allocate(isWide: true)
          unsafe install(block, seen)
          unsafe block.put(element, at: offset)
          return .delivered(mustSchedule: !seen.has(MailboxWord.awake))
        }
        unsafe new?.deallocate()
      } else {
        // Acquire: as in `push`.
        let block = lastBlock.load(ordering: .acquiring)
        // Success acquires the consumer's last rest, as in `push`. Failure reads nothing.
        if word.compareExchange(
          expected: seen.bits, desired: known.claimed.bits, successOrdering: .acquiringAndReleasing,
          failureOrdering: .relaxed
        ).exchanged {
          unsafe Block<Element>(block).put(element, at: offset)
          return .delivered(mustSchedule: !seen.has(MailboxWord.awake))
        }
      }
    }
  }

  /// Elements for which there is room behind `index`, by the consumer's own count; not more than 0 when it is full.
  @inlinable
  func roomNow(at index: UInt32) -> Int {
    // Relaxed: an old head only makes the mailbox look fuller; nothing is read by it.
    capacity - Int(Int32(bitPattern: index &- head.load(ordering: .relaxed)))
  }

  /// Whether the consumer has left a block; a guess.
  @inlinable
  var hasSpare: Bool {
    // Relaxed: whoever installs looks again.
    let top = passage.load(ordering: .relaxed)
    return top != 0 && top & 1 == 0
  }

  /// Takes a block that the consumer has left. One at a time does, who has set installing: so none comes back meanwhile.
  @inlinable
  func takeSpare() -> Block<Element>? {
    // Acquire: the consumer has emptied it; pairs with the release in `recycle`.
    var top = passage.load(ordering: .acquiring)
    while top != 0 && top & 1 == 0 {
      let block = unsafe Block<Element>(top)
      // Relaxed: it was written before it was left.
      let next = unsafe block.next.pointee.load(ordering: .relaxed)
      // Success reads nothing more. Failure acquires as the first load does.
      let (isMine, found) = passage.compareExchange(
        expected: top, desired: next, successOrdering: .acquiring, failureOrdering: .acquiring)
      if isMine {
        // Relaxed, both: published with the block.
        unsafe block.next.pointee.store(0, ordering: .relaxed)
        unsafe block.mark(0).pointee.store(0, ordering: .relaxed)
        return unsafe block
      }
      top = found
    }
    return nil
  }

  /// Links a block in which the caller has the first cell, and lets the others go on.
  @inlinable
  func install(_ block: Block<Element>, _ seen: MailboxWord) {
    var change = MailboxWord.step - MailboxWord.place - MailboxWord.installing
    if unsafe block.isWide && !seen.has(MailboxWord.wide) { change += MailboxWord.wide }
    if seen.has(MailboxWord.bare) {
      change &-= MailboxWord.bare
      // Release: publishes the block's marks; pairs with the acquire in `nextBlock`.
      unsafe passage.store(block.word | 1, ordering: .releasing)
    } else {
      // Relaxed: written by the installer before us, whose step our compare-exchange acquired.
      let previous = unsafe Block<Element>(lastBlock.load(ordering: .relaxed))
      // Release: publishes the block's marks; pairs with the acquire in `nextBlock`.
      unsafe previous.next.pointee.store(block.word, ordering: .releasing)
    }
    // Release: pairs with the acquire in `push`, which must not see this block with an older word.
    unsafe lastBlock.store(block.word, ordering: .releasing)
    // Release: publishes all of the above with the new index; pairs with the acquires of the word.
    word.wrappingAdd(change, ordering: .acquiringAndReleasing)
  }
}

// @unchecked: cells pass from the one producer that claimed them to the one consumer, by the argument above.
extension MailboxCore: @unchecked Sendable where Element: ~Copyable {}
