import Foundation
import SkeinMailboxModel
import SkeinModelCheck
import Testing

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("Mailbox in all orders", .serialized) struct MailboxModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  @Test(arguments: Program.allCases)
  func `nothing is lost, doubled or read too early, with few deviations`(program: Program) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 2 : 1), program.setUp)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
  }

  @Test(arguments: Program.allCases)
  func `nothing is lost, doubled or read too early, by chance and by priorities`(program: Program) throws {
    let runs = Self.isSoak ? 20_000 : 200
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program.setUp).failure { throw failure }
    }
  }
}
#endif
