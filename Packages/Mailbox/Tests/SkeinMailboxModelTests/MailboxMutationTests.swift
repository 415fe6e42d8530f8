// The checker is shown to check: each ordering of the mailbox in turn is weakened, each read-modify-write torn in two, and
// each such fault must be found, but for those that change nothing.

import Foundation
import SkeinMailboxModel
import SkeinModelCheck
import Testing

#if !SKEIN_TSAN
@Suite("Faults in Mailbox are found", .serialized) struct MailboxMutationTests {
  /// Faults that no run shows, by their kind and line, and why.
  private static let unseen: [String: String] = [
    "relaxed MailboxCore.swift: let block = lastBlock.load(ordering: .acquiring)": chain,
    "relaxed MailboxCore.swift: let block = lastBlock.load(ordering: .acquiring) (2)": chain,
    "relaxed MailboxCore.swift: unsafe lastBlock.store(block.word, ordering: .releasing)": chain,
    "relaxed MailboxCore.swift: let (isMine, found) = passage.compareExchange(": "the load before it acquires",
    "torn MailboxCore.swift: let (isMine, found) = passage.compareExchange(":
      "a block that is left over is lost, no more",
    "relaxed MailboxCore.swift: if word.compareExchange( (3)": same,
    "relaxed MailboxCore.swift: if word.compareExchange( (4)": same,
    "torn MailboxCore+Consuming.swift: let (isDone, found) = unsafe passage.compareExchange(":
      "in no program a block is taken from the stack at the moment at which another is left",
    "torn MailboxCore+Consuming.swift: var top = passage.exchange(0, ordering: .relaxed)":
      "nobody else changes it then",
    "relaxed MailboxCore+Signalling.swift: let address = ledger.load(ordering: .acquiring)":
      "read when the threads have ended",
    "torn MailboxCore+Signalling.swift: unsafe counts().pointee.refused.add(1, ordering: .relaxed)":
      "where two are refused at once both are dropped, which takes them off",
    "torn LatestMailbox.swift: replacements.add(1, ordering: .relaxed)": atOnce,
    "relaxed MailboxCore+Consuming.swift: let old = word.bitwiseAnd(~MailboxWord.signalled, ordering: .acquiringAndReleasing).oldValue":
      "the model has one order of all read-modify-writes; hardware may take the lane before the signal",
    "relaxed MailboxCore+Consuming.swift: let seen = MailboxWord(bits: word.load(ordering: .acquiring))": compared,
    "relaxed MailboxCore+Consuming.swift: let seen = MailboxWord(bits: word.load(ordering: .acquiring)) (2)": compared,
    "relaxed MailboxCore+Consuming.swift: let seen = MailboxWord(bits: word.load(ordering: .acquiring)) (3)": compared,
    "relaxed MailboxCore+Consuming.swift: word.bitwiseOr(MailboxWord.closed, ordering: .sequentiallyConsistent)":
      "whoever reads on looks at the word again",
  ]
  private static let chain = "a claim that succeeds comes, in the word's order, before the next block is linked"
  private static let same = "in no program the word comes back, by a wake and a rest, to what was acquired before"
  private static let atOnce = "in no program two are refused at one moment"
  private static let compared = "what it shows is compared, and acquired before anything is read"

  /// The kind, the file's name and the text of the site's line, with its number where the text comes again.
  private static func line(of mutation: ModelMutation) throws -> String {
    let site = mutation.site
    let name = String(site.file.split(separator: "/").last ?? "")
    let folder = URL(filePath: #filePath).appending(path: "../../../Sources/SkeinMailbox").standardized
    let isInner = !FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    let file = folder.appending(path: isInner ? "Internal/\(name)" : name)
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    let text = lines[Int(site.line) - 1]
    let before = lines[..<(Int(site.line) - 1)].count { $0 == text }
    return "\(mutation.kind) \(name): \(text)" + (before > 0 ? " (\(before + 1))" : "")
  }

  private static let all: [ModelMutation] = {
    var sites: Set<ModelSite> = []
    for program in Program.allCases { sites.formUnion(ModelRun.check(.random(seed: 1, runs: 20), program.setUp).sites) }
    return sites.sorted { ($0.file, $0.line) < ($1.file, $1.line) }.flatMap { site in
      (site.isOrdered ? [ModelMutation(.relaxed, at: site)] : [])
        + (site.operation == .update ? [ModelMutation(.torn, at: site)] : [])
    }
  }()

  private static var mutations: [ModelMutation] {
    get throws { try all.filter { try unseen[line(of: $0)] == nil } }
  }

  /// Runs the programs with a fault until one fails.
  private static func isFound(_ mutation: ModelMutation) -> Bool {
    Program.allCases.contains {
      ModelRun.check(.exhaustive(deviations: 1), mutation: mutation, $0.setUp).failure != nil
    }
      || Program.allCases.contains { program in
        [ModelStrategy.random(seed: 7, runs: 300), .priorities(seed: 7, runs: 300, changes: 3)].contains {
          ModelRun.check($0, mutation: mutation, program.setUp).failure != nil
        }
      }
      || ModelRun.check(.exhaustive(deviations: 2), mutation: mutation, Program.full.setUp).failure != nil
  }

  @Test func `what no run shows stands in the sources`() throws {
    let lines = try Set(Self.all.map { try Self.line(of: $0) })
    for line in Self.unseen.keys { #expect(lines.contains(line), "\(line)") }
  }

  @Test(arguments: try mutations)
  func `each fault is found`(mutation: ModelMutation) async throws {
    // In a process of its own: a fault may end it before the checker sees it.
    await #expect(processExitsWith: .failure) { [mutation] in
      if MailboxMutationTests.isFound(mutation) { exit(1) }
    }
  }
}
#endif
