import SkeinPlatform
import SkeinScheduler
import Synchronization
import Testing

@Suite("Sleeping workers", .serialized) struct SleepTests {
  /// A futex whose owner is held up between its last look and its wait.
  final class DelayedWaiter: WorkerWaiter {
    private let futex = FutexWaiter()
    private let count = Atomic<UInt64>(0)
    func wait(until deadline: MonotonicInstant?) {
      // Not at random: each delay of a range comes up again and again.
      let delay = count.add(1, ordering: .relaxed).newValue % 67
      for step in 0..<delay * 8 { if step % 128 == 127 { PlatformThread.yield() } else { PlatformThread.relax() } }
      futex.wait(until: deadline)
    }
    func wake() { futex.wake() }
    func wake(at deadline: MonotonicInstant) { futex.wake(at: deadline) }
    func look() -> Bool { false }
  }

  @Test(arguments: [1, 2, 3])
  func `work that comes between a worker's last look and its wait is not left lying`(workers: Int) throws {
    let pool = try WorkerPool(workers: workers, watchInterval: .seconds(3_600), waiter: { _ in DelayedWaiter() })
    let strands = try (0..<3).map { try Strand(pool: pool, label: "\($0)") }
    let ran = Event()
    for number in 0..<(soak ? 1_000_000 : 5_000) {
      strands[number % 3].post { _ in ran.signal() }
      for _ in 0..<number % 101 { PlatformThread.relax() }
      ran.wait(number + 1)
    }
    pool.shutDown()
  }

  @Test func `strands in line when a pool ends do not run any more and are released`() throws {
    final class Held: Sendable {
      let gone: Event
      init(_ gone: Event) { self.gone = gone }
      deinit { gone.signal() }
    }
    let gone = Event()
    let ran = Event()
    do {
      let pool = try WorkerPool(workers: 1)
      let gate = Gate(try Strand(pool: pool, label: "gate"))
      // More than the worker's own queue holds, from a foreign thread and from the worker.
      for number in 0..<10 {
        let strand = try Strand(pool: pool, label: "\(number)")
        strand.owner = Held(gone)
        strand.post { _ in ran.signal() }
      }
      pool.shutDown(waits: false)
      gate.open()
    }
    gone.wait(10)
    #expect(ran.value == 0)
  }
}
