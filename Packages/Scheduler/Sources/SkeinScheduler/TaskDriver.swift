// TaskDriver: a Swift task that runs asynchronous work on strands, one piece after another.
//
// A task costs 0.5 µs to make and a kilobyte to keep, so a task that has done its work is parked with the worker on whose
// thread it ended, and does the next piece that a strand of that worker begins.
//
// The task's loop belongs to an actor of its own, `TaskLoop`, whose executor keeps the job that it is given instead of
// running it. So the task parks by itself when its work, which belongs to an actor on a strand, returns to the loop; to
// begin the next piece is to run the kept job, on the turn of the strand of that piece, and then the job with which the
// task goes over to the strand, at once, instead of leaving it in line. What the task and its children do that belongs to
// no actor runs on the strand of the work: the driver is their executor preference.
//
// States, and who moves them:
//   working -> parked   the task, when its work returns to the loop, on the strand's turn
//   parked  -> working  `begin`, on the turn of a strand, on the worker with which the task is parked
//   parked  -> ended    the worker, when it ends
//   working -> ended    the task, if it was retired or its worker has enough parked ones
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
  @exclusivity(unchecked) nonisolated(unsafe) private var task: Task<Void, Never>?
  /// The job of the parked task, or that of the one that is being made.
  @exclusivity(unchecked) nonisolated(unsafe) private var kept: UnownedJob?
  /// The executor of its loop, while the task lives.
  @exclusivity(unchecked) nonisolated(unsafe) private unowned(unsafe) var loop: TaskLoop?
  @exclusivity(unchecked) nonisolated(unsafe) private var isBeginning = false
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
    return (parked ?? nil) ?? TaskDriver()
  }

  /// The driver that is the executor preference of the current task: it runs that task, or one whose child that is.
  ///
  /// - Complexity: O(1), 0.1 µs in a task.
  public static var ofCurrentTask: TaskDriver? {
    unsafe withUnsafeCurrentTask { task in unsafe task.flatMap { unsafe preference(of: $0) } }
  }

  /// The driver of `job`, if that is of the current task.
  static func ofCurrentTask(_ job: UnownedJob) -> TaskDriver? {
    unsafe withUnsafeCurrentTask { task in
      // A task is its own job.
      guard let task = unsafe task, unsafe unsafeBitCast(task, to: UInt.self) == job.bits else { return nil }
      return unsafe preference(of: task)
    }
  }

  private static func preference(of task: UnsafeCurrentTask) -> TaskDriver? {
    guard let executor = unsafe task.unownedTaskExecutor else { return nil }
    // An executor is an object, and how it conforms.
    let (object, _) = unsafe unsafeBitCast(executor, to: (UInt, UInt).self)
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: object) else { return nil }
    return unsafe Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? TaskDriver
  }

  /// Does `work` on `strand`, on whose turn the caller is: up to its first suspension now.
  public func begin(on strand: Strand, _ work: @escaping Work) {
    if unsafe kept == nil { makeTask() }
    guard let job = unsafe kept else { preconditionFailure("a driver at work was given more") }
    unsafe kept = nil
    unsafe self.strand = strand
    unsafe self.work = work
    let before = unsafe ThreadSlot.context.value
    unsafe ThreadSlot.context.value = unsafe context
    // The compiler leaves out a switch to an actor whose state is not touched: then there is no job, and the work has run
    // up to its first suspension already, or to its end.
    if let first = strand.captureJob({ runInLoop(job) }) { strand.runJob(first, by: self) }
    unsafe ThreadSlot.context.value = before
  }

  /// Makes the task, and parks it.
  private func makeTask() {
    unsafe isBeginning = true
    let loop = TaskLoop(self)
    unsafe self.loop = loop
    unsafe task = Task(executorPreference: self) { await loop.run() }
    guard let job = unsafe kept else { preconditionFailure("a task that began was not enqueued") }
    unsafe kept = nil
    // It goes over to its loop, whose executor keeps it.
    unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    unsafe isBeginning = false
  }

  /// Cancels the task. Whoever may do so must have it retired.
  ///
  /// - Thread safety: any thread, while the work is under way or once it is retired.
  public func cancel() { unsafe task?.cancel() }

  /// Ends the task with its work, as it may be cancelled.
  public func retire() { unsafe isRetired = true }

  /// Ends a parked driver.
  func end() {
    guard let job = unsafe kept else { return }
    unsafe kept = nil
    runInLoop(job)
  }

  private func runInLoop(_ job: UnownedJob) {
    guard let loop = unsafe loop else { preconditionFailure("a driver without a task") }
    unsafe job.runSynchronously(isolatedTo: loop.asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }

  /// The task has come back to its loop.
  fileprivate func park(_ job: UnownedJob) {
    unsafe kept = job
    if unsafe isBeginning { return }
    unsafe strand = nil
    let isParked = Worker.withCurrent { worker in
      if unsafe isRetired || worker.parkedDrivers.count >= TaskDriver.mostParked { return false }
      unsafe worker.parkedDrivers.append(self)
      return true
    }
    if isParked != true { end() }
  }

  /// Takes a job of the task, or of a child of it, that belongs to no actor; called by the Swift runtime.
  public func enqueue(_ job: consuming ExecutorJob) {
    if unsafe isBeginning {
      unsafe kept = UnownedJob(job)
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

/// The actor to which the loop of a ``TaskDriver`` belongs; its executor keeps the task's job until the next work.
public actor TaskLoop: SerialExecutor {
  private nonisolated let driver: TaskDriver

  fileprivate init(_ driver: TaskDriver) { self.driver = driver }

  /// The loop is its own executor.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

  /// Keeps the job; called by the Swift runtime.
  public nonisolated func enqueue(_ job: consuming ExecutorJob) { driver.park(UnownedJob(job)) }

  @inline(never)
  fileprivate func run() async {
    while let work = takeWork() { await work(self) }
  }

  private func takeWork() -> TaskDriver.Work? {
    defer { unsafe driver.work = nil }
    return unsafe driver.work
  }
}
