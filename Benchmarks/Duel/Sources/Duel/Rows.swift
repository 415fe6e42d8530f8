// Rows: what is measured under each name of the table.

internal import CaseSupport
internal import MailboxCases
internal import RuntimeCases
internal import Skein
internal import TimerCases

/// What one run of a row found, by the names of its figures.
typealias Figures = [String: Double]

/// A row of the table: takes the number of operations.
typealias Row = @Sendable (_ count: Int) throws -> Figures

let rows: [String: Row] = [
  // As many places as the ring in C has, and the threads where it has them.
  "mailbox-alone": { count in try timed(count) { pushAndPop($0, capacity: 4_096, $1) } },
  "mailbox-1to1": { count in try timed(count) { try flow($0, producers: 1, capacity: 4_096, isPinned: true, $1) } },
  "mailbox-8to1": { count in try timed(count) { try flow($0, producers: 8, capacity: 4_096, isPinned: true, $1) } },
  // A round trip is two hops.
  "pair-1": { count in
    try timed(count, sum: { sumOfNumbers(2 * $0) }, run: { try rings(2 * $0, of: 2, node(), $1) })
  },
  "pairs-1000": { count in
    try timed(
      count, sum: { 1_000 * sumOfNumbers(2 * ($0 / 1_000)) },
      run: { try rings(2 * ($0 / 1_000), of: 2, rings: 1_000, node(), $1) })
  },
  "ring-1000": { count in try timed(count) { try rings($0, of: 1_000, node(), $1) } },
  "call-1": { count in try timed(count) { try calls($0, .inPlace, node(), $1) } },
  "call-1000": { count in
    try timed(
      count, sum: { 1_000 * sumOfNumbers($0 / 1_000) },
      run: { try calls($0, pairs: 1_000, .inPlace, node(), $1) })
  },
  "call-chain": { count in try timed(count) { try callChain($0, node(), $1) } },
  "flood-1to1": { count in try timed(count) { try flood($0, senders: 1, node(), $1) } },
  "flood-8to1": { count in try timed(count) { try flood($0, senders: 8, node(), $1) } },
  "spawn": { count in try timed(count) { try spawns($0, window: 64, node(), $1) } },
  "idle-bytes": { count in
    let bytes = try residentServices(count, node())
    return [
      "untouched": Double(bytes[0]), "after-sync-call": Double(bytes[1]), "after-async-call": Double(bytes[2]),
    ]
  },
  "blocked-p99": blocked,
  "saturated-timer": saturated,
  "idle-wakeups": idle,
  // Deadlines up to ten minutes ahead, as in the references.
  "arm-cancel-same": { count in
    try timed(count, warmsUp: false) { try armAndCancelSame($0, among: 1_000_000, horizon: 600_000, $1) }
  },
  "arm-cancel-million": { count in
    try timed(count, warmsUp: false) { try armAndCancel($0, among: 1_000_000, horizon: 600_000, $1) }
  },
  "queue-arm-cancel-same": { count in
    try timed(count, warmsUp: false) { try queueArmAndCancelSame($0, among: 1_000_000, horizon: 600_000, $1) }
  },
  "queue-arm-cancel-million": { count in
    try timed(count, warmsUp: false) { try queueArmAndCancel($0, among: 1_000_000, horizon: 600_000, $1) }
  },
  "timer-bytes": { count in
    let stopwatch = Stopwatch()
    _ = try queueBytes(count, stopwatch)
    return ["value": Double(stopwatch.bytes)]
  },
  "sleepers": sleepers,
  "sleepers-of-task": taskSleepers,
  "wake-parked": wakeParked,
]

/// The node of all rows: two workers, else as it comes.
func node() -> NodeOptions {
  var options = NodeOptions()
  options.workers = 2
  options.log = .silent
  return options
}

/// Measures a case after a tenth of it to warm up, and checks both sums.
///
/// - Returns: nanoseconds for one of `count` operations, as `value`.
func timed(
  _ count: Int, warmsUp: Bool = true, sum: (_ count: Int) -> UInt64 = sumOfNumbers,
  run: (_ count: Int, _ meter: any Meter) throws -> UInt64
) throws -> Figures {
  let stopwatch = Stopwatch()
  for count in warmsUp ? [max(count / 10_000 * 1_000, 1_000), count] : [count] {
    let found = try run(count, stopwatch)
    guard found == sum(count) else { throw WrongResult(found: found, expected: sum(count)) }
  }
  return ["value": Double(stopwatch.nanoseconds) / Double(count)]
}

/// A run whose result is not what it must be.
struct WrongResult: Error, CustomStringConvertible {
  let description: String
  init(found: UInt64, expected: UInt64) { description = "the sum is \(found) and should be \(expected)" }
  init(_ description: String) { self.description = description }
}
