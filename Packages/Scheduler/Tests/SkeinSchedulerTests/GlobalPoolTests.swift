import CGlobalPoolHooks
import Glibc
import SkeinPlatform
import SkeinScheduler
import SkeinTimer
import Testing

/// In a process of their own: the hooks are the process's, and Swift Testing's tasks live on the global pool.
@Suite("Global pool") struct GlobalPoolTests {
  @Test func `no job of a strand's actors and tasks reaches Swift's global pool`() async {
    await #expect(processExitsWith: .exitCode(7)) {
      try runOnStrandsOnly { pool, done in
        let sleeper = Sleeper(try Strand(pool: pool, label: "sleeper"))
        let counter = Counter(try Strand(pool: pool, label: "counter"))
        for _ in 0..<50 { sleeper.start(counter, done) }
        done.wait(50)
      }
    }
  }

  @Test func `a detached task does reach the global pool, and is seen`() async {
    await #expect(processExitsWith: .exitCode(8)) {
      try runOnStrandsOnly { _, done in
        Task.detached { done.signal() }
        done.wait()
      }
    }
  }
}

/// Runs `body` with the hooks on this thread, which it blocks; ends the process with 7 when nothing reached the
/// global pool, with 8 when something did.
private func runOnStrandsOnly(_ body: (WorkerPool, Event) throws -> Void) throws {
  let pool = try WorkerPool(workers: 2)
  guard global_pool_hooks_install() == 0 else { exit(9) }
  try body(pool, Event())
  exit(global_pool_hooks_count() == 0 ? 7 : 8)
}

/// Sleeps on its strand, calls another actor, and does so in plain tasks of its own.
private actor Sleeper {
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe strand.asUnownedSerialExecutor() }
  init(_ strand: Strand) { self.strand = strand }

  nonisolated func start(_ counter: Counter, _ done: Event) {
    Task(executorPreference: strand) { await self.work(counter, done) }
  }

  func work(_ counter: Counter, _ done: Event) async {
    let clock = SkeinClock(strand.pool.timers)
    for _ in 0..<5 {
      _ = await counter.add()
      try? await clock.sleep(for: .milliseconds(1))
    }
    // A task without a preference: its actor's executor is all that holds it.
    let plain = Task {
      try? await clock.sleep(for: .milliseconds(1))
      _ = await counter.add()
      precondition(Strand.isCurrent(strand))
    }
    await plain.value
    // Only a closure that uses the actor is the actor's: any other task begins on the global pool.
    let cancelled = Task {
      precondition(Strand.isCurrent(strand))
      try await clock.sleep(for: .seconds(3_600))
    }
    cancelled.cancel()
    _ = await cancelled.result
    done.signal()
  }
}
