// WatchedTurns: what a watcher remembers of other workers between two looks.

internal import SkeinPlatform

/// For each worker the activation that was seen running last, since when, and what was reported of it.
struct WatchedTurns {
  private struct Entry {
    var turn: UInt64 = 0
    var since = MonotonicInstant(nanoseconds: 0)
    var nextReport = WatchedTurns.firstReport
  }

  /// Time after which a running activation is reported first; each further report doubles it.
  static let firstReport = Duration.seconds(1)
  private var entries: [Entry] = []

  /// Notes the running activation of a worker.
  ///
  /// - Returns: for how long it has been seen running; `nil` when this is the first look at it.
  mutating func update(_ worker: Int, turn: UInt64) -> Duration? {
    while entries.count <= worker { entries.append(Entry()) }
    if entries[worker].turn == turn { return entries[worker].since.duration(to: .now) }
    entries[worker] = Entry(turn: turn, since: .now)
    return nil
  }

  /// Whether an activation that has lasted for `duration` has to be reported now.
  mutating func isReportDue(_ worker: Int, _ duration: Duration) -> Bool {
    guard duration >= entries[worker].nextReport else { return false }
    entries[worker].nextReport = duration * 2
    return true
  }
}
