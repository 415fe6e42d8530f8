// The waiter in all orders, and its faults: each ordering in turn is weakened, each read-modify-write torn in two.

import Foundation
import SkeinModelCheck
import SkeinPlatform
import SkeinPlatformModel
import Synchronization
import Testing

/// Small programs round one waiter. An owner that sleeps for ever is a run without end, which is a failure.
enum WaiterProgram: String, CaseIterable, Sendable {
  /// The owner waits for what another thread writes and wakes it for.
  case wake
  /// The owner waits without a deadline, and another thread gives it one.
  case deadline
  /// Both, one after the other: a deadline asked for does not swallow a wake.
  case both
  /// Both, at the same time.
  case apart
  /// A deadline is asked for while the one before is done with.
  case again
  /// Two wake it for one thing each.
  case two

  private static let soon = MonotonicInstant(nanoseconds: 1)

  func setUp(_ model: ModelRun) {
    let waiter = SkeinPlatformModel.FutexWaiter()
    // Plain memory: it is seen on account of the wake alone.
    let work = ModelCell(0)
    let isGiven = (0..<2).map { _ in Flag() }
    func give(_ number: Int) {
      isGiven[number].atomic.store(true, ordering: .relaxed)
      waiter.wake()
    }
    func waitFor(_ numbers: Range<Int>) {
      while !numbers.allSatisfy({ isGiven[$0].atomic.load(ordering: .relaxed) }) { waiter.wait(until: nil) }
    }
    switch self {
    case .wake:
      model.thread("owner") {
        waiter.wait(until: nil)
        ModelRun.require(work.value == 1, "woken before the work was there")
      }
      model.thread("waker") {
        work.value = 1
        waiter.wake()
      }
    case .deadline:
      model.thread("owner") {
        waiter.wait(until: nil)
        ModelRun.require(work.value == 1, "the deadline came before its reason")
      }
      model.thread("waker") {
        work.value = 1
        waiter.wake(at: Self.soon)
      }
    case .both:
      model.thread("owner") { waitFor(0..<1) }
      model.thread("waker") {
        waiter.wake(at: Self.soon)
        give(0)
      }
    case .apart:
      model.thread("owner") { waitFor(0..<1) }
      model.thread("asker") { waiter.wake(at: Self.soon) }
      model.thread("waker") { give(0) }
    case .again:
      model.thread("owner") { waitFor(0..<2) }
      model.thread("asker") {
        for number in 0..<2 {
          isGiven[number].atomic.store(true, ordering: .relaxed)
          waiter.wake(at: Self.soon)
        }
      }
    case .two:
      model.thread("owner") { waitFor(0..<2) }
      for number in 0..<2 { model.thread("waker \(number)") { give(number) } }
    }
  }

  private final class Flag: Sendable { let atomic = ModelAtomic(false) }
}

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("FutexWaiter in all orders", .serialized) struct FutexWaiterModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  @Test(arguments: WaiterProgram.allCases)
  func `no wake and no deadline is lost, with few deviations`(program: WaiterProgram) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 3 : 2), program.setUp)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
  }

  @Test(arguments: WaiterProgram.allCases)
  func `no wake and no deadline is lost, by chance`(program: WaiterProgram) throws {
    let runs = Self.isSoak ? 20_000 : 300
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program.setUp).failure { throw failure }
    }
  }

  /// Faults that no run shows, and why.
  private static let unseen: [String: String] = [
    "relaxed let (fallsAsleep, found) = unsafe word.atomic.pointee.compareExchange(": pair,
    "relaxed let end = min(deadline?.nanoseconds ?? .max, requested.load(ordering: .sequentiallyConsistent))": pair,
    "relaxed requested.min(deadline.nanoseconds, ordering: .sequentiallyConsistent)": pair,
    "relaxed let (asleep, _) = unsafe word.atomic.pointee.compareExchange(": pair,
    "torn requested.min(deadline.nanoseconds, ordering: .sequentiallyConsistent)":
      "runs have no time: a later deadline ends a wait as well",
  ]
  private static let pair = "in the model each of a thread's two consistent steps shows all that such steps have seen"

  private static let sourceLines: [String] = {
    let file = URL(filePath: #filePath).appending(path: "../../../Sources/SkeinPlatform/Futex/FutexWaiter.swift")
    let text = (try? String(contentsOf: file.standardized, encoding: .utf8)) ?? ""
    return text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }()

  private static let all: [ModelMutation] = {
    var sites: Set<ModelSite> = []
    for program in WaiterProgram.allCases {
      sites.formUnion(ModelRun.check(.random(seed: 1, runs: 50), program.setUp).sites)
    }
    // The kernel's side is no part of what is checked.
    return sites.filter { $0.file.hasSuffix("/FutexWaiter.swift") }.sorted { $0.line < $1.line }.flatMap { site in
      (site.isOrdered ? [ModelMutation(.relaxed, at: site)] : [])
        + (site.operation == .update ? [ModelMutation(.torn, at: site)] : [])
    }
  }()

  private static func line(of mutation: ModelMutation) -> String {
    "\(mutation.kind) \(sourceLines[Int(mutation.site.line) - 1])"
  }

  static let mutations = all.filter { unseen[line(of: $0)] == nil }

  @Test func `what no run shows stands in the source`() {
    let lines = Set(Self.all.map { Self.line(of: $0) })
    for line in Self.unseen.keys { #expect(lines.contains(line), "\(line)") }
    #expect(Self.mutations.count == 8, "\(Self.mutations)")
  }

  static func isFound(_ mutation: ModelMutation) -> Bool {
    WaiterProgram.allCases.contains { program in
      [ModelStrategy.exhaustive(deviations: 2), .random(seed: 7, runs: 300)].contains {
        ModelRun.check($0, mutation: mutation, program.setUp).failure != nil
      }
    }
  }

  @Test(arguments: mutations)
  func `each fault is found`(mutation: ModelMutation) async throws {
    // In a process of its own: the threads of failed runs stay behind.
    await #expect(processExitsWith: .exitCode(1)) { [mutation] in
      if FutexWaiterModelTests.isFound(mutation) { exit(1) }
    }
  }
}
#endif
