import Foundation
import SkeinModelCheck
import SkeinSchedulerModel
import Testing

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("Scheduler in all orders", .serialized) struct SchedulerModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  /// Every run with one deviation; of the longer programs these are too many for each day.
  private func checkAll(_ program: (ModelRun) -> Void) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 2 : 1), program)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
  }

  private func check(_ program: (ModelRun) -> Void) throws {
    let runs = Self.isSoak ? 20_000 : 300
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program).failure { throw failure }
    }
  }

  @Test(arguments: QueueProgram.allCases)
  func `each strand in line is taken once, by one who knows what is in it`(program: QueueProgram) throws {
    try checkAll(program.setUp)
    try check(program.setUp)
  }

  @Test func `a sleeper is in the set until it leaves or a waker takes it out`() throws {
    try checkAll(setOfSleepers)
    try checkAll(setThatIsLeft)
    try checkAll(setThatIsSearched)
  }

  @Test(arguments: WatchProgram.allCases)
  func `while workers are busy one that sleeps watches them`(program: WatchProgram) throws {
    try checkAll(program.setUp)
    try check(program.setUp)
  }

  @Test(arguments: ParkProgram.allCases)
  func `no strand waits while a worker sleeps`(program: ParkProgram) throws { try check(program.setUp) }

  @Test(arguments: LifeProgram.allCases)
  func `each call of a killed service ends once, and its end is heard of`(program: LifeProgram) throws {
    try check(program.setUp)
  }

  @Test(arguments: ParkProgram.Fault.allCases)
  func `a fault in the loop of the workers is found`(fault: ParkProgram.Fault) {
    #expect(isFound(ParkProgram.allCases.map { program in { program.setUp($0, fault: fault) } }))
  }

  @Test(arguments: LifeProgram.Fault.allCases)
  func `a fault in the life of a service is found`(fault: LifeProgram.Fault) {
    #expect(isFound(LifeProgram.allCases.map { program in { program.setUp($0, fault: fault) } }))
  }

  private func isFound(_ programs: [(ModelRun) -> Void]) -> Bool {
    [50, 1_000].contains { runs in
      programs.contains { program in
        [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)].contains {
          ModelRun.check($0, program).failure != nil
        }
      }
    }
  }
}
#endif
