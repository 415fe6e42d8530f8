// DedicatedThread: the thread of an exclusive strand, which may block it for as long as it likes.
//
// Shared by:  the thread itself, and whoever makes its strand awake.
//
// A wait that messages end (`wait`): the strand rests, though its handler is on the stack, and so the next message, job
// or signal finds it at rest and schedules it: the sender pays nothing for the possibility. The wait ends by taking the
// strand's turn back: by making it awake, or, when somebody has done so, by taking it out of `scheduled`.

internal import CSkeinPlatform
internal import Glibc
internal import SkeinMailbox
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// A thread that runs one strand and nothing else.
final class DedicatedThread: Sendable {
  private let waiter = FutexWaiter()
  private let pool: WorkerPool

  // MARK: Under lock
  private let scheduled = Lock<Strand?>(nil)
  // MARK: Any thread
  private let stopping = Atomic<Bool>(false)
  /// The eventfd that ends a wait, once there has been one; -1 before.
  private let interrupt = Atomic<Int32>(-1)
  private let isWaiting = Atomic<Bool>(false)
  // MARK: The thread itself
  let outbox = Outbox()

  /// How often messages that met a full mailbox are tried again.
  private static let retryInterval = Duration.milliseconds(1)

  init(pool: WorkerPool, label: String) throws(SystemCallError) {
    self.pool = pool
    // A simulation has one thread, on which exclusive strands take turns with the others.
    if pool.isSimulated { return }
    // The thread's timers are those of the pool: an exclusive strand that sleeps need not be woken to wake itself.
    let worker = Worker(index: -1, waiter: waiter, timers: pool.timers)
    let run: @Sendable () -> Void = { [self] in worker.occupy { loop(worker) } }
    _ = try PlatformThread.start(name: label, outlivesLoops: false, run)
  }

  deinit {
    // Relaxed: the last reference is gone.
    let descriptor = interrupt.load(ordering: .relaxed)
    if descriptor >= 0 { _ = skein_close(descriptor) }
  }

  /// Lets the thread run `strand`, which is awake.
  func run(_ strand: Strand) {
    if pool.isSimulated { return pool.enqueue(strand) }
    scheduled.withLock { $0 = strand }
    waiter.wake()
    // Acquire: the descriptor was written before. The caller has found the strand at rest, so it sees what the thread
    // wrote before that.
    if isWaiting.load(ordering: .acquiring) {
      // Relaxed: ordered by the load above.
      _ = skein_eventfd_signal(interrupt.load(ordering: .relaxed))
    }
  }

  func stop() {
    // Release: pairs with the acquire in `loop`.
    stopping.store(true, ordering: .releasing)
    waiter.wake()
  }

  private func loop(_ worker: Worker) {
    while true {
      if let strand = takeScheduled() {
        while !worker.run(strand, budget: pool.budget) { outbox.flush() }
        outbox.flush()
      } else {
        // Acquire: pairs with the release in `stop`.
        if stopping.load(ordering: .acquiring) { return }
        waiter.wait(until: deadline(nil))
        outbox.flush()
        worker.hasLooked()
      }
    }
  }

  private func takeScheduled() -> Strand? {
    scheduled.withLock { slot in
      defer { slot = nil }
      return slot
    }
  }

  /// No later than the next try for messages that wait in the outbox.
  private func deadline(_ wanted: MonotonicInstant?) -> MonotonicInstant? {
    if outbox.count == 0 { return wanted }
    let retry = MonotonicInstant.now.advanced(by: DedicatedThread.retryInterval)
    return min(wanted ?? retry, retry)
  }

  // MARK: - Waiting

  /// Waits for a descriptor, a message or a deadline; on the strand's turn, which it has again at the end.
  func wait(
    in strand: Strand, for interest: DescriptorInterest?, until deadline: MonotonicInstant?
  ) throws(SystemCallError) -> ExclusiveWait {
    let interrupt = try interruptDescriptor()
    while true {
      _ = skein_eventfd_clear(interrupt)
      outbox.flush()
      if strand.mailbox.isClosed { return .message }
      // Release: the descriptor; pairs with the acquire in `run`.
      isWaiting.store(true, ordering: .releasing)
      // Relaxed: a late signal costs one turn of this loop.
      defer { isWaiting.store(false, ordering: .relaxed) }
      // From here on the strand is at rest: whoever wakes it calls `run`.
      guard strand.restOrGoOn() else { return .message }
      // A deadline before the clock's start is past, too: less than zero would be none.
      let end = self.deadline(deadline).map { max($0.nanoseconds, 0) } ?? -1
      let found = skein_poll_interruptibly(
        interest?.descriptor ?? -1, interest?.events.rawValue ?? 0, interrupt, end)
      guard strand.mailbox.tryAwaken() else {
        takeBack()
        return .message
      }
      // Nothing but the outbox, a signal, or a wake of an earlier wait.
      if found < 0 {
        if found != -EINTR { throw SystemCallError(call: "ppoll", errorNumber: -found) }
      } else if found & 0xFFFF != 0 {
        return .ready(DescriptorEvents(rawValue: Int16(truncatingIfNeeded: found)))
      } else if let deadline, deadline <= .now {
        return .deadline
      }
    }
  }

  /// Takes the turn that somebody has just given to the thread.
  private func takeBack() { while takeScheduled() == nil { waiter.wait(until: nil) } }

  private func interruptDescriptor() throws(SystemCallError) -> Int32 {
    // Relaxed: only this thread writes it.
    let made = interrupt.load(ordering: .relaxed)
    if made >= 0 { return made }
    let descriptor = skein_eventfd()
    if descriptor < 0 { throw SystemCallError(call: "eventfd", errorNumber: -descriptor) }
    // Relaxed: published by `isWaiting`.
    interrupt.store(descriptor, ordering: .relaxed)
    return descriptor
  }
}
