// The lock in all orders, and its faults: each ordering in turn is weakened, each read-modify-write torn in two.

import Foundation
import SkeinModelCheck
import SkeinPlatformModel
import Testing

/// Small programs round one lock.
enum LockProgram: String, CaseIterable, Sendable {
  /// Two take it twice.
  case two
  /// Three take it once: one may sleep while another is woken.
  case three
  /// One takes it, one only tries.
  case attempt

  private final class Turns: Sendable {
    // Plain memory: whoever enters without the lock, or without having seen the last holder's write, is found.
    let count = Lock(ModelCell(0))
  }

  func setUp(_ model: ModelRun) {
    let turns = Turns()
    let taken = ModelCell(0)
    func take() { turns.count.withLock { $0.value += 1 } }
    switch self {
    case .two: for name in ["a", "b"] { model.thread(name) { for _ in 0..<2 { take() } } }
    case .three: for name in ["a", "b", "c"] { model.thread(name) { take() } }
    case .attempt:
      model.thread("taker") { take() }
      model.thread("trier") { if turns.count.withLockIfAvailable({ $0.value += 1 }) == nil { taken.value = -1 } }
    }
    let expected = self == .two ? 4 : self == .three ? 3 : 2
    model.afterwards {
      let count = turns.count.withLock { $0.value }
      ModelRun.require(count == expected + taken.value, "\(count) turns were counted")
    }
  }
}

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("Lock in all orders", .serialized) struct LockModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  @Test(arguments: LockProgram.allCases)
  func `each turn is one thread's alone, and nobody sleeps for ever, with few deviations`(program: LockProgram) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 3 : 2), program.setUp)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
  }

  @Test(arguments: LockProgram.allCases)
  func `each turn is one thread's alone, and nobody sleeps for ever, by chance`(program: LockProgram) throws {
    let runs = Self.isSoak ? 20_000 : 300
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program.setUp).failure { throw failure }
    }
  }

  private static let mutations: [ModelMutation] = {
    var sites: Set<ModelSite> = []
    for program in LockProgram.allCases {
      sites.formUnion(ModelRun.check(.random(seed: 1, runs: 50), program.setUp).sites)
    }
    // The kernel's side is no part of what is checked.
    return sites.filter { $0.file.hasSuffix("/LockWord.swift") }.sorted { $0.line < $1.line }.flatMap { site in
      (site.isOrdered ? [ModelMutation(.relaxed, at: site)] : [])
        + (site.operation == .update ? [ModelMutation(.torn, at: site)] : [])
    }
  }()

  @Test func `there are six faults to find: three steps, unordered and torn`() {
    #expect(Self.mutations.count == 6, "\(Self.mutations)")
  }

  @Test(arguments: mutations)
  func `each fault is found`(mutation: ModelMutation) async throws {
    // In a process of its own: the threads of failed runs stay behind.
    await #expect(processExitsWith: .exitCode(1)) { [mutation] in
      let isFound = LockProgram.allCases.contains { program in
        [ModelStrategy.exhaustive(deviations: 2), .random(seed: 7, runs: 300)].contains {
          ModelRun.check($0, mutation: mutation, program.setUp).failure != nil
        }
      }
      if isFound { exit(1) }
    }
  }
}
#endif
