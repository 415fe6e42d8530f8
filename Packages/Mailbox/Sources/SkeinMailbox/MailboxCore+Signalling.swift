// MailboxCore: what wakes the consumer besides a message, and what is counted.

public import Synchronization

extension MailboxCore where Element: ~Copyable {
  // MARK: Waking

  /// Adds `element` to the system lane, which is never busy and is read before the others.
  ///
  /// For answers and system messages, whose number something else bounds.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller. Elements are
  ///   accepted after a close too.
  /// - Complexity: O(1), one allocation.
  @inlinable
  public func pushSystem(_ element: consuming Element) -> Bool {
    unsafe system.push(element)
    return signal()
  }

  /// Tells the consumer to look at its side lanes.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller.
  @inlinable
  public func signal() -> Bool {
    // Relaxed: published by the step below.
    hint.store(true, ordering: .relaxed)
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

  // MARK: The policy

  /// What ``post(_:)`` does when the mailbox is full.
  @inlinable
  public var busyPolicy: BusyPolicy { BusyPolicy(rawValue: UInt8(policy)) ?? .refuse }

  /// Adds `element` at the back, or does with it what the mailbox's policy says.
  ///
  /// - Returns: a receipt that names what was done.
  /// - Complexity: as ``push(_:)``.
  @inlinable
  public func post(_ element: consuming Element) -> PostReceipt<Element> {
    switch push(element) {
    case .delivered(let mustSchedule): return .delivered(mustSchedule: mustSchedule)
    case .closed(let element): return .closed(element)
    case .busy(let element):
      switch busyPolicy {
      case .refuse: return .refused(element)
      case .awaitCredit: return .awaitCredit(element)
      case .dropNewest:
        // It was counted as refused.
        // Relaxed: a count for people.
        unsafe counts().pointee.dropped.add(1, ordering: .relaxed)
        return .dropped
      }
    }
  }

  // MARK: Counts

  /// Whether pushes are refused for good.
  @inlinable
  public var isClosed: Bool {
    // Relaxed: a snapshot.
    MailboxWord(bits: word.load(ordering: .relaxed)).has(MailboxWord.closed)
  }

  /// Elements that wait now; a snapshot that may count elements which were just read.
  @inlinable
  public var count: Int {
    // Relaxed, both: a snapshot.
    let seen = MailboxWord(bits: word.load(ordering: .relaxed))
    return max(0, min(capacity, Int(Int32(bitPattern: seen.index &- head.load(ordering: .relaxed)))))
  }

  /// Whether there is room, or the mailbox is closed; see ``Mailbox/mayTakeMore``.
  public var mayTakeMore: Bool {
    // Sequentially consistent: see there.
    let seen = MailboxWord(bits: word.load(ordering: .sequentiallyConsistent))
    return seen.has(MailboxWord.closed) || seen.room > 0 || roomNow(at: seen.index) > 0
  }

  /// Numbers for reports; each of them is a snapshot.
  public var statistics: MailboxStatistics {
    var refused = 0
    var dropped = 0
    // Acquire: sees the ledger's memory; pairs with the release in `counts`.
    let address = ledger.load(ordering: .acquiring)
    if address != 0 {
      let counts = unsafe UnsafeMutablePointer<MailboxLedger>(bitPattern: address).unsafelyUnwrapped
      // Relaxed, both: counts for people.
      dropped = unsafe counts.pointee.dropped.load(ordering: .relaxed)
      refused = unsafe counts.pointee.refused.load(ordering: .relaxed) - dropped
    }
    // Relaxed: as above. Whoever was refused saw it full.
    let peak = address == 0 ? peak.load(ordering: .relaxed) : capacity
    return MailboxStatistics(
      length: count, capacity: capacity, highWaterMark: peak, refused: max(0, refused), dropped: dropped)
  }

  @inlinable
  func countRefusal() {
    // Relaxed: a count for people.
    unsafe counts().pointee.refused.add(1, ordering: .relaxed)
  }

  /// The ledger, made when it is missing.
  @usableFromInline
  func counts() -> UnsafeMutablePointer<MailboxLedger> {
    // Acquire: sees its memory; pairs with the release below.
    let address = ledger.load(ordering: .acquiring)
    if address != 0 { return unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped }
    let made = unsafe MailboxLedger.allocate()
    // Success releases the new memory, failure acquires that of whoever came first.
    let (isMine, found) = ledger.compareExchange(
      expected: 0, desired: UInt(bitPattern: made), successOrdering: .acquiringAndReleasing,
      failureOrdering: .acquiring)
    if isMine { return unsafe made }
    unsafe MailboxLedger.free(made)
    return unsafe UnsafeMutablePointer(bitPattern: found).unsafelyUnwrapped
  }
}
