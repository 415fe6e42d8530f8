// BusyPolicy: what becomes of an element for which a mailbox has no room.

/// What a mailbox does with what is posted to it while it is full; stated when it is made, and in each receipt.
@frozen
public enum BusyPolicy: UInt8, Hashable, Sendable {
  /// The element is handed back, and the sender decides.
  case refuse
  /// The element is handed back to a sender that is expected to wait until there is room. Who keeps the line of those
  /// who wait stands above this layer.
  case awaitCredit
  /// The element is dropped and counted. For what is worthless when it is late, where what waits is still wanted.
  case dropNewest
}

/// What became of an element that was posted to a mailbox, with the mailbox's policy carried out.
@frozen
public enum PostReceipt<Element: ~Copyable>: ~Copyable {
  /// The mailbox has it; `mustSchedule` as in ``PushReceipt/delivered(mustSchedule:)``.
  case delivered(mustSchedule: Bool)
  /// The mailbox is full and refuses; the element is handed back.
  case refused(Element)
  /// The mailbox is full; the element is handed back to be sent again when there is room.
  case awaitCredit(Element)
  /// The mailbox is full; the element was dropped, and counted in ``MailboxStatistics/dropped``.
  case dropped
  /// The mailbox is closed; the element is handed back.
  case closed(Element)
}

extension PostReceipt: Sendable where Element: Sendable & ~Copyable {}
