// PendingCall: one call that waits for its answer: the question, who asked, and what ends the wait.
//
// States, under the lock: asked (no continuation yet) -> waiting -> ended; asked -> ended when the caller is
// cancelled before it waits. Whoever moves it to ended resumes the caller, outside the lock, exactly once:
// the handler's result, a refusal, the deadline, or the caller's cancellation.

public import SkeinPlatform
public import SkeinTimer

@usableFromInline
final class PendingCall<Input: Sendable, Output: Sendable>: AbandonableCall, TimerTarget {
  @safe private struct State {
    var continuation: UnsafeContinuation<Output, any Error>?
    var endedEarly: (any Error)?
    var hasEnded = false
    var timer: TimerHandle?
    var handler: Task<Void, Never>?
  }

  @usableFromInline let input: Input
  @usableFromInline let context: CallHeader
  // MARK: Under lock
  private let state = Lock(State())

  @usableFromInline
  init(_ input: Input, _ context: CallHeader) {
    self.input = input
    self.context = context
  }

  /// What the handler sees of the call.
  @usableFromInline var callContext: CallContext { CallContext(deadline: context.deadline, waiting: self) }

  /// The caller waits from now on.
  ///
  /// - Returns: `false` when the call has ended already; the continuation was resumed then.
  @usableFromInline
  func wait(_ continuation: UnsafeContinuation<Output, any Error>) -> Bool {
    let early: (any Error)? = state.withLock { state in
      if state.hasEnded { return state.endedEarly }
      unsafe state.continuation = unsafe continuation
      return nil
    }
    guard let early else { return true }
    unsafe continuation.resume(throwing: early)
    return false
  }

  /// Arms the deadline's timer.
  @usableFromInline
  func armDeadline() throws(TimerError) {
    guard let deadline = context.deadline else { return }
    let handle = try context.timers.arm(at: deadline, target: self)
    let late = state.withLock { state in
      if !state.hasEnded { state.timer = handle }
      return state.hasEnded
    }
    if late { context.timers.cancel(handle) }
  }

  /// The call is performed by `handler`, which is cancelled when nobody waits any more.
  @usableFromInline
  func attach(_ handler: Task<Void, Never>) {
    let late = state.withLock { state in
      if !state.hasEnded { state.handler = handler }
      return state.hasEnded
    }
    if late { handler.cancel() }
  }

  /// Ends the call with the handler's result, unless it has ended.
  @usableFromInline
  func end(_ result: Result<Output, any Error>) {
    guard let continuation = unsafe takeContinuation(nil).continuation else { return }
    unsafe continuation.resume(with: result)
  }

  /// Ends the call without an answer, unless it has ended, and cancels its handler.
  @usableFromInline
  func abandon(_ code: CallError.Code) {
    let error = CallError(code, service: context.service, command: context.command)
    let (continuation, handler) = unsafe takeContinuation(error)
    handler?.cancel()
    unsafe continuation?.resume(throwing: error)
  }

  private func takeContinuation(
    _ early: (any Error)?
  ) -> (continuation: UnsafeContinuation<Output, any Error>?, handler: Task<Void, Never>?) {
    let (continuation, handler, timer) = unsafe state.withLock { state in
      if state.hasEnded {
        return unsafe (
          nil as UnsafeContinuation<Output, any Error>?, nil as Task<Void, Never>?, nil as TimerHandle?
        )
      }
      state.hasEnded = true
      state.endedEarly = early
      defer {
        unsafe state.continuation = nil
        state.handler = nil
      }
      return unsafe (state.continuation, state.handler, state.timer)
    }
    if let timer { context.timers.cancel(timer) }
    return unsafe (continuation, handler)
  }

  @usableFromInline var isAbandoned: Bool { state.withLock { $0.hasEnded } }

  /// The deadline has passed.
  @usableFromInline
  func timerFired(token: UInt64) { abandon(.deadlineExceeded) }

  /// The node's timers are gone.
  @usableFromInline
  func timerDropped(token: UInt64) { abandon(.shuttingDown) }
}

/// What is the same for calls of every type.
@usableFromInline
struct CallHeader: Sendable {
  @usableFromInline let deadline: MonotonicInstant?
  @usableFromInline let timers: TimerQueue
  @usableFromInline let service: String
  @usableFromInline let command: String

  @usableFromInline
  init(deadline: MonotonicInstant?, timers: TimerQueue, service: String, command: String) {
    self.deadline = deadline
    self.timers = timers
    self.service = service
    self.command = command
  }
}

/// A call whose running handler the service keeps in its books.
@usableFromInline
protocol RunningCall: AbandonableCall {
  func attach(_ handler: Task<Void, Never>)
  func abandon(_ code: CallError.Code)
  var callContext: CallContext { get }
}

extension PendingCall: RunningCall {}
