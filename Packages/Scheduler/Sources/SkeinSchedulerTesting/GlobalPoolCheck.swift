// GlobalPoolCheck: finds jobs that leave the strands for Swift's global pool.

internal import CGlobalPoolHooks
internal import Glibc

/// A check that nothing reaches Swift's global pool: no detached task, no `@concurrent` function, no `Task.sleep`.
///
/// What it counts is the process's, so it needs a process in which only strands use Swift concurrency: an executable, or
/// an exit test whose body blocks its thread.
///
/// ```swift
/// let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
///   GlobalPoolCheck.tell {
///     try SimulatedScheduler.check(seeds: 0..<100) { simulation in … }
///   }
/// }
/// #expect(String(decoding: result.standardErrorContent, as: UTF8.self) == GlobalPoolCheck.allIsWell)
/// ```
///
/// - Thread safety: any thread.
public enum GlobalPoolCheck {
  /// Counts from now on.
  ///
  /// - Precondition: the runtime has the hooks; those of Swift 6.3 do.
  public static func begin() {
    precondition(global_pool_hooks_install() == 0, "this Swift runtime has no hooks round its global pool")
  }

  /// Jobs that have reached the global pool since ``begin()``.
  public static var jobCount: Int { Int(global_pool_hooks_count()) }

  /// Ends the process: with status 0 when no job has reached the global pool, else with 1, after a line on the standard
  /// error and the stack from which the first one was enqueued.
  public static func end() -> Never {
    exit(tellOfJobs() ? 0 : 1)
  }

  private static func tellOfJobs() -> Bool {
    if jobCount == 0 { return true }
    write("\(jobCount) jobs have reached Swift's global pool; the first one came from\n")
    global_pool_hooks_write_first(2)
    return false
  }

  /// Runs `body` between ``begin()`` and ``end()``, but ends the process with status 0 in any case. What is wrong, also
  /// what `body` threw, stands on the standard error; when all is well, ``allIsWell`` does.
  ///
  /// For exit tests: they lose the standard error of a process that does not end as they expect.
  public static func tell(_ body: () throws -> Void) -> Never {
    begin()
    do {
      try body()
      if tellOfJobs() { write(allIsWell) }
    } catch {
      write("\(error)\n")
      _ = tellOfJobs()
    }
    exit(0)
  }

  /// The line that ``tell(_:)`` writes when nothing is wrong.
  public static let allIsWell = "all is well\n"

  /// Runs `body` between ``begin()`` and ``end()``; what it throws ends the process with status 2.
  public static func run(_ body: () throws -> Void) -> Never {
    begin()
    do { try body() } catch {
      write("\(error)\n")
      exit(2)
    }
    end()
  }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in unsafe _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
  }
}
