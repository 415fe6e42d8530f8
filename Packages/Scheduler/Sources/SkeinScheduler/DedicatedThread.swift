// DedicatedThread: the thread of an exclusive strand, which may block it for as long as it likes.

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

  init(pool: WorkerPool, label: String) throws(SystemCallError) {
    self.pool = pool
    // A simulation has one thread, on which exclusive strands take turns with the others.
    if pool.isSimulated { return }
    // The thread's timers are those of the pool: an exclusive strand that sleeps need not be woken to wake itself.
    let worker = Worker(index: -1, waiter: waiter, timers: pool.timers)
    let run: @Sendable () -> Void = { [self] in worker.occupy { loop(worker) } }
    _ = try PlatformThread.start(name: label, outlivesLoops: false, run)
  }

  /// Lets the thread run `strand`, which is awake.
  func run(_ strand: Strand) {
    if pool.isSimulated { return pool.enqueue(strand) }
    scheduled.withLock { $0 = strand }
    waiter.wake()
  }

  func stop() {
    // Release: pairs with the acquire in `loop`.
    stopping.store(true, ordering: .releasing)
    waiter.wake()
  }

  private func loop(_ worker: Worker) {
    while true {
      let next = scheduled.withLock { slot in
        defer { slot = nil }
        return slot
      }
      if let strand = next {
        while !worker.run(strand, budget: pool.budget) {}
      } else {
        // Acquire: pairs with the release in `stop`.
        if stopping.load(ordering: .acquiring) { return }
        waiter.wait(until: nil)
      }
    }
  }
}
