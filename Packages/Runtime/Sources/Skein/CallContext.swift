// CallContext: what travels with a call: its deadline and whether anybody still waits for it.

public import SkeinPlatform
internal import SkeinScheduler

/// What travels with a call, the same whether it runs in place or from the mailbox.
///
/// Read it with ``SkeinContext/currentCall``. A call that a handler makes inherits the deadline: the earlier of the
/// two counts.
public struct CallContext: Sendable {
  /// When the caller stops waiting; `nil` when it waits for ever or does not wait at all.
  public let deadline: MonotonicInstant?
  /// The waiting call; `nil` for a one-way message and in place.
  let waiting: PendingCall?

  init(deadline: MonotonicInstant?, waiting: PendingCall?) {
    self.deadline = deadline
    self.waiting = waiting
  }

  /// Whether nobody waits for the answer any more: cancelled, or past its deadline.
  public var isAbandoned: Bool {
    if let waiting, waiting.isAbandoned { return true }
    if let deadline { return MonotonicInstant.now >= deadline }
    return false
  }
}

/// When a call gives up.
public enum CallDeadline: Hashable, Sendable {
  /// After the node's default, 5 s unless set otherwise.
  case standard
  /// After a duration.
  case after(Duration)
  /// At an instant.
  case at(MonotonicInstant)
  /// Never: the call ends only when it is answered, cancelled, or one of the two services ends.
  case never
}

extension CallContext {
  /// The context of the handler that the calling thread runs.
  static var current: CallContext? {
    guard let frame = unsafe CallFrame.current, unsafe frame.pointee.isCall else { return nil }
    return unsafe frame.pointee.context
  }

  /// When a call made now gives up: at the earlier of the caller's deadline and its own, in nanoseconds of the monotonic
  /// clock; `.max` is never.
  ///
  /// - Parameter standard: what `.standard` means, in nanoseconds.
  /// - Returns: `nil` when that is past.
  static func derivedDeadline(_ deadline: CallDeadline, standard: Int64) -> Int64? {
    deadline.end(standard: standard, within: unsafe CallFrame.current?.pointee.deadline ?? .max)
  }
}

extension CallDeadline {
  /// When a call made now gives up, in nanoseconds of the monotonic clock; `.max` is never.
  ///
  /// - Parameters:
  ///   - standard: what `.standard` means, in nanoseconds from now.
  ///   - limit: the deadline of the call in whose course this one is made.
  /// - Returns: `nil` when that is past.
  func end(standard: Int64, within limit: Int64) -> Int64? {
    if limit == .max && self == .never { return .max }
    let now = MonotonicInstant.approximateNow
    let own: Int64 =
      switch self {
      case .standard:
        now.nanoseconds.addingReportingOverflow(standard).overflow ? .max : now.nanoseconds &+ standard
      case .after(let duration): now.advanced(by: duration).nanoseconds
      case .at(let instant): instant.nanoseconds
      case .never: .max
      }
    let end = min(own, limit)
    return end <= now.nanoseconds ? nil : end
  }
}
