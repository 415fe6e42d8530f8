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
  /// The frame of the caller; its context holds, too.
  @usableFromInline var outer: UnsafeMutablePointer<CallFrame>?
  /// Whether there is a call at all, and not a one-way message.
  @usableFromInline var isCall = true
  /// The driver with which it lies; `nil` on the stack.
  @usableFromInline var driver: Unmanaged<TaskDriver>?
  /// In place: what the worker ran before.
  @usableFromInline var before: Unmanaged<Strand>?
  /// In place: the thread's innermost frame before.
  @usableFromInline var below: UnsafeMutablePointer<CallFrame>?
  /// In place: the service.
  @usableFromInline var service: Unmanaged<AnyObject>?

  @inlinable init() {}

  /// The frame in which the calling code is: the thread's innermost, or, where a task has left the strand of its handler,
  /// that of the task.
  static var current: UnsafeMutablePointer<CallFrame>? {
    if let frame = unsafe innermost {
      guard let driver = unsafe frame.pointee.driver else { return unsafe frame }
      // The thread may run another's task in the midst of a handler's, when an actor is handed on to it.
      if unsafe driver._withUnsafeGuaranteedRef({ $0.isCurrentTask }) { return unsafe frame }
    }
    return unsafe TaskDriver.ofCurrentTask?.context?.assumingMemoryBound(to: CallFrame.self)
  }

  /// The calling thread's innermost frame.
  @usableFromInline static var innermost: UnsafeMutablePointer<CallFrame>? {
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
      unsafe innermost = frame
      defer { unsafe innermost = nil }
      return try body()
    }
  }

  /// The frame of a call from the mailbox; of a one-way message without one.
  @inlinable
  init(of call: PendingCall?) {
    guard let call else {
      unsafe isCall = false
      return
    }
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
      guard unsafe frame.pointee.derive(deadline, standard: node.callDeadline) else {
        return .refused(.deadlineExceeded)
      }
      guard strand.tryEnter() else { return .busy }
      guard let service = unsafe serviceReference else {
        strand.leave()
        return .busy
      }
      unsafe frame.pointee.service = service
      unsafe CallFrame.push(frame, strand, on: worker)
      return .entered
    } ?? .busy
  }

  /// Leaves the service that the call of `frame` has entered.
  @usableFromInline
  func leave(_ frame: UnsafeMutablePointer<CallFrame>) {
    _ = Worker.withCurrent { worker in unsafe frame.pointee.pop(on: worker) }
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
    unsafe CallFrame.push(frame, strand, on: worker)
    return true
  }

  /// Ends it.
  @usableFromInline
  func end(_ frame: UnsafeMutablePointer<CallFrame>, on worker: Worker) {
    unsafe frame.pointee.pop(on: worker)
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

  /// Makes `frame`, which lies on the stack, the thread's innermost, and `strand` what the worker runs.
  static func push(_ frame: UnsafeMutablePointer<CallFrame>, _ strand: Strand, on worker: Worker) {
    unsafe frame.pointee.below = unsafe innermost
    unsafe frame.pointee.before = worker.enterInPlace(strand)
    unsafe innermost = frame
  }

  /// Undoes ``push(_:_:on:)``.
  func pop(on worker: Worker) {
    unsafe CallFrame.innermost = unsafe below
    unsafe worker.leaveInPlace(before)
  }
}
