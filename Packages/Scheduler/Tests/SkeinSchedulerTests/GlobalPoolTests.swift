import Glibc
import SkeinPlatform
import SkeinScheduler
import SkeinSchedulerTesting
import SkeinTimer
import Testing

/// In a process of their own: the hooks are the process's, and Swift Testing's tasks live on the global pool.
@Suite("Global pool") struct GlobalPoolTests {
  @Test func `no job of a strand's actors and tasks reaches Swift's global pool`() async {
    await #expect(processExitsWith: .success) {
      let pool = try WorkerPool(workers: 2)
      GlobalPoolCheck.run {
        let done = Event()
        let sleeper = Sleeper(try Strand(pool: pool, label: "sleeper"))
        let counter = Counter(try Strand(pool: pool, label: "counter"))
        for _ in 0..<50 { sleeper.start(counter, done) }
        done.wait(50)
      }
    }
  }

  @Test func `nor does one in a simulation`() async {
    await #expect(processExitsWith: .success) {
      GlobalPoolCheck.run {
        try SimulatedScheduler.check(seeds: 0..<20) { simulation in
          let done = Event()
          try simulation.perform {
            let sleeper = Sleeper(try Strand(pool: simulation.pool, label: "sleeper"))
            let counter = Counter(try Strand(pool: simulation.pool, label: "counter"))
            for _ in 0..<5 { sleeper.start(counter, done) }
          }
          guard try simulation.run(until: { done.value == 5 }) else { exit(3) }
        }
      }
    }
  }

  @Test func `a detached task does reach the global pool, and is told with its stack`() async throws {
    let result = try await #require(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      GlobalPoolCheck.run {
        let done = Event()
        Task.detached { done.signal() }
        done.wait()
      }
    }
    let told = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(told.contains("1 jobs have reached Swift's global pool") && told.contains("swift_task_create"))
  }

  @Test func `a simulation does not wait for what is outside of it`() async {
    await #expect(processExitsWith: .exitCode(2)) {
      GlobalPoolCheck.run {
        try SimulatedScheduler(seed: 1).run { try await Task.sleep(for: .seconds(3_600)) }
      }
    }
  }
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
