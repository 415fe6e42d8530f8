// TimerTarget: who is told that a timer fired.

/// An object that timers of a ``TimerQueue`` call.
///
/// One object may be the target of any number of timers, told apart by the token: arming one then allocates nothing.
public protocol TimerTarget: AnyObject, Sendable {
  /// The timer that was armed with `token` has fired.
  ///
  /// Called once a timer, on the thread that advances the queue, without a lock held: it may arm, cancel and shut
  /// down. Other timers of the queue wait meanwhile, so keep it short and hand work on.
  func timerFired(token: UInt64)

  /// The queue was shut down before the timer that was armed with `token` fired. Does nothing by default.
  ///
  /// Called once a timer, on the thread that shuts the queue down, without a lock held.
  func timerDropped(token: UInt64)
}

extension TimerTarget {
  /// Does nothing.
  public func timerDropped(token: UInt64) {}
}

/// What the queue's wheel carries.
struct TimerEntry: Sendable {
  let target: any TimerTarget
  let token: UInt64
}

/// A closure as a target.
final class TimerHandler: TimerTarget {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  func timerFired(token: UInt64) { body() }
}
