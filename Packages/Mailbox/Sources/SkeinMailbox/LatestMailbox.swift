// LatestMailbox: one slot in which the latest element wins.
//
// Owns:       the element in the slot, in a node of its own.
// Shared by:  any number of producers, and the one holder of the LatestConsumer.
//
// One word: the node's address or 0, and the flags closed and awake. Everything is a step of that word.
//  1 push     compare-exchange: its node in place of the one that is there, and awake. Whoever moved awake from 0 to 1
//             must schedule; whoever takes an old node out owns it.
//  2 take     consumer: compare-exchange of the node by 0. It owns the node.
//  3 rest     consumer: compare-exchange of a word without a node: clears awake.
//  4 close    consumer: sets closed and takes the node; pushes fail from then on.
//
// No wake-up is lost, for the reason given in MailboxCore: an element comes only by changing the word, and the consumer
// rests only by changing the very word in which it saw that there was none. Nobody reads a node before a step of the
// word has given it to him, so that an address which comes back does no harm.

#if !SKEIN_MODEL
public import Synchronization
#else
internal import Synchronization
#endif

/// The producers' end of a mailbox for one element: a push replaces what was not read yet.
///
/// For states and measurements, of which only the newest is wanted. It is never busy. Make one with ``LatestConsumer``.
///
/// - Thread safety: any thread.
@safe public final class LatestMailbox<Element: ~Copyable & Sendable>: Sendable {
  /// The flags of the word, below a node's address.
  @usableFromInline static var closed: UInt { 1 }
  @usableFromInline static var awake: UInt { 2 }
  @usableFromInline static var flags: UInt { 3 }

  // MARK: Any thread
  @usableFromInline let word = Atomic<UInt>(0)
  @usableFromInline let replacements = Atomic<Int>(0)

  @usableFromInline init() {}

  deinit {
    // Relaxed: nobody else is left.
    _ = Self.open(word.load(ordering: .relaxed))
  }

  /// What became of an element that was pushed.
  @frozen
  public enum Receipt: ~Copyable {
    /// The mailbox has it; `mustSchedule` as in ``PushReceipt/delivered(mustSchedule:)``.
    case delivered(mustSchedule: Bool)
    /// The mailbox has it in place of an unread one, which is handed back; the consumer was told before.
    case replaced(Element)
    /// The mailbox is closed; the element is handed back.
    case closed(Element)
  }

  /// Puts `element` into the slot, in place of one that was not read.
  ///
  /// - Complexity: O(1), one allocation; one atomic step when nobody contends.
  public func push(_ element: consuming Element) -> Receipt {
    let node = UnsafeMutablePointer<Element>.allocate(capacity: 1)
    unsafe node.initialize(to: element)
    let address = UInt(bitPattern: node)
    // Relaxed: a guess that the compare-exchange verifies.
    var seen = word.load(ordering: .relaxed)
    while seen & Self.closed == 0 {
      // Release: publishes the node; acquire: the node that comes out, and the consumer's last rest. Failure: a new guess.
      let (done, found) = word.compareExchange(
        expected: seen, desired: address | Self.awake, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if done {
        guard let old = Self.open(seen) else { return .delivered(mustSchedule: seen & Self.awake == 0) }
        // Relaxed: a count for people.
        replacements.add(1, ordering: .relaxed)
        return .replaced(old)
      }
      seen = found
    }
    let element = unsafe node.move()
    unsafe node.deallocate()
    return .closed(element)
  }

  /// The element of a word's node, which the caller owns; `nil` when it has none.
  @usableFromInline
  static func open(_ word: UInt) -> Element? {
    guard let node = unsafe UnsafeMutablePointer<Element>(bitPattern: word & ~flags) else { return nil }
    let element = unsafe node.move()
    unsafe node.deallocate()
    return element
  }

  /// Refuses pushes from now on and takes the element out; for the consumer.
  @usableFromInline
  func close() -> Element? {
    // Release and acquire: as in `take`. Whoever pushes later fails, so the node is the consumer's.
    let old = word.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing).oldValue
    if old & ~Self.flags == 0 { return nil }
    // Relaxed: nobody else changes a closed mailbox, and the step above acquired the node.
    word.store(old & Self.flags | Self.closed, ordering: .relaxed)
    return Self.open(old)
  }

  /// Whether pushes are refused for good.
  public var isClosed: Bool {
    // Relaxed: a snapshot.
    word.load(ordering: .relaxed) & Self.closed != 0
  }

  /// Elements that were replaced before they were read.
  public var replacedCount: Int {
    // Relaxed: a count for people.
    replacements.load(ordering: .relaxed)
  }
}

/// The consumer's end of a ``LatestMailbox``: at rest or awake, as a ``MailboxConsumer``.
///
/// - Thread safety: one thread at a time, handed on by the protocol of ``MailboxConsumer``.
@safe public struct LatestConsumer<Element: ~Copyable & Sendable>: ~Copyable, Sendable {
  /// The producers' end.
  public let mailbox: LatestMailbox<Element>

  /// Makes an empty mailbox, at rest.
  public init() { mailbox = LatestMailbox() }

  // The last reader is gone: what is unread is dropped.
  deinit { _ = mailbox.close() }

  /// Takes the element; `nil` when there is none.
  public mutating func take() -> Element? {
    // Relaxed: a look.
    if mailbox.word.load(ordering: .relaxed) & ~LatestMailbox<Element>.flags == 0 { return nil }
    // Acquire: sees the element; pairs with the release in `push`.
    let old = mailbox.word.bitwiseAnd(LatestMailbox<Element>.flags, ordering: .acquiringAndReleasing).oldValue
    return LatestMailbox<Element>.open(old)
  }

  /// Goes to rest if there is nothing to read.
  ///
  /// - Returns: `true` when the consumer is at rest: the caller must not touch it any more.
  public mutating func rest() -> Bool {
    // Relaxed: compared below.
    let seen = mailbox.word.load(ordering: .relaxed)
    if seen & ~LatestMailbox<Element>.flags != 0 { return false }
    // Release: hands the consumer's state to whoever wakes it; pairs with the acquire in `push`. Failure: somebody pushed.
    return mailbox.word.compareExchange(
      expected: seen, desired: seen & ~LatestMailbox<Element>.awake, successOrdering: .acquiringAndReleasing,
      failureOrdering: .relaxed
    ).exchanged
  }

  /// Refuses pushes from now on.
  ///
  /// - Returns: the element that was not read, if there was one.
  public mutating func close() -> Element? {
    mailbox.close()
  }
}
