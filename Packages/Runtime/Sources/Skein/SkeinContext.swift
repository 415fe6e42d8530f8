// SkeinContext: a service's connection to its node.

internal import SkeinPlatform
public import SkeinScheduler
public import SkeinTimer

/// What a service is handed when it is made: who it is, and what its node offers.
///
/// - Thread safety: any thread; what speaks of the current call belongs to the handler's thread or task.
@safe public final class SkeinContext: Sendable {
  let record: ServiceRecord
  /// The service's executor.
  public let strand: Strand

  init(_ record: ServiceRecord) {
    self.record = record
    strand = record.strand
  }

  /// The node that runs the service.
  public var node: SkeinNode { record.node }
  /// The service's number.
  public var id: UInt32 { record.id }
  /// The service's name, or its type and id.
  public var label: String { record.label }

  /// Deadline and cancellation of the call that the running handler answers; `nil` outside of a handler.
  public var currentCall: CallContext? { CallContext.current }

  /// A clock whose sleeps end on the node's workers.
  public var clock: SkeinClock { SkeinClock(record.node.pool.currentTimers) }

  /// Suspends the handler; others run meanwhile.
  ///
  /// - Throws: `CancellationError` when the task is cancelled, as it is when the service is killed.
  public func sleep(for duration: Duration) async throws { try await clock.sleep(for: duration) }

  /// Runs `operation` and cancels it after `limit`; it is awaited to its end. See `withTimeout` of SkeinTimer.
  ///
  /// - Throws: `TimeoutError` when the operation threw after the limit; else what it threw.
  public func withTimeout<Value>(
    _ limit: Duration, operation: nonisolated(nonsending) () async throws -> Value
  ) async throws -> Value {
    try await SkeinTimer.withTimeout(limit, clock: clock, operation: operation)
  }

  /// Ends the service in order; see ``ServiceRef/exit()``.
  public func exit() { record.exit(.exited) }

  /// Writes to the node's log, with the service's label.
  public func log(_ level: SkeinLog.Level, _ message: String, _ facts: [String: String] = [:]) {
    record.node.log(level, message, facts.merging(["service": label]) { given, _ in given })
  }
}

extension SkeinService {
  /// A reference to this service.
  public nonisolated var reference: ServiceRef<Self> { ServiceRef(context.record) }
}
