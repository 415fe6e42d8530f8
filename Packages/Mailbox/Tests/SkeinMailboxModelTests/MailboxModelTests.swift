import SkeinMailboxModel
import SkeinModelCheck
import Testing

@Suite("Mailbox in all orders", .serialized) struct MailboxModelTests {
  @Test(arguments: Program.allCases)
  func `nothing is lost, doubled or read too early, with two deviations at most`(program: Program) throws {
    let outcome = Model.check(.exhaustive(deviations: 2), program.setUp)
    if let failure = outcome.failure { throw failure }
    print(program, outcome.runs, outcome.longestRun)
  }

  @Test(arguments: Program.allCases)
  func `nothing is lost, doubled or read too early, by chance and by priorities`(program: Program) throws {
    for strategy in [ModelStrategy.random(seed: 7, runs: 500), .priorities(seed: 7, runs: 500, changes: 3)] {
      if let failure = Model.check(strategy, program.setUp).failure { throw failure }
    }
  }
}
