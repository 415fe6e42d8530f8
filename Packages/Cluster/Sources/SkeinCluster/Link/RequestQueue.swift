// RequestQueue: requests that are not written yet, in the order in which they were made.
//
// Invariants:
//   I1  sequence numbers grow along `entries`, so that an entry is found by halving.
//   I2  a dropped entry holds no body; at most as many dropped entries as live ones, and 64 more.

/// A request as the caller made it.
struct QueuedRequest: Equatable, Sendable {
  /// The call, or nil for a send.
  let call: UInt64?
  let address: ClusterAddress
  var body: [UInt8]
  var trace: [UInt8]?
  var isDropped = false

  /// What it counts against the limit on queued bytes.
  var cost: Int { body.count + (trace?.count ?? 0) + 64 }
}

struct RequestQueue: Sendable {
  private struct Entry: Sendable {
    let sequence: UInt64
    var request: QueuedRequest
  }

  private var entries: [Entry] = []
  private var nextSequence: UInt64 = 0
  private var dropped = 0
  /// Sum of the live entries' costs.
  private(set) var bytes = 0
  /// Live entries that are sends.
  private(set) var sendCount = 0

  var isEmpty: Bool { entries.count == dropped }

  /// Adds a request at the back.
  ///
  /// - Returns: a number to drop it by.
  mutating func append(_ request: QueuedRequest) -> UInt64 {
    let sequence = nextSequence
    nextSequence += 1
    entries.append(Entry(sequence: sequence, request: request))
    bytes += request.cost
    if request.call == nil { sendCount += 1 }
    return sequence
  }

  /// Drops a call's request.
  ///
  /// - Complexity: O(log n), amortized.
  mutating func drop(_ sequence: UInt64) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
    }
    guard low < entries.count, entries[low].sequence == sequence, !entries[low].request.isDropped else { return }
    bytes -= entries[low].request.cost
    entries[low].request.isDropped = true
    entries[low].request.body = []
    entries[low].request.trace = nil
    dropped += 1
    if dropped > entries.count - dropped + 64 {
      entries.removeAll { $0.request.isDropped }
      dropped = 0
    }
  }

  /// Empties the queue and hands out what was live, in order.
  mutating func takeAll() -> [QueuedRequest] {
    let taken = entries.lazy.map(\.request).filter { !$0.isDropped }
    let live = Array(taken)
    entries = []
    dropped = 0
    bytes = 0
    sendCount = 0
    return live
  }

  /// Drops all sends.
  ///
  /// - Returns: how many there were.
  mutating func dropSends() -> Int {
    let count = sendCount
    if count == 0 { return 0 }
    for entry in entries where entry.request.call == nil { bytes -= entry.request.cost }
    entries.removeAll { $0.request.call == nil || $0.request.isDropped }
    dropped = 0
    sendCount = 0
    return count
  }
}
