// PendingCall: one call that waits for its answer: the question, the answer, and what ends the wait.
//
// The first of the handler's result, a refusal, the deadline and the caller's cancellation is kept, under the
// lock, and opens the gate at which the caller waits, or tells the one who asked for a peer; whatever comes later is
// dropped.

public import SkeinPlatform
public import SkeinTimer

@usableFromInline
final class PendingCall<Input: Sendable, Output: Sendable>: AbandonableCall, TimerTarget {
  @usableFromInline
  struct State {
    @usableFromInline var result: Result<Output, any Error>?
    @usableFromInline var timer: TimerHandle?
    @usableFromInline var handler: Task<Void, Never>?
    @inlinable init() {}
  }

  @usableFromInline let input: Input
  @usableFromInline let header: CallHeader
  @usableFromInline let gate = TaskGate()
  /// Told of the result in place of the gate, when no task waits.
  @usableFromInline let whenEnded: (@Sendable (Result<Output, any Error>) -> Void)?
  // MARK: Under lock
  @usableFromInline let state = Lock(State())

  @inlinable
  init(
    _ input: Input, _ header: CallHeader, whenEnded: (@Sendable (Result<Output, any Error>) -> Void)? = nil
  ) {
    self.input = input
    self.header = header
    self.whenEnded = whenEnded
  }

  /// What the handler sees of the call.
  @inlinable var callContext: CallContext { CallContext(deadline: header.deadline, waiting: self) }

  /// Waits until the call has ended.
  @inlinable
  func result(isolation: isolated (any Actor)?) async throws -> Output {
    _ = await gate.wait()
    guard let result = state.withLock({ $0.result }) else { preconditionFailure("a call ended without a result") }
    return try result.get()
  }

  /// Arms the deadline's timer.
  @inlinable
  func armDeadline() throws(TimerError) {
    guard let deadline = header.deadline else { return }
    let handle = try header.timers.arm(at: deadline, target: self)
    let isLate = state.withLock { state in
      if state.result == nil { state.timer = handle }
      return state.result != nil
    }
    if isLate { header.timers.cancel(handle) }
  }

  /// The call is performed by `handler`, which is cancelled when nobody waits any more.
  @inlinable
  func attach(_ handler: Task<Void, Never>) {
    let isLate = state.withLock { state in
      if state.result == nil { state.handler = handler }
      return state.result != nil
    }
    if isLate { handler.cancel() }
  }

  /// Ends the call with the handler's result, unless it has ended.
  @inlinable
  func end(_ result: Result<Output, any Error>) { _ = settle(result) }

  /// Ends the call without an answer, unless it has ended, and cancels its handler.
  @inlinable
  func abandon(_ code: CallError.Code) {
    settle(.failure(CallError(code, service: header.service, command: header.command)))?.cancel()
  }

  /// Keeps the result if it is the first one; returns the handler that ran then.
  @inlinable
  func settle(_ result: Result<Output, any Error>) -> Task<Void, Never>? {
    let (isFirst, timer, handler) = state.withLock { state -> (Bool, TimerHandle?, Task<Void, Never>?) in
      if state.result != nil { return (false, nil, nil) }
      state.result = result
      defer { state.handler = nil }
      return (true, state.timer, state.handler)
    }
    guard isFirst else { return nil }
    if let timer { header.timers.cancel(timer) }
    if let whenEnded { whenEnded(result) } else { gate.open() }
    return handler
  }

  @inlinable var isAbandoned: Bool { state.withLock { $0.result != nil } }

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
  /// The same in nanoseconds of the monotonic clock; `.max` without one.
  @inlinable var deadlineNanoseconds: Int64 { deadline?.nanoseconds ?? .max }
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
