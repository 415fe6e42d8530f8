// MailboxCore: the consumer's side. Whoever is awake for the mailbox, and nobody else, is in here.

public import Synchronization

extension MailboxCore where Element: ~Copyable {
  /// Takes the element at the front. Consumer.
  ///
  /// Who asks again and again, without a rest in between, is held back for a fifth of a microsecond where the last
  /// answer was `nil`: each look takes the line away on which the next producer is about to write.
  ///
  /// - Returns: `nil` when nothing waits, or when the next one is claimed by a producer that has not
  ///   finished writing it (``rest()`` then answers `false`: look again later).
  /// - Complexity: O(1), without an atomic step.
  @inlinable
  public func dequeue() -> Element? {
    // Relaxed, both: only the consumer writes them, and its turns are ordered by the word.
    let index = head.load(ordering: .relaxed)
    var address = block.load(ordering: .relaxed)
    if address & 1 != 0 {
      if InlineCell<Element>.isRoomy && address == 1 { return dequeueInline(index) }
      address = nextBlock(after: address)
      if address == 0 { return foundNothing(at: index) }
    }
    let storage = unsafe Block<Element>(address)
    let offset = unsafe Block<Element>.offset(index, isWide: storage.isWide)
    // Acquire: sees the element; pairs with the release store of the mark in `put`.
    if unsafe storage.mark(offset).pointee.load(ordering: .acquiring) == 0 { return foundNothing(at: index) }
    let element = unsafe storage.take(offset)
    // Relaxed: as above.
    if unsafe offset == storage.cells - 1 { block.store(address | 1, ordering: .relaxed) }
    // Relaxed: a count. Nothing is put into the cell until its block was handed over.
    head.store(index &+ 1, ordering: .relaxed)
    return element
  }

  /// The first element after a rest.
  @inlinable
  @inline(never)
  func dequeueInline(_ index: UInt32) -> Element? {
    // Acquire: sees the element; pairs with the release in `pushSlowly`.
    if inlineMark.load(ordering: .acquiring) == 0 { return foundNothing(at: index) }
    notePeak()
    let element = inline.take()
    // Relaxed, all: as in `dequeue`; the next rest hands them over.
    inlineMark.store(0, ordering: .relaxed)
    block.store(3, ordering: .relaxed)
    head.store(index &+ 1, ordering: .relaxed)
    return element
  }

  /// Holds back a consumer that has looked here before.
  @inlinable
  @inline(never)
  func foundNothing(at index: UInt32) -> Element? {
    let place = UInt16(truncatingIfNeeded: index)
    // Relaxed, both: as in `dequeue`.
    if emptyAt.load(ordering: .relaxed) == place { skeinPause() } else { emptyAt.store(place, ordering: .relaxed) }
    return nil
  }

  /// Goes on to the block after the one that was read, and hands that on or frees it; 0 when there is none yet.
  @inlinable
  @inline(never)
  func nextBlock(after address: UInt) -> UInt {
    let next: UInt
    if address & ~3 == 0 {
      // Acquire: sees the block's marks; pairs with the release in `install`.
      next = passage.load(ordering: .acquiring) & ~1
      if next == 0 { return 0 }
      // Relaxed: no producer changes an odd one.
      passage.store(0, ordering: .relaxed)
    } else {
      let old = unsafe Block<Element>(address & ~1)
      // Acquire: sees the block's marks; pairs with the release in `install`.
      next = unsafe old.next.pointee.load(ordering: .acquiring)
      if next == 0 { return 0 }
      unsafe recycle(old)
    }
    // Relaxed: as in `dequeue`.
    block.store(next, ordering: .relaxed)
    notePeak()
    return next
  }

  /// How many wide blocks that were read an awake mailbox keeps.
  @inlinable static var greatestDepth: UInt8 { 15 }

  /// Leaves a block that was read to installers, or frees it when it is narrow or they have enough.
  @inlinable
  func recycle(_ old: Block<Element>) {
    if unsafe !old.isWide { return unsafe old.deallocate() }
    // Relaxed: only the consumer adds blocks; the compare-exchange verifies it.
    var top = passage.load(ordering: .relaxed)
    // Relaxed: its depth, written by the consumer. Where an installer is just taking it, any number will do.
    let depth = unsafe top == 0 ? 0 : Block<Element>(top).mark(0).pointee.load(ordering: .relaxed)
    if depth >= Self.greatestDepth { return unsafe old.deallocate() }
    let spare = unsafe old.renew()
    // Relaxed: published by the step below.
    unsafe spare.mark(0).pointee.store(top == 0 ? 1 : depth &+ 1, ordering: .relaxed)
    while true {
      // Relaxed: as above.
      unsafe spare.next.pointee.store(top, ordering: .relaxed)
      // Release: it is empty; pairs with the acquire in `takeSpare`. Failure: an installer took the one on top.
      let (isDone, found) = unsafe passage.compareExchange(
        expected: top, desired: spare.word, successOrdering: .releasing, failureOrdering: .relaxed)
      if isDone { return }
      top = found
    }
  }

  @inlinable
  func notePeak() {
    // Relaxed: a number for people.
    let waiting = Int(MailboxWord(bits: word.load(ordering: .relaxed)).index &- head.load(ordering: .relaxed))
    // Relaxed, both: only the consumer writes it.
    if waiting <= capacity && waiting > peak.load(ordering: .relaxed) { peak.store(waiting, ordering: .relaxed) }
  }

  /// Takes the signal that a side lane holds something. Consumer.
  ///
  /// - Returns: whether there was one. Look into every side lane after `true`.
  @inlinable
  public func takeSignal() -> Bool {
    // Relaxed: a hint; `rest` finds in the word what it does not show.
    if !hint.load(ordering: .relaxed) { return false }
    // Relaxed: cleared before the word is, so that a signal after that shows again.
    hint.store(false, ordering: .relaxed)
    // Acquire: sees what was put into the lane before the signal; pairs with the release in `signal`.
    let old = word.bitwiseAnd(~MailboxWord.signalled, ordering: .acquiringAndReleasing).oldValue
    return old & MailboxWord.signalled != 0
  }

  /// Takes everything out of the system lane, oldest first. Consumer.
  @inlinable
  public func takeSystem() -> SystemBatch<Element> { unsafe SystemBatch(system.takeAll()) }

  /// Goes to rest if there is nothing to do, giving the storage back. Consumer.
  ///
  /// - Returns: `true` when the consumer is at rest: the caller must not touch it any more. `false` when
  ///   something waits or was signalled: the consumer stays awake, with the caller.
  /// - Complexity: O(1); one atomic step.
  @inlinable
  public func rest() -> Bool {
    // Acquire: sees what was signalled and claimed; pairs with the releases of the word.
    let seen = MailboxWord(bits: word.load(ordering: .acquiring))
    if mustStay(seen) { return false }
    // Relaxed, both: as in `dequeue`. The next look is the first one.
    emptyAt.store(~UInt16(truncatingIfNeeded: head.load(ordering: .relaxed)), ordering: .relaxed)
    return seen.has(MailboxWord.bare) ? restBare(seen) : restWithStorage(seen)
  }

  /// Goes to rest although elements may be unread; only a signal or a push ends that rest. Consumer.
  ///
  /// For a consumer that takes nothing for a while. Storage stays.
  ///
  /// - Returns: `false` when something was signalled: the consumer stays awake, with the caller.
  @inlinable
  public func restHolding() -> Bool {
    // Acquire: as in `rest`.
    let seen = MailboxWord(bits: word.load(ordering: .acquiring))
    return !mustStay(seen) && settle(seen, seen.bits & ~MailboxWord.awake)
  }

  @inlinable
  func mustStay(_ seen: MailboxWord) -> Bool {
    // Relaxed: the consumer tells itself; a clearing of `takeSignal` may have come over the signaller's hint.
    if seen.has(MailboxWord.signalled) { hint.store(true, ordering: .relaxed) }
    return seen.has(MailboxWord.signalled | MailboxWord.installing)
  }

  @inlinable
  func settle(_ seen: MailboxWord, _ resting: UInt64) -> Bool {
    // Release: hands the consumer's state to whoever wakes it; pairs with the acquires of the claims. Failure: somebody
    // pushed or signalled; nothing is read from it here. Sequentially consistent: see `Mailbox.mayTakeMore`.
    word.compareExchange(
      expected: seen.bits, desired: resting, successOrdering: .sequentiallyConsistent, failureOrdering: .relaxed
    ).exchanged
  }

  /// The word of a mailbox that has nothing any more.
  @inlinable
  func resting(_ seen: MailboxWord) -> UInt64 {
    let gone = MailboxWord.awake | MailboxWord.installing | MailboxWord.wide | MailboxWord.inlined | MailboxWord.places
    return MailboxWord(bits: seen.bits & ~gone | MailboxWord.bare).with(room: capacity).bits
  }

  @inlinable
  func restBare(_ seen: MailboxWord) -> Bool {
    // Relaxed: as in `dequeue`.
    if seen.index != head.load(ordering: .relaxed) {
      awaitMark(inlineMark)
      return false
    }
    // Relaxed, both: as in `dequeue`, and handed over by the step below.
    let before = block.load(ordering: .relaxed)
    block.store(1, ordering: .relaxed)
    if settle(seen, resting(seen)) { return true }
    // Relaxed: as in `dequeue`.
    block.store(before, ordering: .relaxed)
    return false
  }

  @inlinable
  func restWithStorage(_ seen: MailboxWord) -> Bool {
    // Relaxed, both: as in `dequeue`.
    let (index, mine) = (head.load(ordering: .relaxed), block.load(ordering: .relaxed))
    if seen.index != index {
      if mine & 1 == 0 {
        let storage = unsafe Block<Element>(mine)
        unsafe awaitMark(storage.mark(Block<Element>.offset(index, isWide: storage.isWide)).pointee)
      }
      return false
    }
    var seen = seen
    // Relaxed: only the consumer makes it other than 0.
    let hasSpares = passage.load(ordering: .relaxed) != 0
    if hasSpares {
      // As one who installs: nobody else takes blocks from the stack meanwhile.
      let taking = MailboxWord(bits: seen.bits | MailboxWord.installing)
      if !settle(seen, taking.bits) { return false }
      freeSpares()
      seen = taking
    }
    // Relaxed: handed over by the step below.
    block.store(1, ordering: .relaxed)
    if settle(seen, resting(seen)) {
      // Nobody else can reach it: no installer was there, and no claim leads to it any more.
      unsafe Block<Element>(mine & ~1).deallocate()
      return true
    }
    // Relaxed: as in `dequeue`.
    block.store(mine, ordering: .relaxed)
    // Release: the stack is empty; pairs with the acquires of installers.
    if hasSpares { word.bitwiseAnd(~MailboxWord.installing, ordering: .acquiringAndReleasing) }
    return false
  }

  /// Waits a moment for a producer between its claim and its mark.
  @inlinable
  func awaitMark(_ mark: borrowing Atomic<UInt8>) {
    var turns = 0
    // Relaxed: `dequeue` acquires.
    while turns < 31 && mark.load(ordering: .relaxed) == 0 { skeinRelax(&turns) }
  }

  /// Frees the blocks that were left to installers, of whom there is none.
  @inlinable
  func freeSpares() {
    // Relaxed: what installers took they took before their last step, which the word has shown.
    var top = passage.exchange(0, ordering: .relaxed)
    while top != 0 {
      let spare = unsafe Block<Element>(top)
      // Relaxed: the consumer wrote it.
      top = unsafe spare.next.pointee.load(ordering: .relaxed)
      unsafe spare.deallocate()
    }
  }

  /// Refuses pushes from now on. What was accepted before stays and must be dequeued. Consumer.
  ///
  /// To take over everything, dequeue until ``hasUnread`` is false.
  @inlinable
  public func close() {
    // Acquire: sees every claim before the close; release: orders the consumer's work before it. Sequentially
    // consistent: see `Mailbox.mayTakeMore`.
    word.bitwiseOr(MailboxWord.closed, ordering: .sequentiallyConsistent)
  }

  /// Whether elements were accepted that have not been dequeued. Consumer.
  @inlinable
  public var hasUnread: Bool {
    // Acquire: sees what was claimed.
    let seen = MailboxWord(bits: word.load(ordering: .acquiring))
    // Relaxed: as in `dequeue`. A block that is being installed has an element in it.
    return seen.has(MailboxWord.installing) || seen.index != head.load(ordering: .relaxed)
  }

  /// Closes the mailbox, drops what is unread and frees the storage. Consumer, for the last time.
  @inlinable
  public func dropAll() {
    close()
    var turns = 0
    while hasUnread { if dequeue() == nil { skeinRelax(&turns) } }
    // Relaxed, both: as in `dequeue`.
    let mine = block.load(ordering: .relaxed) & ~1
    block.store(1, ordering: .relaxed)
    if mine & ~3 != 0 { unsafe Block<Element>(mine).deallocate() }
    freeSpares()
  }
}
