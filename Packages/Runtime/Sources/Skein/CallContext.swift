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
  let waiting: (any AbandonableCall)?

  @usableFromInline
  init(deadline: MonotonicInstant?, waiting: (any AbandonableCall)?) {
    self.deadline = deadline
    self.waiting = waiting
  }

  /// Whether nobody waits for the answer any more: cancelled, or past its deadline.
  public var isAbandoned: Bool {
    if let waiting, waiting.isAbandoned { return true }
    if let deadline { return MonotonicInstant.now >= deadline }
    return false
  }

  /// The context of the asynchronous handler that runs in the current task.
  @TaskLocal static var ofTask: CallContext?
}

/// A call that may be given up by its caller.
@usableFromInline
protocol AbandonableCall: AnyObject, Sendable {
  var isAbandoned: Bool { get }
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
  /// Runs a synchronous handler with `context` as the current one of the thread.
  @inlinable
  static func bind<Output>(_ context: CallContext, _ body: () throws -> Output) rethrows -> Output {
    var current = context
    return try unsafe withUnsafeMutablePointer(to: &current) { pointer in
      let before = unsafe ThreadSlot.context.value
      unsafe ThreadSlot.context.value = UnsafeMutableRawPointer(pointer)
      defer { unsafe ThreadSlot.context.value = before }
      return try body()
    }
  }

  /// The context of the handler that the calling thread or task runs.
  @usableFromInline static var current: CallContext? {
    if let pointer = unsafe ThreadSlot.context.value {
      return unsafe pointer.assumingMemoryBound(to: CallContext.self).pointee
    }
    return ofTask
  }
}

extension CallContext {
  /// What a call made now passes on: the earlier of the caller's deadline and its own.
  ///
  /// - Returns: `nil` when that deadline is past.
  @usableFromInline
  static func derived(_ deadline: CallDeadline, node: SkeinNode) -> CallContext? {
    derived(deadline, standard: node.options.callDeadline)
  }

  /// The same, with what `.standard` means.
  static func derived(_ deadline: CallDeadline, standard: Duration) -> CallContext? {
    let outer = current
    let limit = outer?.deadline
    if limit == nil && deadline == .never { return CallContext(deadline: nil, waiting: outer?.waiting) }
    let now = MonotonicInstant.now
    let own: MonotonicInstant? =
      switch deadline {
      case .standard: now.advanced(by: standard)
      case .after(let duration): now.advanced(by: duration)
      case .at(let instant): instant
      case .never: nil
      }
    let end = min(own ?? .distantFuture, limit ?? .distantFuture)
    return end <= now ? nil : CallContext(deadline: end, waiting: outer?.waiting)
  }
}
