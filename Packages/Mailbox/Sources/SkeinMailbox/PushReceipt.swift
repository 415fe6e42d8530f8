// PushReceipt: what became of a push, at once.

/// What became of an element that was pushed into a mailbox.
@frozen
public enum PushReceipt<Element: ~Copyable>: ~Copyable {
  /// The mailbox has it. When `mustSchedule` is true the consumer was at rest, and whoever got this
  /// receipt, and nobody else, must schedule it.
  case delivered(mustSchedule: Bool)
  /// The mailbox is full; the element is handed back.
  case busy(Element)
  /// The mailbox is closed; the element is handed back.
  case closed(Element)
}

extension PushReceipt: Sendable where Element: Sendable & ~Copyable {}
