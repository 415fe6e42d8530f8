// Strand: a serial thread of execution. At most one thread is in it; what it is sent runs in order.
//
// Owns:       the consumer's end of a mailbox, and the jobs of the Swift tasks that live on it.
// Shared by:  everybody who sends (mailbox), the Swift runtime (enqueue), and the one thread whose turn it is.
//
// The mailbox's word is the strand's state (docs/adr/0002): at rest; scheduled or running (awake); closed.
//   rest -> awake    by the push, signal or tryEnter that finds it at rest; that caller schedules or runs it.
//   awake -> rest    by the thread that runs it, when nothing is unread and nothing signalled.
// A scheduled strand is held by the run queue, so it lives until its turn is over.

public import SkeinMailbox
public import SkeinPlatform
internal import Synchronization

/// A serial execution context for messages, and for the Swift actors and tasks that live on it.
///
/// It is a `SerialExecutor` (give it to an actor as `unownedExecutor`) and a `TaskExecutor` (start the actor's
/// tasks with it as their preference). Strands are light: thousands share the workers of a ``WorkerPool``.
///
/// - Thread safety: sending and enqueueing from any thread.
@safe public final class Strand: SerialExecutor, TaskExecutor {
  /// Where the strand runs.
  public let pool: WorkerPool
  /// The producers' end of its mailbox.
  public let mailbox: Mailbox<Envelope>
  /// A name for reports.
  public let label: String

  // MARK: The strand's turn only
  @exclusivity(unchecked) private var consumer: MailboxConsumer<Envelope>
  @exclusivity(unchecked) private var jobs = JobList()
  /// What its messages are about, such as an actor; set before the first message. Counted by hand, see `withOwner`.
  @exclusivity(unchecked) @usableFromInline private(set) var ownerReference: Unmanaged<AnyObject>?
  /// While true, messages stay in the mailbox; jobs and system messages still run.
  @exclusivity(unchecked) public var holdsMessages = false
  /// The number of the worker that ran it last. Also read by who has just made it awake.
  @exclusivity(unchecked) var lastWorker: UInt8 = 0
  /// One more than the number of the worker that it is bound to; 0 for none.
  let boundTo: UInt8
  /// Whether it moves while the worker that it is bound to is stuck.
  let movesWhenStuck: Bool
  /// When it was put in line, in units of 1,024 ns. Belongs to who has just made it awake.
  @exclusivity(unchecked) var queuedAt: UInt32 = 0

  // MARK: Any thread
  private let incoming = JobStack()
  /// What it has cost.
  let figures = StrandFigures()
  /// The line of senders that wait for room, a counted reference; 0 as long as nobody has waited.
  let credit = Atomic<UInt>(0)
  /// The thread of its own, if the strand is exclusive.
  let dedicated: DedicatedThread?

  /// Makes a strand at rest.
  ///
  /// - Parameters:
  ///   - pool: whose workers run it.
  ///   - label: a name for reports.
  ///   - mailboxCapacity: greatest number of unread messages.
  ///   - exclusive: gives the strand a thread of its own, for work that blocks.
  ///   - binding: the worker that alone runs it; see ``StrandBinding``.
  /// - Throws: ``SystemCallError`` when the thread of an exclusive strand cannot be made.
  public init(
    pool: WorkerPool, label: String, mailboxCapacity: Int = 1_024, exclusive: Bool = false,
    binding: StrandBinding? = nil
  ) throws(SystemCallError) {
    self.pool = pool
    // A simulation has one worker.
    let bound = pool.isSimulated || exclusive ? nil : binding
    precondition(bound.map { pool.workers.indices.contains($0.worker) } ?? true, "the pool has no such worker")
    boundTo = bound.map { UInt8($0.worker + 1) } ?? 0
    movesWhenStuck = bound?.whenStuck == .moves
    self.label = label
    unsafe consumer = MailboxConsumer(capacity: mailboxCapacity)
    unsafe mailbox = consumer.mailbox
    dedicated = exclusive ? try DedicatedThread(pool: pool, label: label) : nil
  }

  deinit {
    dedicated?.stop()
    unsafe ownerReference?.release()
    // Relaxed: nobody else has the strand.
    _ = ReferenceWord.take(credit.load(ordering: .relaxed), as: CreditQueue.self)
  }

  /// What the strand's messages are about.
  ///
  /// - Thread safety: set before the first message, and on the strand's turn.
  public var owner: AnyObject? {
    get { unsafe ownerReference?.takeUnretainedValue() }
    set {
      let before = unsafe ownerReference
      unsafe ownerReference = newValue.map { unsafe Unmanaged.passRetained($0) }
      unsafe before?.release()
    }
  }

  /// Runs `body` with the owner, without counting references, for the paths that are hot.
  ///
  /// - Returns: `nil` without an owner.
  /// - Thread safety: the strand's turn; `body` must not end the owner's tie to the strand.
  @inlinable
  public func withOwner<Result>(_ body: (AnyObject) -> Result) -> Result? {
    guard let owner = unsafe ownerReference else { return nil }
    return unsafe owner._withUnsafeGuaranteedRef(body)
  }

  // MARK: - Sending

  /// Sends a message.
  ///
  /// - Returns: the envelope is handed back when the mailbox is full or closed.
  /// - Complexity: O(1).
  @inlinable
  public func send(_ envelope: consuming Envelope) -> PushReceipt<Envelope> {
    switch mailbox.push(envelope) {
    case .delivered(let mustSchedule):
      if mustSchedule { schedule() }
      return .delivered(mustSchedule: mustSchedule)
    case .busy(let envelope): return .busy(envelope)
    case .closed(let envelope): return .closed(envelope)
    }
  }

  /// Sends a message that overtakes the others and is never refused; see ``Mailbox/pushSystem(_:)``.
  public func sendSystem(_ envelope: consuming Envelope) {
    if mailbox.pushSystem(envelope) { schedule() }
  }

  /// Puts a strand that was just made awake into a run queue.
  @usableFromInline
  func schedule() {
    if let dedicated { dedicated.run(self) } else { pool.enqueue(self) }
  }

  /// Makes sure that an activation follows, for instance to end ``holdsMessages``.
  public func activate() {
    if mailbox.signal() { schedule() }
  }

  // MARK: - Swift's executors

  /// Adds a job of a Swift task; called by the Swift runtime.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if Worker.withCurrent({ $0.captures(job, of: self) }) == true { return }
    // A task that goes over to the strand from elsewhere does it in its own name.
    enqueue(job, by: TaskDriver.ofCurrentTask(job))
  }

  /// Adds a job of a task that `driver` runs, or of one that has the strand itself as its preference or none.
  func enqueue(_ job: UnownedJob, by driver: TaskDriver?) {
    job.driver = driver
    // Once pushed, the job may run on another thread and be the last that keeps this strand: held until the end.
    let held = ReferenceWord.retain(self)
    incoming.push(job)
    if mailbox.signal() { schedule() }
    _ = ReferenceWord.take(held, as: Strand.self)
  }

  /// Runs `body`, on the strand's turn, and takes `job` if it is enqueued on the strand meanwhile, before it gets in line.
  func captureJob(_ job: UnownedJob, _ body: () -> Void) -> UnownedJob? {
    _ = Worker.withCurrent { $0.beginCapture(of: job, for: self) }
    body()
    return Worker.withCurrent { $0.endCapture() } ?? nil
  }

  /// Runs a job on the strand's turn.
  @inline(__always)
  func runJob(_ job: UnownedJob, by driver: TaskDriver?) {
    guard let driver else {
      return unsafe job.runSynchronously(
        isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
    let before = unsafe ThreadSlot.context.value
    unsafe ThreadSlot.context.value = unsafe driver.context
    unsafe job.runSynchronously(
      isolatedTo: asUnownedSerialExecutor(), taskExecutor: driver.asUnownedTaskExecutor())
    unsafe ThreadSlot.context.value = before
  }

  /// A reference for an actor's `unownedExecutor`.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

  /// Whether the calling thread is in this strand.
  public func isIsolatingCurrentContext() -> Bool? { Strand.isCurrent(self) }

  /// Stops the process unless the calling thread is in this strand.
  public func checkIsolated() {
    precondition(Strand.isCurrent(self), "not on the strand \(label)")
  }

  /// Whether the calling thread is in `strand`.
  public static func isCurrent(_ strand: Strand) -> Bool {
    Worker.withCurrent { $0.pointsAt(strand) } ?? false
  }

  // MARK: - Running

  /// Enters a strand at rest without a queue, so that its owner can be used on the caller's stack.
  ///
  /// - Returns: `true` when the caller is now in the strand, and must call ``leave()``. `false` when the strand
  ///   has something to do, is closed or exclusive, or is bound to a worker which the caller is not on.
  public func tryEnter() -> Bool {
    guard dedicated == nil && (boundTo == 0 || isOnBoundWorker) && mailbox.tryAwaken() else { return false }
    if unsafe !holdsMessages { return true }
    leave()
    return false
  }

  /// Leaves a strand that ``tryEnter()`` entered; what came meanwhile is scheduled.
  public func leave() {
    if !restOrGoOn() { schedule() }
  }

  /// One activation: jobs before messages, up to the budget.
  ///
  /// - Parameter begin: the time now, in nanoseconds of the monotonic clock.
  /// - Returns: whether the strand is at rest; otherwise it has to be scheduled again, by the caller.
  func run(on worker: Worker, from begin: Int64, budget: RunBudget) -> Bool {
    let (sum, overflows) = begin.addingReportingOverflow(budget.nanoseconds)
    let end = overflows ? .max : sum
    var left = budget.messages
    while left > 0 {
      if unsafe consumer.takeSignal() {
        unsafe jobs.append(from: incoming)
        var system = unsafe consumer.takeSystem()
        while let envelope = system.next() { envelope.perform(on: self) }
      }
      if let job = unsafe jobs.popFirst() {
        runJob(job, by: job.driver)
      } else if unsafe holdsMessages {
        break
      } else if let envelope = unsafe consumer.dequeue() {
        envelope.perform(on: self)
      } else {
        break
      }
      left -= 1
      // The clock costs as much as a short handler: read for every fourth.
      if left % 4 == 0 && MonotonicInstant.approximateNow.nanoseconds >= end { break }
    }
    let rests = restOrGoOn()
    grantCredit()
    return rests
  }

  /// Rests when nothing is left that may run now.
  func restOrGoOn() -> Bool {
    if unsafe !jobs.isEmpty { return false }
    if unsafe holdsMessages { return unsafe consumer.restHolding() }
    return unsafe consumer.rest()
  }

  /// Closes the mailbox: later sends are refused.
  ///
  /// - Thread safety: the strand's turn only.
  public func close() {
    unsafe consumer.close()
    grantCredit()
  }

  /// Refuses every unread message; call it after ``close()``.
  ///
  /// - Thread safety: the strand's turn only.
  public func refuseUnread() {
    while unsafe consumer.hasUnread {
      if let envelope = unsafe consumer.dequeue() { envelope.refuse() } else { PlatformThread.yield() }
    }
  }
}

// @unchecked: the mutable properties are touched on the strand's turn only, and turns are ordered by the word.
extension Strand: @unchecked Sendable {}
