import Glibc
import SkeinPlatform
import SkeinTimer
import Testing

/// Jobs that reached the global pool since the hook was installed.
private let jobsOnTheGlobalPool = Lock(0)

private typealias EnqueueGlobal = @convention(thin) (UnownedJob) -> Void
private typealias EnqueueGlobalHook = @convention(thin) (UnownedJob, EnqueueGlobal) -> Void

/// Counts what the runtime enqueues on the global pool from now on, in this process.
private func countJobsOnTheGlobalPool() {
  guard let symbol = unsafe dlsym(nil, "swift_task_enqueueGlobal_hook") else {
    preconditionFailure("the runtime has no such hook")
  }
  let hook: EnqueueGlobalHook = { job, enqueue in
    jobsOnTheGlobalPool.withLock { count in count += 1 }
    enqueue(job)
  }
  unsafe symbol.assumingMemoryBound(to: EnqueueGlobalHook.self).pointee = hook
}

@Suite("The global pool") struct GlobalPoolTests {
  @Test func `an actor on its own executor sleeps, is cancelled and times out without it`() async {
    // In a process of its own and without an await: Swift Testing's tasks live on that pool.
    await #expect(processExitsWith: .success) {
      let stage = Stage()
      let clock = stage.clock
      countJobsOnTheGlobalPool()
      stage.start { actor in
        try? await clock.sleep(for: .milliseconds(10))
        actor.note("slept")
        let value = try? await withTimeout(.milliseconds(10), clock: clock) {
          try await clock.sleep(for: .milliseconds(5))
          return 7
        }
        actor.note("\(value ?? 0)")
        do {
          try await withTimeout(.milliseconds(10), clock: clock) { try await clock.sleep(for: .seconds(1)) }
        } catch { actor.note("\(type(of: error))") }
      }
      for now in Int64(0)...40 { stage.advance(to: now) }
      precondition(stage.notes == ["slept", "7", "TimeoutError"], "\(stage.notes)")
      precondition(jobsOnTheGlobalPool.withLock { count in count } == 0, "jobs went to the global pool")
    }
  }

  @Test func `the hook sees a job that does go there`() async {
    await #expect(processExitsWith: .success) {
      countJobsOnTheGlobalPool()
      Task.detached {}
      precondition(jobsOnTheGlobalPool.withLock { count in count } == 1, "the hook saw nothing")
    }
  }
}
