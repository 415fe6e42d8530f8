// CallFrame: what a thread knows of the calls whose synchronous handlers it runs.
//
// Frames lie on the thread's stack, one for each synchronous handler of a call, or with the driver of an asynchronous
// one; the innermost is in `ThreadSlot.context`. A handler that runs in place has its caller's frame below its own. What a
// frame refers to lives as long as the handler.

internal import SkeinPlatform
public import SkeinScheduler

/// One call's place on the stack.
@usableFromInline
@unsafe struct CallFrame {
  /// When the caller stops waiting, in nanoseconds of the monotonic clock; `.max` is never.
  @usableFromInline var deadline: Int64 = .max
  /// The call that waits; `nil` in place, where the frame below knows it.
  @usableFromInline var waiting: Unmanaged<PendingCall>?
  /// The frame below.
  @usableFromInline var outer: UnsafeMutablePointer<CallFrame>?
  /// In place: what the worker ran before.
  @usableFromInline var before: Unmanaged<Strand>?
  /// In place: the service.
  @usableFromInline var service: Unmanaged<AnyObject>?

  @inlinable init() {}

  /// The calling thread's innermost frame.
  @usableFromInline static var current: UnsafeMutablePointer<CallFrame>? {
    get { unsafe ThreadSlot.context.value?.assumingMemoryBound(to: CallFrame.self) }
    set { unsafe ThreadSlot.context.value = UnsafeMutableRawPointer(newValue) }
  }

  /// What the handler sees of it.
  var context: CallContext {
    var frame = unsafe self
    while unsafe frame.waiting == nil, let outer = unsafe frame.outer { unsafe frame = outer.pointee }
    return CallContext(
      deadline: unsafe deadline == .max ? nil : MonotonicInstant(nanoseconds: deadline),
      waiting: unsafe frame.waiting?.takeUnretainedValue())
  }

  /// Runs the synchronous handler of a queued call within a frame of its own.
  @inlinable
  static func bind<Output>(_ call: PendingCall, _ body: () throws -> Output) rethrows -> Output {
    var frame = unsafe CallFrame(of: call)
    return try unsafe withUnsafeMutablePointer(to: &frame) { frame in
      // From the mailbox: nothing else has a frame on this thread.
      unsafe current = frame
      defer { unsafe current = nil }
      return try body()
    }
  }

  /// The frame of a call from the mailbox; of a one-way message without one.
  @inlinable
  init(of call: PendingCall?) {
    guard let call else { return }
    unsafe deadline = call.deadline
    unsafe waiting = Unmanaged.passUnretained(call)
  }
}

/// What comes of the wish to run a handler in place.
@usableFromInline
enum InPlaceEntry {
  /// The caller is in the service, and leaves it with `ServiceRecord.leave`.
  case entered
  /// The call has to be queued.
  case busy
  /// The call must not be made.
  case refused(CallError.Code)
}

extension ServiceRecord {
  /// Enters the service for one synchronous handler, if it is idle and nothing else is in the way.
  ///
  /// - Parameter frame: an empty one; becomes the thread's innermost until `leave`.
  @usableFromInline
  func enter(_ frame: UnsafeMutablePointer<CallFrame>, _ deadline: CallDeadline) -> InPlaceEntry {
    Worker.withCurrent { worker in
      guard worker.depth < limits.inPlaceDepth else { return .busy }
      if ServiceRecord.isRefusingOutgoing(on: worker) { return .refused(.callerExited) }
      guard unsafe frame.pointee.derive(deadline, standard: node.callDeadline) else { return .refused(.deadlineExceeded) }
      guard strand.tryEnter() else { return .busy }
      guard let service = unsafe serviceReference else {
        strand.leave()
        return .busy
      }
      unsafe frame.pointee.service = service
      unsafe frame.pointee.before = worker.enterInPlace(strand)
      unsafe CallFrame.current = frame
      return .entered
    } ?? .busy
  }

  /// Leaves the service that the call of `frame` has entered.
  @usableFromInline
  func leave(_ frame: UnsafeMutablePointer<CallFrame>) {
    unsafe CallFrame.current = unsafe frame.pointee.outer
    _ = Worker.withCurrent { worker in unsafe worker.leaveInPlace(frame.pointee.before) }
    strand.leave()
  }
}

extension ServiceRecord {
  /// Begins a synchronous handler in a service that the caller holds.
  ///
  /// - Returns: `false` when the calling handler's deadline is past.
  @usableFromInline
  func begin(_ frame: UnsafeMutablePointer<CallFrame>, on worker: Worker) -> Bool {
    guard unsafe frame.pointee.derive(.standard, standard: node.callDeadline) else { return false }
    unsafe frame.pointee.before = worker.enterInPlace(strand)
    unsafe CallFrame.current = frame
    return true
  }

  /// Ends it.
  @usableFromInline
  func end(_ frame: UnsafeMutablePointer<CallFrame>, on worker: Worker) {
    unsafe CallFrame.current = unsafe frame.pointee.outer
    unsafe worker.leaveInPlace(frame.pointee.before)
  }
}

extension CallFrame {
  /// Takes over what the caller's frame knows, and sets the deadline.
  ///
  /// - Returns: `false` when the deadline is past.
  mutating func derive(_ deadline: CallDeadline, standard: Int64) -> Bool {
    unsafe outer = unsafe CallFrame.current
    let limit = unsafe outer?.pointee.deadline ?? .max
    guard let end = deadline.end(standard: standard, within: limit) else { return false }
    unsafe self.deadline = end
    return true
  }
}
