// PendingCall: one call that waits for its answer: the question, the answer, and what ends the wait.
//
// Of no type itself: question and answer lie in words (see Payload), and those who know their types put them in and take
// them out, each once. So what is the same for all calls is compiled once, and a call costs one allocation.
//
// States of `phase`, and who moves them:
//   open    -> settled   the first of: the handler's result, a refusal, the deadline, the caller's cancellation
// The one who moved it writes the outcome and then ends the wait. Whoever comes later has no say.
// States of `wait`:
//   none    -> waiting   the caller, once its continuation is written
//   none    -> ended     the one who settled; the caller then finds it and does not wait
//   waiting -> ended     the same, who then resumes the caller
// `handler` is the driver that runs the handler, counted. Who takes it out, by an exchange, may cancel it: the strand at
// the handler's end, or the one who abandons. Found gone at the end, the driver is not used again.

internal import SkeinPlatform
internal import SkeinScheduler
public import SkeinTimer
internal import Synchronization

@usableFromInline
@safe final class PendingCall: TimerTarget {
  /// Whose command it is; says so in errors.
  @usableFromInline let callee: ServiceRecord
  @usableFromInline let command: String
  /// The service that calls; `nil` outside of services.
  private let caller: ServiceRecord?
  /// When the caller stops waiting, in nanoseconds of the monotonic clock; `.max` is never.
  @usableFromInline let deadline: Int64

  // MARK: The caller's until the message is sent, then the receiver's
  @exclusivity(unchecked) @usableFromInline nonisolated(unsafe) var input = PayloadWords()
  // MARK: Written by the one who settles, read after the wait
  @exclusivity(unchecked) @usableFromInline nonisolated(unsafe) var output = PayloadWords()
  @exclusivity(unchecked) @usableFromInline nonisolated(unsafe) var failure: (any Error)?
  // MARK: The caller's until the message is sent, then the settler's
  @exclusivity(unchecked) nonisolated(unsafe) private var timer: (queue: TimerQueue, handle: TimerHandle)?
  /// Told of the end in place of a caller that waits; takes the outcome.
  @exclusivity(unchecked) @usableFromInline nonisolated(unsafe) var whenEnded: (@Sendable () -> Void)?
  @exclusivity(unchecked) nonisolated(unsafe) private var continuation: UnsafeContinuation<Void, Never>?
  /// In place of the continuation, when the caller's task is not one of ours and might be resumed elsewhere.
  @exclusivity(unchecked) nonisolated(unsafe) private var gate: TaskGate?

  // MARK: Any thread
  private let phase = Atomic<UInt8>(PendingCall.open)
  private let wait = Atomic<UInt8>(PendingCall.none)
  private let handler = Atomic<UInt>(0)

  private static var open: UInt8 { 0 }
  private static var settled: UInt8 { 1 }
  private static var none: UInt8 { 0 }
  private static var waiting: UInt8 { 1 }
  private static var ended: UInt8 { 2 }

  init(_ callee: ServiceRecord, _ command: String, deadline: Int64, caller: ServiceRecord?) {
    self.callee = callee
    self.caller = caller
    self.command = command
    self.deadline = deadline
  }

  // MARK: - The caller

  /// Arms the deadline's timer; before the message is sent.
  @usableFromInline
  func armDeadline() throws(TimerError) {
    if deadline == .max { return }
    let timers = callee.node.pool.currentTimers
    let handle = try timers.arm(at: MonotonicInstant(nanoseconds: deadline), target: self)
    // It may have fired: then it has settled the call, and nobody looks at this.
    unsafe timer = (timers, handle)
  }

  /// Waits for the end, which the cancellation of the caller's task brings about, too. The outcome is in `failure`, or
  /// else in `output`.
  @usableFromInline
  func awaitEndOrCancellation(isolation: isolated (any Actor)?) async {
    await withTaskCancellationHandler {
      // A driver's task is resumed on its strand; any other might go through Swift's global pool.
      if canBeResumed {
        unsafe await withUnsafeContinuation(isolation: isolation) { unsafe suspend($0) }
      } else if let gate = suspendAtGate() {
        _ = await gate.wait()
      }
    } onCancel: {
      cancel()
    }
  }

  // Not what the thread knows: it may run another's task in the midst of a handler.
  private var canBeResumed: Bool { TaskDriver.ofCurrentTask != nil }

  private func suspend(_ continuation: UnsafeContinuation<Void, Never>) {
    unsafe self.continuation = continuation
    if !beginWait() { unsafe continuation.resume() }
  }

  /// The gate at which to wait; `nil` when the call has ended.
  private func suspendAtGate() -> TaskGate? {
    let gate = TaskGate()
    unsafe self.gate = gate
    return beginWait() ? gate : nil
  }

  /// The caller's task was cancelled.
  private func cancel() { abandon(caller?.isRefusingOutgoing == true ? .callerExited : .cancelled) }

  private func beginWait() -> Bool {
    // Release: publishes who waits; acquire: sees the outcome. Both pair with the exchange in `finish`.
    wait.compareExchange(expected: PendingCall.none, desired: PendingCall.waiting, ordering: .acquiringAndReleasing)
      .exchanged
  }

  // MARK: - The end

  /// Whether nobody waits any more.
  @usableFromInline var isAbandoned: Bool {
    // Acquire: who learns of it sees what came before.
    phase.load(ordering: .acquiring) != PendingCall.open
  }

  /// Whether the caller is the first to end the call: then it writes the outcome and calls `finish`.
  @usableFromInline
  func settle() -> Bool {
    // Relaxed: a look, so that the last one of two does not write.
    if phase.load(ordering: .relaxed) != PendingCall.open { return false }
    // Sequentially consistent: of this and `attach`, one sees the other.
    return phase.exchange(PendingCall.settled, ordering: .sequentiallyConsistent) == PendingCall.open
  }

  /// Ends the wait, once the outcome is written.
  @usableFromInline
  func finish() {
    if let (queue, handle) = unsafe timer { queue.cancel(handle) }
    endWait()
  }

  private func endWait() {
    if let whenEnded = unsafe whenEnded {
      unsafe self.whenEnded = nil
      return whenEnded()
    }
    // Release: publishes the outcome; acquire: sees who waits. Both pair with `beginWait`.
    if wait.exchange(PendingCall.ended, ordering: .acquiringAndReleasing) == PendingCall.none { return }
    if let continuation = unsafe continuation { unsafe continuation.resume() } else { unsafe gate?.open() }
  }

  /// Ends the call without an answer, unless it has ended, and cancels its handler.
  @usableFromInline
  func abandon(_ code: CallError.Code) { abandon(code) { finish() } }

  private func abandon(_ code: CallError.Code, _ end: () -> Void) {
    guard settle() else { return }
    let driver = takeHandler()
    unsafe failure = CallError(code, service: callee.label, command: command)
    end()
    driver?.cancel()
  }

  // MARK: - The handler

  /// The call is performed by `driver`, which is cancelled when nobody waits any more.
  func attach(_ driver: TaskDriver) {
    // Sequentially consistent: of this and the step in `settle`, one sees the other.
    handler.store(ReferenceWord.retain(driver), ordering: .sequentiallyConsistent)
    // Sequentially consistent: as above.
    if phase.load(ordering: .sequentiallyConsistent) != PendingCall.open { takeHandler()?.cancel() }
  }

  /// Takes the driver out; whoever gets it may cancel it.
  func takeHandler() -> TaskDriver? {
    // Sequentially consistent: as in `attach`; one taker gets it.
    ReferenceWord.take(handler.exchange(0, ordering: .sequentiallyConsistent))
  }

  // MARK: - The deadline

  // A timer that fires at once may be ahead of its own handle: there is none to cancel.
  @usableFromInline func timerFired(token: UInt64) { abandon(.deadlineExceeded, endWait) }
  /// The node's timers are gone.
  @usableFromInline func timerDropped(token: UInt64) { abandon(.shuttingDown, endWait) }
}

// @unchecked: the plain fields belong to those who are named above them, by turns that the words order.
extension PendingCall: @unchecked Sendable {}

/// The typed side of a call.
extension PendingCall {
  /// Ends the call with the handler's answer, unless it has ended.
  @inlinable
  func succeed<Output: Sendable>(_ output: Output) {
    guard settle() else { return }
    unsafe self.output.put(output)
    finish()
  }

  /// Ends the call with the handler's error, unless it has ended.
  @usableFromInline
  func fail(_ error: any Error) {
    guard settle() else { return }
    unsafe failure = error
    finish()
  }

  /// Drops the question and ends the call, when the message is not accepted or not performed.
  @inlinable
  func refuse<Input: Sendable>(_ type: Input.Type, _ code: CallError.Code) {
    _ = unsafe input.take(Input.self)
    abandon(code)
  }

  /// The outcome, after the end; once.
  @inlinable
  func takeOutcome<Output: Sendable>(_ type: Output.Type) throws -> Output {
    if let failure = unsafe failure { throw failure }
    return unsafe output.take(Output.self)
  }
}
