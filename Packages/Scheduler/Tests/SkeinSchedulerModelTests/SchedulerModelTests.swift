import Foundation
import SkeinModelCheck
import SkeinSchedulerModel
import Testing

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("Scheduler in all orders", .serialized) struct SchedulerModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  private func check(_ program: (ModelRun) -> Void) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 2 : 1), program)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
    let runs = Self.isSoak ? 20_000 : 200
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program).failure { throw failure }
    }
  }

  @Test(arguments: QueueProgram.allCases)
  func `each strand in line is taken once, by one who knows what is in it`(program: QueueProgram) throws {
    try check(program.setUp)
  }

  @Test(arguments: ParkProgram.allCases)
  func `no strand waits while a worker sleeps`(program: ParkProgram) throws { try check(program.setUp) }
}
#endif
