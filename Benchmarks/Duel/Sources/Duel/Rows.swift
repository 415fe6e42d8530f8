// Rows: what is measured under each name of the table.

internal import CaseSupport
internal import RuntimeCases
internal import Skein

/// What one run of a row found, by the names of its figures.
typealias Figures = KeyValuePairs<String, Double>

/// A row of the table: takes the number of operations.
typealias Row = @Sendable (_ count: Int) throws -> Figures

let rows: [String: Row] = [
  "pair-1": { count in
    // A round trip is two hops.
    try timed(count, sum: { sumOfNumbers(2 * $0) }) { try rings(2 * $0, of: 2, node(), $1) }
  },
  "pairs-1000": { count in
    try timed(count, sum: { 1_000 * sumOfNumbers(2 * ($0 / 1_000)) }) {
      try rings(2 * ($0 / 1_000), of: 2, rings: 1_000, node(), $1)
    }
  },
  "ring-1000": { count in try timed(count) { try rings($0, of: 1_000, node(), $1) } },
  "call-1": { count in try timed(count) { try calls($0, .inPlace, node(), $1) } },
  "call-1000": { count in
    try timed(count, sum: { 1_000 * sumOfNumbers($0 / 1_000) }) { try calls($0, pairs: 1_000, .inPlace, node(), $1) }
  },
  "call-chain": { count in try timed(count) { try callChain($0, node(), $1) } },
  "flood-1to1": { count in try timed(count) { try flood($0, senders: 1, node(), $1) } },
  "flood-8to1": { count in try timed(count) { try flood($0, senders: 8, node(), $1) } },
  "spawn": { count in try timed(count) { try spawns($0, window: 64, node(), $1) } },
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
  _ count: Int, sum: (_ count: Int) -> UInt64 = sumOfNumbers,
  _ run: (_ count: Int, _ meter: any Meter) throws -> UInt64
) throws -> Figures {
  let stopwatch = Stopwatch()
  for count in [max(count / 10_000 * 1_000, 1_000), count] {
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
