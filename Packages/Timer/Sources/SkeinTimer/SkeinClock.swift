// SkeinClock: a Swift clock whose sleepers are timers of a TimerQueue.

public import SkeinPlatform

/// A clock that sleeps on a ``TimerQueue``.
///
/// ```swift
/// let clock = SkeinClock(queue)
/// try await clock.sleep(for: .milliseconds(20))
/// ```
///
/// A sleeper holds one small object and no thread; sleeping and waking never go through the global executor when
/// the caller's actor or task brings its own. Call the methods on `SkeinClock` itself for that: through
/// `any Clock` or a generic parameter Swift runs them on the global executor first.
/// - Thread safety: any thread.
public struct SkeinClock: Clock {
  /// A point on the machine's monotonic clock, or on the manual clock that the queue is advanced by.
  public typealias Instant = MonotonicInstant

  /// The queue on which the clock's sleepers wait.
  public let queue: TimerQueue
  private let time: (@Sendable () -> MonotonicInstant)?

  /// Creates a clock on `queue`.
  ///
  /// - Parameters:
  ///   - queue: somebody advances it, with the instants of the same clock.
  ///   - time: tells the time; `nil` reads the machine's clock.
  public init(_ queue: TimerQueue, time: (@Sendable () -> MonotonicInstant)? = nil) {
    self.queue = queue
    self.time = time
  }

  /// The time.
  public var now: MonotonicInstant {
    guard let time else { return .now }
    return time()
  }

  /// One tick of the queue: sleeps end at whole ticks.
  public var minimumResolution: Duration { queue.tick }

  /// Suspends the task until `deadline`.
  ///
  /// Returns at once when the deadline is past. Never early; late by up to a tick and until the queue is advanced.
  ///
  /// - Parameters:
  ///   - deadline: when to go on.
  ///   - tolerance: ignored; sleepers of one tick are woken together anyway.
  /// - Throws: `CancellationError` as soon as the task is cancelled; ``TimerError`` when the queue is full or
  ///   shut down.
  public func sleep(until deadline: MonotonicInstant, tolerance: Duration? = nil) async throws {
    try Task.checkCancellation()
    if deadline <= now { return }
    try await sleep(until: deadline, isolation: #isolation)
  }

  private func sleep(until deadline: MonotonicInstant, isolation: isolated (any Actor)?) async throws {
    let gate = TaskGate()
    let timer = try queue.arm(at: deadline, target: gate)
    // The closure names `isolation` so that it belongs to the caller's actor: else it would begin on the global pool.
    let reason = await withTaskCancellationHandler {
      _ = isolation
      return await gate.wait()
    } onCancel: {
      gate.open(.cancelled)
    }
    switch GateReason(opened: reason) {
    case .cancelled:
      queue.cancel(timer)
      throw CancellationError()
    case .dropped: throw TimerError.shutDown
    case .fired, .ended: return
    }
  }

  /// Suspends the task for `duration`.
  ///
  /// As ``sleep(until:tolerance:)``.
  public func sleep(for duration: Duration, tolerance: Duration? = nil) async throws {
    try await sleep(until: now.advanced(by: duration), tolerance: tolerance)
  }
}
