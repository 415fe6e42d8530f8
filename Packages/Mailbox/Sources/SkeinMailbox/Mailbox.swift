// Mailbox: the producers' end of a mailbox, as an object. What it does and why it is right stands in MailboxCore.

/// The producers' end of a bounded first-in, first-out mailbox.
///
/// A push answers at once with a ``PushReceipt``; nothing blocks. Make one with ``MailboxConsumer``:
///
/// ```swift
/// var consumer = MailboxConsumer<Int>(capacity: 1_024)
/// let mailbox = consumer.mailbox            // give this to the producers
/// ```
///
/// A mailbox at rest holds nothing besides its own 128 bytes.
///
/// - Thread safety: any thread.
@safe public final class Mailbox<Element: ~Copyable & Sendable>: Sendable {
  @usableFromInline let core: MailboxCore<Element>

  @inlinable
  init(capacity: Int, busyPolicy: BusyPolicy) { core = MailboxCore(capacity: capacity, busyPolicy: busyPolicy) }

  /// Greatest number of elements that wait at once.
  @inlinable public var capacity: Int { core.capacity }
  /// What ``post(_:)`` does when so many wait.
  @inlinable public var busyPolicy: BusyPolicy { core.busyPolicy }

  /// Adds `element` at the back; see ``MailboxCore/push(_:)``.
  ///
  /// - Returns: `.delivered`, or the element itself: `.busy` when ``capacity`` elements wait, `.closed` after a close.
  @inlinable
  public func push(_ element: consuming Element) -> PushReceipt<Element> { core.push(element) }

  /// Adds `element` at the back, or does with it what ``busyPolicy`` says; see ``MailboxCore/post(_:)``.
  @inlinable
  public func post(_ element: consuming Element) -> PostReceipt<Element> { core.post(element) }

  /// Adds `element` to the system lane, which is never busy; see ``MailboxCore/pushSystem(_:)``.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller.
  @inlinable
  public func pushSystem(_ element: consuming Element) -> Bool { core.pushSystem(element) }

  /// Tells the consumer to look at its side lanes.
  ///
  /// - Returns: whether the consumer was at rest and must be scheduled by the caller.
  @inlinable
  public func signal() -> Bool { core.signal() }

  /// Makes a consumer at rest awake without giving it anything.
  ///
  /// - Returns: `true` when it was at rest and open: the caller now has to run or schedule it.
  @inlinable
  public func tryAwaken() -> Bool { core.tryAwaken() }

  /// Whether pushes are refused for good.
  @inlinable public var isClosed: Bool { core.isClosed }
  /// Elements that wait now; a snapshot that may count elements which were just read.
  @inlinable public var count: Int { core.count }
  /// Whether it is worth trying again after a push that was refused for lack of room: there is some, or it is closed.
  ///
  /// Sequentially consistent with the consumer's rests and its ``MailboxConsumer/close()``: who says that it waits, in a
  /// sequentially consistent step, and then finds this `false`, is seen by whoever looks for such after those.
  public var mayTakeMore: Bool { core.mayTakeMore }
  /// Pushes that were answered with `.busy`, and posts that were refused.
  public var refusedCount: Int { core.statistics.refused }
  /// Length, high-water mark and what was refused or dropped.
  public var statistics: MailboxStatistics { core.statistics }
}
