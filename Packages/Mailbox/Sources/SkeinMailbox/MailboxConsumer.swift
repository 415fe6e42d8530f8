// MailboxConsumer: the one end that reads. A move-only value, so that the type system keeps it single.

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

  /// Makes an empty mailbox, at rest, without storage.
  ///
  /// - Parameters:
  ///   - capacity: greatest number of waiting elements, 1 to 2^31 - 1. Storage grows as they come.
  ///   - busyPolicy: what ``Mailbox/post(_:)`` does when so many wait.
  @inlinable
  public init(capacity: Int = 1_024, busyPolicy: BusyPolicy = .refuse) {
    mailbox = Mailbox(capacity: capacity, busyPolicy: busyPolicy)
  }

  // The last reader is gone: what is unread is dropped, and the storage with it.
  @inlinable
  deinit { mailbox.core.dropAll() }

  /// Most elements that were seen waiting at once; see ``MailboxStatistics/highWaterMark``.
  public var highWaterMark: Int { mailbox.core.statistics.highWaterMark }

  /// Takes the element at the front.
  ///
  /// - Returns: `nil` when nothing waits, or when the next one is claimed by a producer that has not
  ///   finished writing it (``rest()`` then answers `false`: look again later).
  /// - Complexity: O(1), without an atomic step.
  @inlinable
  public mutating func dequeue() -> Element? { mailbox.core.dequeue() }

  /// Takes the signal that a side lane holds something.
  ///
  /// - Returns: whether there was one. Look into every side lane after `true`.
  @inlinable
  public mutating func takeSignal() -> Bool { mailbox.core.takeSignal() }

  /// Takes everything out of the system lane, oldest first.
  @inlinable
  public mutating func takeSystem() -> SystemBatch<Element> { mailbox.core.takeSystem() }

  /// Goes to rest if there is nothing to do, giving the storage back.
  ///
  /// - Returns: `true` when the consumer is at rest: the caller must not touch it any more. `false` when
  ///   something waits or was signalled: the consumer stays awake, with the caller.
  /// - Complexity: O(1); one atomic step.
  @inlinable
  public mutating func rest() -> Bool { mailbox.core.rest() }

  /// Goes to rest although elements may be unread; only a signal or a push ends that rest.
  ///
  /// For a consumer that takes nothing for a while. Storage stays.
  ///
  /// - Returns: `false` when something was signalled: the consumer stays awake, with the caller.
  @inlinable
  public mutating func restHolding() -> Bool { mailbox.core.restHolding() }

  /// Refuses pushes from now on. What was accepted before stays and must be dequeued.
  ///
  /// To take over everything, dequeue until ``hasUnread`` is false.
  @inlinable
  public mutating func close() { mailbox.core.close() }

  /// Whether elements were accepted that have not been dequeued.
  @inlinable
  public var hasUnread: Bool { mailbox.core.hasUnread }
}
