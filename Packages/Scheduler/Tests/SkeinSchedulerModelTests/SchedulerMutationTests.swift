// The checker is shown to check: each ordering in turn is weakened, each read-modify-write torn in two, and each such
// fault must be found, but for those that change nothing.

import Foundation
import SkeinModelCheck
import SkeinSchedulerModel
import Testing

#if !SKEIN_TSAN
@Suite("Faults in the scheduler are found", .serialized) struct SchedulerMutationTests {
  /// Whose accesses are mutated, and by which programs that is seen; the mailbox's are in its own layer's tests.
  private static func programs(for file: String) -> [(ModelRun) -> Void] {
    switch file.split(separator: "/").last {
    case "RunQueue.swift":
      QueueProgram.allCases.map { program in { program.setUp($0) } } + [{ ParkProgram.backlog.setUp($0) }]
    case "HandoffSlot.swift": [{ QueueProgram.slot.setUp($0) }]
    case "SleeperSet.swift":
      [setOfSleepers, setThatIsLeft, setThatIsSearched] + WatchProgram.allCases.map { program in { program.setUp($0) } }
        + ParkProgram.allCases.map { program in { program.setUp($0) } }
    case "WatchWord.swift": WatchProgram.allCases.map { program in { program.setUp($0) } }
    case "LifePrograms.swift": LifeProgram.allCases.map { program in { program.setUp($0) } }
    default: []
    }
  }

  /// Faults that no run shows, by their kind and line, and why.
  private static let unseen: [String: String] = [
    "relaxed RunQueue.swift: return Int(Int32(truncatingIfNeeded: tail &- head.load(ordering: .sequentiallyConsistent)))":
      "an old head makes the count larger, and somebody look",
    "relaxed RunQueue.swift: let head = self.head.load(ordering: .acquiring)": filled,
    "relaxed RunQueue.swift: var head = self.head.load(ordering: .acquiring)": old,
    "relaxed RunQueue.swift: let (taken, found) = self.head.compareExchange(": filled,
    "relaxed RunQueue.swift: var head = self.head.load(ordering: .acquiring) (2)": old,
    "relaxed RunQueue.swift: head = self.head.load(ordering: .acquiring)  // Acquire: as above.": old,
    "relaxed RunQueue.swift: let (taken, found) = self.head.compareExchange( (2)": filled,
    "relaxed SleeperSet.swift: bits.bitwiseAnd(~(1 << UInt64(worker)), ordering: .sequentiallyConsistent)":
      "an old bit wakes a worker for nothing",
    "relaxed SleeperSet.swift: let before = bits.bitwiseAnd(~bit, ordering: .sequentiallyConsistent).oldValue":
      "who clears the bit reads nothing by it",
    "relaxed SleeperSet.swift: isSearching.store(false, ordering: .sequentiallyConsistent)": order,
    "relaxed SleeperSet.swift: if isSearching.exchange(true, ordering: .sequentiallyConsistent) { return nil }": order,
    "relaxed SleeperSet.swift: !isSearching.exchange(true, ordering: .sequentiallyConsistent)": order,
    "relaxed SleeperSet.swift: isSearching.store(false, ordering: .sequentiallyConsistent) (2)": order,
    "relaxed SleeperSet.swift: isSearching.store(false, ordering: .sequentiallyConsistent) (3)": order,
    "relaxed SleeperSet.swift: bits.load(ordering: .sequentiallyConsistent) & (1 << worker) != 0":
      "who watches has changed the set itself before; bound strands are not in the programs",
    "torn WatchWord.swift: \(giveUp)": looksAgain,
    "relaxed WatchWord.swift: \(take)": order,
    "torn WatchWord.swift: \(take)": "who writes its own name watches, whatever was there",
    "torn WatchWord.swift: \(name)": looksAgain,
    "relaxed WatchWord.swift: let current = named.load(ordering: .sequentiallyConsistent) (3)":
      "the programs look when all has ended",
  ]
  private static let giveUp =
    "if !named.compareExchange(expected: mine, desired: 0, ordering: .sequentiallyConsistent).exchanged { continue }"
  private static let take =
    "if named.compareExchange(expected: current, desired: mine, ordering: .sequentiallyConsistent).exchanged {"
  private static let name =
    "guard named.compareExchange(expected: current, desired: next, ordering: .sequentiallyConsistent).exchanged"
  private static let looksAgain = "who has written looks at the set again"
  private static let order = "the model has one order of all stores, and exchanges see the newest"
  private static let filled = "a slot that is filled before it was read: the model gives no value that is stored later"
  private static let old = "with an old head the exchange fails"

  /// The kind, the file's name and the text of the site's line, with its number where the text comes again.
  private static func line(of mutation: ModelMutation) throws -> String {
    let name = String(mutation.site.file.split(separator: "/").last ?? "")
    let layers = URL(filePath: #filePath).appending(path: "../../../..").standardized
    let places = [
      "Scheduler/Sources/SkeinScheduler/Internal", "Mailbox/Sources/SkeinMailbox",
      "Scheduler/Tests/SkeinSchedulerModel",
    ]
    let file = try #require(
      places.map { layers.appending(path: "\($0)/\(name)") }.first { FileManager.default.fileExists(atPath: $0.path) })
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    let text = lines[Int(mutation.site.line) - 1]
    let before = lines[..<(Int(mutation.site.line) - 1)].count { $0 == text }
    return "\(mutation.kind) \(name): \(text)" + (before > 0 ? " (\(before + 1))" : "")
  }

  private static let all: [ModelMutation] = {
    var sites: Set<ModelSite> = []
    for file in ["RunQueue.swift", "SleeperSet.swift", "WatchWord.swift", "LifePrograms.swift"] {
      for program in programs(for: file) { sites.formUnion(ModelRun.check(.random(seed: 1, runs: 20), program).sites) }
    }
    // Of the program that follows ServiceRecord, what is ServiceRecord's.
    let lives = sites.filter { $0.file.hasSuffix("LifePrograms.swift") }
    sites.subtract(lives)
    sites.formUnion(
      lives.filter { (try? line(of: ModelMutation(.relaxed, at: $0)))?.contains("refusesOutgoing") == true })
    return sites.filter { !programs(for: $0.file).isEmpty }.sorted { ($0.file, $0.line) < ($1.file, $1.line) }
      .flatMap { site in
        (site.isOrdered ? [ModelMutation(.relaxed, at: site)] : [])
          + (site.operation == .update ? [ModelMutation(.torn, at: site)] : [])
      }
  }()

  private static var mutations: [ModelMutation] {
    get throws { try all.filter { try unseen[line(of: $0)] == nil } }
  }

  /// Runs the programs with a fault until one fails.
  private static func isFound(_ mutation: ModelMutation) -> Bool {
    [100, 500].contains { runs in
      programs(for: mutation.site.file).contains { program in
        [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)].contains {
          ModelRun.check($0, mutation: mutation, program).failure != nil
        }
      }
    }
  }

  @Test func `what no run shows stands in the sources`() throws {
    let lines = try Set(Self.all.map { try Self.line(of: $0) })
    for line in Self.unseen.keys { #expect(lines.contains(line), "\(line)") }
  }

  @Test(arguments: try mutations)
  func `each fault is found`(mutation: ModelMutation) async throws {
    // In a process of its own: a fault may end it before the checker sees it.
    let line = try Self.line(of: mutation)
    await #expect(processExitsWith: .failure, "\(line)") { [mutation] in
      if SchedulerMutationTests.isFound(mutation) { exit(1) }
    }
  }
}
#endif
