// ModelRun: runs a small concurrent program again and again, each time in another order, and looks for a wrong one.
//
// The program's threads are real threads, of which one at a time has the baton. Before each access to an atomic the
// baton may go to another thread, and a load may give an older value than the newest one, where C++'s memory model
// (2020) allows it. Both are decisions; a run is known by the list of its decisions, and can be repeated from it.
//
// The memory model is that of views: each store keeps what its thread had seen if it releases, and a load that
// acquires takes that over. So a missing acquire or release shows, on whatever machine the check runs. Not modelled:
// fences, loads of values that are stored later (load buffering), and stores that come between older ones.

internal import SkeinPlatform
internal import Synchronization

/// How the runs of a check are chosen.
public enum ModelStrategy: Hashable, Sendable {
  /// Every run with at most so many deviations: a deviation is a switch away from a thread that could go on, or a load
  /// of an older value. The number of runs grows with its power.
  case exhaustive(deviations: Int)
  /// Switches and older values by chance.
  case random(seed: UInt64, runs: Int)
  /// Threads by priority: random ones, of which so many are lowered at random steps (Burckhardt and others, 2010).
  case priorities(seed: UInt64, runs: Int, changes: Int)
  /// The one run with these decisions, which a ``ModelFailure`` has told.
  case replay([Int])
}

/// What a check has found.
public struct ModelOutcome: Sendable {
  /// Number of runs, the failing one among them.
  public let runs: Int
  /// Steps of the longest run.
  public let longestRun: Int
  /// The first failure; the check ends with it.
  public let failure: ModelFailure?
  /// The accesses that were met.
  public let sites: Set<ModelSite>
}

/// A run in which something was wrong.
public struct ModelFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong.
  public let text: String
  /// The decisions that lead to it, for ``ModelStrategy/replay(_:)``.
  public let decisions: [Int]
  /// The last steps before it.
  public let trace: [String]

  /// What was wrong, how to repeat it, and the last steps.
  public var description: String {
    "\(text)\nreplay: \(decisions)\n" + trace.joined(separator: "\n")
  }
}

/// One run of a checked program, while it is set up.
///
/// ```swift
/// let outcome = ModelRun.check(.exhaustive(deviations: 2)) { model in
///   let flag = ModelAtomic<Int>(0)
///   let data = ModelCell(0)
///   model.thread("writer") { data.value = 1; flag.store(1, ordering: .releasing) }
///   model.thread("reader") { if flag.load(ordering: .acquiring) == 1 { ModelRun.require(data.value == 1, "seen") } }
/// }
/// ```
///
/// - Thread safety: only within the closure that it is given to.
public final class ModelRun {
  let run: Run

  init(_ run: Run) { self.run = run }

  /// Adds a thread; it begins when the set-up has ended.
  public func thread(_ name: String, _ body: @escaping () -> Void) { run.addThread(name, body) }

  /// Adds what is done when all threads have ended, by one that has seen everything.
  public func afterwards(_ body: @escaping () -> Void) { run.afterwards.append(body) }

  /// Ends the run as a failure unless `condition` holds.
  public static func require(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { unsafe Run.current?.fail(text()) }
  }

  /// Says that the thread waits for another one: it goes on after another has had its turn, and sees what is new.
  public static func relax() { unsafe Run.current?.relax() }

  /// Says that the calling thread writes the memory at `address`, which is not a ``ModelCell``.
  public static func writes(_ address: UnsafeRawPointer) {
    guard let run = unsafe Run.current else { return }
    let number = UInt(bitPattern: address)
    run.memory[number, default: PlainAccess(run)].write(run)
  }

  /// Says that the calling thread reads the memory at `address`.
  public static func reads(_ address: UnsafeRawPointer) {
    guard let run = unsafe Run.current else { return }
    let number = UInt(bitPattern: address)
    run.memory[number, default: PlainAccess(run)].read(run)
  }

  /// Does something when the present run has ended, such as giving memory back that the run must not use again.
  public static func whenEnded(_ body: @escaping () -> Void) {
    if let run = unsafe Run.current { run.endings.append(body) } else { body() }
  }

  /// Runs `program` in many orders, until one fails.
  ///
  /// - Parameters:
  ///   - mutation: a fault to put into it.
  ///   - maxRuns: where an exhaustive check is given up as too large; that is a failure.
  ///   - program: sets up one run; called for each.
  /// - Thread safety: any thread; one check at a time runs in a process.
  public static func check(
    _ strategy: ModelStrategy, mutation: ModelMutation? = nil, maxRuns: Int = 2_000_000, _ program: (ModelRun) -> Void
  ) -> ModelOutcome {
    oneAtATime.withLock { _ in
      var chooser = Chooser(strategy)
      var runs = 0
      var longest = 0
      var sites: Set<ModelSite> = []
      var failure: ModelFailure?
      var goesOn = true
      while goesOn {
        let run = Run(chooser, mutation)
        run.execute(program)
        chooser = run.chooser
        runs += 1
        longest = max(longest, run.steps)
        sites.formUnion(run.sites)
        failure = run.failure
        goesOn = failure == nil && chooser.prepareNextRun(steps: run.steps)
        if goesOn && runs == maxRuns {
          failure = ModelFailure(text: "not done after \(runs) runs", decisions: [], trace: [])
          goesOn = false
        }
      }
      return ModelOutcome(runs: runs, longestRun: longest, failure: failure, sites: sites)
    }
  }

  private static let oneAtATime = Lock(())
}
