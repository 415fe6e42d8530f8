// withTimeout: an operation that is cancelled at a deadline and awaited to its end.
//
// The operation runs in a task on the caller's executor, and the caller waits at gates that the timer or the
// operation's end opens. Neither a task group nor `Task.value` is awaited: the runtime of Swift 6.3.1 resumes those
// who wait for them by way of the global pool. So that the task is none the less a part of the call, the caller's
// cancellation is handed on to it, and the caller never leaves before the operation has ended and is released.

internal import SkeinPlatform

/// Runs `operation` and cancels it when it has not ended after `limit`.
///
/// The operation is always awaited to its end, so nothing of it runs after this function has returned; one that
/// ignores cancellation makes it return late. A value wins over the deadline: when the operation returns one after it
/// was cancelled, that value is returned. It runs on the caller's actor or executor.
///
/// ```swift
/// let answer = try await withTimeout(.seconds(5), clock: clock) { try await peer.ask(question) }
/// ```
///
/// - Parameters:
///   - limit: how long the operation may take; zero or less cancels it before it begins.
///   - clock: measures the limit.
///   - operation: what to run.
/// - Returns: what the operation returned.
/// - Throws: ``TimeoutError`` when the operation threw after the deadline, whatever it threw; its own error when it
///   threw before; ``TimerError`` when the clock's queue is full (the operation is not run) or was shut down (it is
///   cancelled).
public func withTimeout<Value>(
  _ limit: Duration, clock: SkeinClock,
  operation: nonisolated(nonsending) () async throws -> Value
) async throws -> Value {
  try await run(operation, limit: limit, clock: clock, isolation: #isolation)
}

private func run<Value>(
  _ operation: nonisolated(nonsending) () async throws -> Value, limit: Duration, clock: SkeinClock,
  isolation: isolated (any Actor)?
) async throws -> Value {
  // Unsafe: handed to a task that has released it before this function goes on.
  nonisolated(unsafe) let operation = operation
  return unsafe try await withoutActuallyEscaping(operation) { operation in
    // Every closure here names `isolation` so that it belongs to the caller's actor.
    _ = isolation
    let timed = TimedOperation(limit: limit, operation)
    let reason = try await timed.end(clock: clock, isolation: isolation)
    return try timed.outcome(reason)
  }
}

/// An operation on its way through a task of its own.
private final class TimedOperation<Value>: @unchecked Sendable {
  // @unchecked: the caller is suspended from the start of the task until the operation's end, so that the two use
  // the closure and the result in turn.
  private let limit: Duration
  private var operation: (nonisolated(nonsending) () async throws -> Value)?
  private var result: Result<Value, any Error>?
  /// Opened by the timer or by the operation's end.
  private let first = TaskGate()
  /// Opened by the operation's end.
  private let last = TaskGate()

  init(limit: Duration, _ operation: nonisolated(nonsending) @escaping () async throws -> Value) {
    self.limit = limit
    self.operation = operation
  }

  /// Starts the operation, waits until it has ended and says what came first.
  func end(clock: SkeinClock, isolation: isolated (any Actor)?) async throws(TimerError) -> GateReason {
    let now = clock.now
    let deadline = now.advanced(by: limit)
    let isLate = deadline <= now
    let timer = isLate ? TimerHandle.none : try clock.queue.arm(at: deadline, target: first)
    if isLate { first.open(.fired) }
    // As a literal argument it would not belong to the caller's actor, so it is a value first.
    let body: @isolated(any) () async -> Void = {
      _ = isolation
      if isLate { unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() } }
      await self.run()
    }
    // Unsafe: only the type changes. What the closure captures is used in turn, see above.
    let sendable = unsafe unsafeBitCast(body, to: (@Sendable @isolated(any) () async -> Void).self)
    let preference = unsafe withUnsafeCurrentTask { task in unsafe task?.unownedTaskExecutor?.asTaskExecutor() }
    // Two cases, since a task with a preference of nil begins on the global pool and not on its actor.
    let task =
      if let preference {
        Task(executorPreference: preference, operation: sendable)
      } else {
        Task(operation: sendable)
      }
    let reason = await withTaskCancellationHandler {
      _ = isolation
      let reason = GateReason(opened: await first.wait())
      if reason == .ended { return reason }
      task.cancel()
      _ = await last.wait()
      return reason
    } onCancel: {
      task.cancel()
    }
    clock.queue.cancel(timer)
    return reason
  }

  /// What the caller gets, given what came first.
  func outcome(_ reason: GateReason) throws -> Value {
    switch (result, reason) {
    case (.success(let value), _): return value
    case (.failure, .fired): throw TimeoutError(duration: limit)
    case (.failure, .dropped): throw TimerError.shutDown
    case (.failure(let error), _): throw error
    case (nil, _): preconditionFailure("a timed operation ended without a result")
    }
  }

  private func run() async {
    await perform()
    // Released before the gates open: the caller's closure must not outlive the call.
    operation = nil
    first.open(.ended)
    last.open(.ended)
  }

  private func perform() async {
    guard let operation else { return }
    do {
      result = .success(try await operation())
    } catch {
      result = .failure(error)
    }
  }
}
