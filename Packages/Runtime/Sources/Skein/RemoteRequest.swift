// RemoteRequest: a peer's request for one command, with its arguments read.

internal import SkeinPlatform
internal import SkeinScheduler
internal import SkeinTimer

/// A request whose arguments have been read, for whichever service the name leads to.
struct RemoteRequest<Service: SkeinService>: Sendable {
  /// Puts the request into the service's mailbox; `answer` is told the encoded result, once, on any thread.
  let call: @Sendable (ServiceRef<Service>, @escaping @Sendable (Result<[UInt8], any Error>) -> Void) -> Void
  /// Puts it there without an answer.
  let send: @Sendable (ServiceRef<Service>) -> SendReceipt
}

extension ServiceRef {
  /// Queues a call for which no task waits.
  func callRemotely<Input, Output>(
    _ command: Command<Service, Input, Output>, _ input: Input, _ face: RemoteFace<Input, Output>,
    _ answer: @escaping @Sendable (Result<[UInt8], any Error>) -> Void
  ) {
    // Inherits nothing: the calling thread may be in the midst of another request, whose answer let this one in.
    let end = MonotonicInstant.now.nanoseconds.addingReportingOverflow(record.node.callDeadline)
    let call = PendingCall(record, command.name, deadline: end.overflow ? .max : end.partialValue, caller: nil)
    // The call holds the closure that holds the call, until its end.
    unsafe call.whenEnded = {
      answer(Result { try face.encode(call.takeOutcome(Output.self)) })
    }
    post(command, input, call)
  }
}
