// MailboxStatistics: a mailbox in numbers.

/// How full a mailbox is and was. Each number is a snapshot.
public struct MailboxStatistics: Hashable, Sendable {
  /// Elements that wait.
  public var length: Int
  /// Greatest number of elements that wait at once.
  public var capacity: Int
  /// Most elements that were seen waiting: looked for at the first element of each turn and at every sixteenth, and
  /// exact once something was refused.
  public var highWaterMark: Int
  /// Elements that were handed back since the mailbox was full; those that were dropped are not among them.
  public var refused: Int
  /// Elements that were dropped since the mailbox was full, by ``BusyPolicy/dropNewest``.
  public var dropped: Int

  /// Makes them of their parts.
  public init(length: Int, capacity: Int, highWaterMark: Int, refused: Int, dropped: Int) {
    self.length = length
    self.capacity = capacity
    self.highWaterMark = highWaterMark
    self.refused = refused
    self.dropped = dropped
  }
}
