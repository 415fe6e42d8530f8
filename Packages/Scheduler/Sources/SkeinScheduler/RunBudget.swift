// RunBudget: how long a strand may run before others have their turn.

internal import SkeinPlatform

/// The limits of one activation: whichever is reached first ends it.
public struct RunBudget: Hashable, Sendable {
  /// Most messages and jobs in one activation.
  public var messages: Int
  /// Longest time of one activation; a single handler that takes longer cannot be interrupted.
  public var time: Duration {
    get { .nanoseconds(nanoseconds) }
    set { nanoseconds = newValue.nanosecondsClamped }
  }
  /// The same, without `Duration`'s arithmetic of 128 bits.
  var nanoseconds: Int64

  /// Makes a budget; the defaults are 64 messages and 200 µs.
  public init(messages: Int = 64, time: Duration = .microseconds(200)) {
    precondition(messages > 0, "an activation runs at least one message")
    self.messages = messages
    nanoseconds = time.nanosecondsClamped
  }
}
