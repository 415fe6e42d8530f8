// ServiceRef: how others know a service: call it, send to it, end it.

internal import SkeinMailbox
internal import SkeinPlatform
public import SkeinScheduler
internal import SkeinTimer

/// A reference to a service of type `Service`; small, copied freely, valid for ever.
///
/// When the service has ended, calls fail with ``CallError/Code/noSuchService`` and sends answer
/// ``SendReceipt/noSuchService``.
///
/// - Thread safety: any thread.
public struct ServiceRef<Service: SkeinService>: Sendable, Hashable {
  @usableFromInline let record: ServiceRecord

  init(_ record: ServiceRecord) { self.record = record }

  /// The service's number in its node; not used again before the node ends.
  public var id: UInt32 { record.id }
  /// The service's name, or its type and id.
  public var label: String { record.label }
  /// Messages that wait for the service; a snapshot.
  public var unreadCount: Int { record.strand.mailbox.count }

  /// Two references are equal when they lead to the same service.
  public static func == (left: ServiceRef, right: ServiceRef) -> Bool { left.record === right.record }
  /// Hashes the service's identity.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(record)) }

  // MARK: - Ending

  /// Asks the service to end in order: unread requests fail, running handlers end, `stop()` is called.
  public func exit() { record.exit(.exited) }

  /// Ends the service by force: unread and running requests fail at once, handlers' tasks are cancelled, and
  /// the service may not call or send any more. A handler that does not end keeps state and id: a zombie.
  public func kill() { record.exit(.killed) }

  /// Waits until the service is gone and says why.
  public func waitUntilGone() async -> ExitReason { await record.waitUntilGone() }

  // MARK: - Calling and sending with the arguments as one value

  /// Calls `command` with its arguments as one tuple; see ``call(_:deadline:)``.
  @inlinable @inline(__always)
  public func call<Input, Output>(
    _ command: Command<Service, Input, Output>, arguments: Input, deadline: CallDeadline = .standard
  ) async throws -> Output {
    if let result = callInPlace(command, arguments, deadline) { return try result.get() }
    let call = try makeCall(command.name, deadline)
    post(command, arguments, call)
    await call.awaitEndOrCancellation(isolation: #isolation)
    return try call.takeOutcome(Output.self)
  }

  /// Sends a one-way message with its arguments as one tuple; see ``send(_:)``.
  @inlinable
  public func send<Input, Output>(_ command: Command<Service, Input, Output>, arguments: Input) -> SendReceipt {
    if ServiceRecord.callerIsRefusingOutgoing { return .callerExited }
    switch record.strand.send(unsafe Payload.envelope(command.body.oneWay, arguments)) {
    case .delivered: return .delivered
    case .busy(let envelope):
      envelope.refuse()
      return .busy
    case .closed(let envelope):
      envelope.refuse()
      return .noSuchService
    }
  }

  /// Sends a one-way message, waiting for room while the mailbox is full.
  ///
  /// - Throws: ``CallError`` when the service has ended or the calling one may not send, `CancellationError`
  ///   when the task is cancelled before the message was accepted.
  @inlinable
  public func sendWhenReady<Input, Output>(
    _ command: Command<Service, Input, Output>, arguments: Input
  ) async throws {
    var hasWaited = false
    while true {
      switch send(command, arguments: arguments) {
      case .delivered: return
      case .noSuchService: throw CallError(.noSuchService, service: label, command: command.name)
      case .callerExited:
        if hasWaited { record.strand.passRoomOn() }
        throw CallError(.callerExited, service: label, command: command.name)
      case .busy:
        await waitForRoom(isolation: #isolation)
        hasWaited = true
        try Task.checkCancellation()
      }
    }
  }

  @usableFromInline
  func waitForRoom(isolation: isolated (any Actor)?) async {
    await record.strand.waitForRoom(isolation: isolation)
  }

  // MARK: - How a call gets there

  /// Runs a synchronous handler on the caller's stack, if the service is idle and nothing else is in the way.
  ///
  /// - Returns: `nil` when the call has to be queued.
  @inlinable
  func callInPlace<Input, Output>(
    _ command: Command<Service, Input, Output>, _ arguments: Input, _ deadline: CallDeadline
  ) -> Result<Output, any Error>? {
    guard let handler = command.body.synchronous else { return nil }
    var frame = unsafe CallFrame()
    return unsafe withUnsafeMutablePointer(to: &frame) { frame in
      switch unsafe record.enter(frame, deadline) {
      case .busy: return nil
      case .refused(let code): return .failure(CallError(code, service: label, command: command.name))
      case .entered: break
      }
      defer { unsafe record.leave(frame) }
      return unsafe frame.pointee.service?._withUnsafeGuaranteedRef { service in
        Result { try handler(unsafe unsafeDowncast(service, to: Service.self), arguments) }
      }
    }
  }

  /// A call that is not yet in the mailbox.
  @usableFromInline
  func makeCall(_ command: String, _ deadline: CallDeadline) throws -> PendingCall {
    let caller = ServiceRecord.current
    if let caller, caller.isRefusingOutgoing { throw CallError(.callerExited, service: label, command: command) }
    guard let end = CallContext.derivedDeadline(deadline, standard: record.node.callDeadline) else {
      throw CallError(.deadlineExceeded, service: label, command: command)
    }
    return PendingCall(record, command, deadline: end, caller: caller)
  }

  /// Arms the deadline and puts the request into the mailbox; what cannot be sent has ended.
  @inlinable
  func post<Input, Output>(_ command: Command<Service, Input, Output>, _ arguments: Input, _ call: PendingCall) {
    do throws(TimerError) { try call.armDeadline() } catch { return call.abandon(.shuttingDown) }
    unsafe call.input.put(arguments)
    switch record.strand.send(unsafe Payload.envelope(command.body.request, call)) {
    case .delivered: break
    case .busy(let envelope):
      call.abandon(.busy)
      envelope.refuse()
    case .closed(let envelope):
      call.abandon(.noSuchService)
      envelope.refuse()
    }
  }
}
