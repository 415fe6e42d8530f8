// TaskDriver: a Swift task that runs asynchronous work on strands, one piece after another.
//
// A task costs 0.5 µs to make and a kilobyte to keep, so a task that has done its work is parked with the worker on whose
// thread it ended, and does the next piece that a strand of that worker begins.
//
// The task's loop belongs to an actor of its own, `TaskLoop`, whose executor runs at once what it is given: so when the
// work, which belongs to an actor on a strand, returns to the loop, the loop lets go of it before it waits for the next.
// To begin a piece is to resume the loop on the turn of the strand of that piece, and then to run the job with which the
// task goes over to the strand, at once, instead of leaving it in line. What the task and its children do that belongs to
// no actor runs on the strand of the work: the driver is their executor preference.
//
// States, and who moves them:
//   working -> parked   the task, when its work has returned to the loop, on the strand's turn
//   parked  -> working  `begin`, on the turn of a strand, on the worker with which the task is parked
//   parked  -> ended    the worker, when it ends
//   working -> ended    the task, if it was retired or cancelled, or its worker has enough parked ones
// What is not atomic is touched on the strand's turn, or while parked by the worker's thread.

internal import SkeinPlatform

/// A task that strands use again and again for asynchronous work.
///
/// - Thread safety: enqueueing and cancelling from any thread; all else on the turn of the strand whose work it does.
@safe public final class TaskDriver: TaskExecutor {
  /// A piece of work: calls, once and as the last thing that it does, what belongs to an actor on the strand.
  public typealias Work = @Sendable (isolated TaskLoop) async -> Void

  /// Most drivers that a worker keeps for later.
  static let mostParked = 64

  @exclusivity(unchecked) nonisolated(unsafe) private var strand: Strand?
  @exclusivity(unchecked) nonisolated(unsafe) fileprivate var work: Work?
  /// Written before anybody else knows the driver.
  @exclusivity(unchecked) nonisolated(unsafe) private var task: Task<Void, Never>?
  /// That of the task.
  @exclusivity(unchecked) nonisolated(unsafe) private var address: UInt = 0
  /// How the parked task goes on.
  @exclusivity(unchecked) nonisolated(unsafe) private var resumption: UnsafeContinuation<Void, Never>?
  /// The executor of its loop, while the task lives.
  @exclusivity(unchecked) nonisolated(unsafe) private unowned(unsafe) var loop: TaskLoop?
  /// The job with which the task is resumed; it runs where it is caught.
  @exclusivity(unchecked) nonisolated(unsafe) private var caught: UnownedJob?
  @exclusivity(unchecked) nonisolated(unsafe) private var catches = false
  @exclusivity(unchecked) nonisolated(unsafe) private var isRetired = false

  // MARK: The owner's of the work
  /// What is in `ThreadSlot.context` while its jobs run: memory that is freed with the driver; nothing in it is released.
  @exclusivity(unchecked) nonisolated(unsafe) public var context: UnsafeMutableRawPointer?
  /// What the work is about, such as a call.
  @exclusivity(unchecked) nonisolated(unsafe) public var subject: AnyObject?
  /// For a list of the drivers that work for one owner.
  @exclusivity(unchecked) nonisolated(unsafe) public var next: TaskDriver?
  /// For the same list.
  @exclusivity(unchecked) nonisolated(unsafe) public unowned(unsafe) var previous: TaskDriver?

  private init() {}

  deinit { unsafe context?.deallocate() }

  /// A driver for work on a strand on whose turn the caller is: one that is parked, or a new one.
  public static func make() -> TaskDriver {
    let parked: TaskDriver?? = Worker.withCurrent { unsafe $0.parkedDrivers.popLast() }
    if let driver = parked ?? nil { return driver }
    let driver = TaskDriver()
    driver.makeTask()
    return driver
  }

  /// The driver that is the executor preference of the current task: it runs that task, or one whose child that is.
  ///
  /// - Complexity: O(1), 0.1 µs in a task.
  public static var ofCurrentTask: TaskDriver? {
    unsafe withUnsafeCurrentTask { task in unsafe task.flatMap { unsafe preference(of: $0) } }
  }

  /// The driver of `job`, if that is of the current task.
  static func ofCurrentTask(_ job: UnownedJob) -> TaskDriver? {
    // A task is its own job.
    CurrentTask.address == job.bits ? ofCurrentTask : nil
  }

  private static func preference(of task: UnsafeCurrentTask) -> TaskDriver? {
    guard let executor = unsafe task.unownedTaskExecutor else { return nil }
    // An executor is an object, and how it conforms.
    let (object, _) = unsafe unsafeBitCast(executor, to: (UInt, UInt).self)
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: object) else { return nil }
    return unsafe Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? TaskDriver
  }

  /// Whether the current task is the one that the driver runs; not a child of it.
  public var isCurrentTask: Bool { unsafe address != 0 && CurrentTask.address == address }

  /// Does `work` on `strand`, on whose turn the caller is: up to its first suspension now.
  public func begin(on strand: Strand, _ work: @escaping Work) {
    unsafe self.strand = strand
    unsafe self.work = work
    let before = unsafe ThreadSlot.context.value
    unsafe ThreadSlot.context.value = unsafe context
    // The compiler leaves out a switch to an actor whose state is not touched: then there is no job, and the work has run
    // up to its first suspension already, or to its end.
    let job = catchResumption()
    if let first = strand.captureJob(job, { runInLoop(job) }) { strand.runJob(first, by: self) }
    unsafe ThreadSlot.context.value = before
  }

  /// Makes the task, and parks it.
  private func makeTask() {
    let loop = TaskLoop(self)
    unsafe self.loop = loop
    unsafe catches = true
    unsafe task = Task(executorPreference: self) { await loop.run() }
    guard let job = unsafe caught else { preconditionFailure("a task that began was not enqueued") }
    unsafe caught = nil
    unsafe catches = false
    unsafe address = job.bits
    unsafe job.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Resumes the parked task; its job is the caller's to run.
  private func catchResumption() -> UnownedJob {
    guard let resumption = unsafe resumption else { preconditionFailure("a driver at work was given more") }
    unsafe self.resumption = nil
    unsafe catches = true
    unsafe resumption.resume()
    unsafe catches = false
    guard let job = unsafe caught else { preconditionFailure("a task that was resumed was not enqueued") }
    unsafe caught = nil
    return job
  }

  fileprivate func runInLoop(_ job: UnownedJob) {
    guard let loop = unsafe loop else { preconditionFailure("a driver without a task") }
    unsafe job.runSynchronously(isolatedTo: loop.asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }

  /// Cancels the task. Whoever may do so must have it retired.
  ///
  /// - Thread safety: any thread, while the work is under way or once it is retired.
  public func cancel() { unsafe task?.cancel() }

  /// Ends the task with its work, as it may be cancelled.
  public func retire() { unsafe isRetired = true }

  /// Ends a parked driver.
  func end() { runInLoop(catchResumption()) }

  /// Whether the task, which has done its work, is to end.
  fileprivate var isToEnd: Bool {
    if unsafe isRetired || task?.isCancelled == true { return true }
    return Worker.withCurrent { unsafe $0.parkedDrivers.count >= TaskDriver.mostParked } ?? true
  }

  /// The task waits for its next work, or, when it is new, for its first.
  fileprivate func park(_ resumption: UnsafeContinuation<Void, Never>, isNew: Bool) {
    unsafe self.resumption = resumption
    if isNew { return }
    unsafe strand = nil
    _ = Worker.withCurrent { unsafe $0.parkedDrivers.append(self) }
  }

  /// Takes a job of the task, or of a child of it, that belongs to no actor; called by the Swift runtime.
  public func enqueue(_ job: consuming ExecutorJob) {
    if unsafe catches {
      unsafe caught = UnownedJob(job)
    } else if let strand = unsafe strand {
      strand.enqueue(UnownedJob(job), by: self)
    } else {
      // The task ends: nothing of its work is left.
      unsafe UnownedJob(job).runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}

// @unchecked: by turns, see above.
extension TaskDriver: @unchecked Sendable {}

/// The actor to which the loop of a ``TaskDriver`` belongs; its executor runs at once what it is given.
public actor TaskLoop: SerialExecutor {
  private nonisolated let driver: TaskDriver

  fileprivate init(_ driver: TaskDriver) { self.driver = driver }

  /// The loop is its own executor.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

  /// Runs the job; called by the Swift runtime.
  public nonisolated func enqueue(_ job: consuming ExecutorJob) { driver.runInLoop(UnownedJob(job)) }

  @inline(never)
  fileprivate func run() async {
    var isNew = true
    repeat {
      unsafe await withUnsafeContinuation(isolation: self) { unsafe driver.park($0, isNew: isNew) }
      isNew = false
      guard let work = takeWork() else { return }
      await work(self)
    } while !driver.isToEnd
  }

  private func takeWork() -> TaskDriver.Work? {
    defer { unsafe driver.work = nil }
    return unsafe driver.work
  }
}
