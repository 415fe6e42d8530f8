// ServiceHold: an idle service, held for a moment to run synchronous commands on it in a row.

public import SkeinScheduler

/// An idle service that is held by the calling handler: nobody else's message runs in it meanwhile.
///
/// Hold several services together to let commands on them take effect as one; take them in one fixed order. A hold
/// must not live across an `await`.
///
/// ```swift
/// if let hold = shard.tryHold() { value = try hold.perform(Shard.get, arguments: key) }
/// ```
///
/// - Thread safety: the thread that made it.
public final class ServiceHold<Service: SkeinService> {
  @usableFromInline let record: ServiceRecord
  @usableFromInline let worker: Worker
  @usableFromInline let service: Service

  @usableFromInline
  init(_ record: ServiceRecord, _ worker: Worker, _ service: Service) {
    self.record = record
    self.worker = worker
    self.service = service
  }

  deinit { record.strand.leave() }

  /// Runs a synchronous command.
  ///
  /// - Precondition: the command's handler is synchronous.
  /// - Throws: what the handler throws.
  @inlinable
  public func perform<Input, Output>(
    _ command: Command<Service, Input, Output>, arguments: Input
  ) throws -> Output {
    guard let handler = command.body.synchronous else {
      preconditionFailure("\(command.name) is asynchronous: a held service runs synchronous commands only")
    }
    var frame = unsafe CallFrame()
    return try unsafe withUnsafeMutablePointer(to: &frame) { frame in
      guard unsafe record.begin(frame, on: worker) else {
        throw CallError(.deadlineExceeded, service: record.label, command: command.name)
      }
      defer { unsafe record.end(frame, on: worker) }
      return try handler(service, arguments)
    }
  }
}

extension ServiceRef {
  /// Holds the service if it is idle.
  ///
  /// - Returns: `nil` when it has something to do, is exclusive or has ended, and outside of a handler.
  @inlinable
  public func tryHold() -> ServiceHold<Service>? {
    guard let worker = Worker.current, worker.depth < record.limits.inPlaceDepth, record.strand.tryEnter() else {
      return nil
    }
    guard let (record, service) = Service.receiver(of: record.strand) else {
      record.strand.leave()
      return nil
    }
    return ServiceHold(record, worker, service)
  }
}
