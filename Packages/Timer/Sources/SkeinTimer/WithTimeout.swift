// withTimeout: an operation that is cancelled at a deadline and awaited to its end.
//
// The operation runs in a child task on the caller's executor. The caller waits at a gate that the timer or the
// child opens, whichever is first. Only then is the child awaited through its group: a caller on an actor's executor
// finds it ended, since the two take turns there, and so is never resumed by way of the global pool.

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
  operation: nonisolated(nonsending) @escaping () async throws -> Value
) async throws -> Value {
  try await run(TimedOperation(limit: limit, operation), clock: clock, isolation: #isolation)
}

private func run<Value>(
  _ operation: TimedOperation<Value>, clock: SkeinClock, isolation: isolated (any Actor)?
) async throws -> Value {
  let now = clock.now
  let deadline = now.advanced(by: operation.limit)
  let isLate = deadline <= now
  let timer = isLate ? TimerHandle.none : try clock.queue.arm(at: deadline, target: operation.gate)
  let reason = await withTaskGroup(of: Void.self, isolation: isolation) { group in
    // Both closures name `isolation` to belong to the caller's actor.
    _ = isolation
    if isLate { group.cancelAll() }
    group.addTask {
      _ = isolation
      await operation.run()
    }
    let reason = isLate ? .fired : await operation.gate.reason()
    if reason == .ended {
      clock.queue.cancel(timer)
    } else {
      group.cancelAll()
      _ = await operation.end.reason()
    }
    return reason
  }
  return try operation.outcome(reason)
}

/// An operation on its way through a child task.
private final class TimedOperation<Value>: @unchecked Sendable {
  // @unchecked: the caller is suspended from the start of the child task until its end, so that the two use the
  // closure and the result in turn.
  let limit: Duration
  /// Opened by the timer or by the operation's end.
  let gate = Gate()
  /// Opened by the operation's end.
  let end = Gate()

  private let operation: nonisolated(nonsending) () async throws -> Value
  private var result: Result<Value, any Error>?

  init(limit: Duration, _ operation: nonisolated(nonsending) @escaping () async throws -> Value) {
    self.limit = limit
    self.operation = operation
  }

  func run() async {
    do {
      result = .success(try await operation())
    } catch {
      result = .failure(error)
    }
    gate.open(.ended)
    end.open(.ended)
  }

  /// What the caller gets, given what opened the gate.
  func outcome(_ reason: GateReason) throws -> Value {
    switch (result, reason) {
    case (.success(let value), _): return value
    case (.failure, .fired): throw TimeoutError(duration: limit)
    case (.failure, .dropped): throw TimerError.shutDown
    case (.failure(let error), _): throw error
    case (nil, _): preconditionFailure("a timed operation left its task without a result")
    }
  }
}
