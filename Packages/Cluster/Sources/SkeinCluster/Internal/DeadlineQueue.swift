// DeadlineQueue: which of many deadlines comes first.
//
// Owns:       a binary heap of (deadline, id); entries of finished ids stay until they reach the top or the next sweep.
// Invariants:
//   I1  the heap is ordered by deadline, equal ones by id, so that runs can be repeated.
//   I2  at most twice as many entries as live ids, and 64 more, after every `add`.

internal import SkeinPlatform

/// A set of deadlines, of which most are taken back before they pass.
struct DeadlineQueue: Sendable {
  private struct Entry: Sendable {
    let deadline: MonotonicInstant
    let id: UInt64

    static func < (left: Entry, right: Entry) -> Bool {
      left.deadline == right.deadline ? left.id < right.id : left.deadline < right.deadline
    }
  }

  private var heap: [Entry] = []

  /// Number of entries, stale ones included.
  var entryCount: Int { heap.count }

  /// Adds a deadline. `isLive` says which ids still count, of which there are `liveCount`.
  ///
  /// - Complexity: O(log n), amortized over the sweeps.
  mutating func add(_ deadline: MonotonicInstant, _ id: UInt64, liveCount: Int, isLive: (UInt64) -> Bool) {
    if heap.count >= 2 * liveCount + 64 {
      heap.removeAll { !isLive($0.id) }
      for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }
    heap.append(Entry(deadline: deadline, id: id))
    siftUp(heap.count - 1)
  }

  /// The first deadline of a live id; drops stale entries in front of it.
  mutating func first(isLive: (UInt64) -> Bool) -> MonotonicInstant? {
    while let top = heap.first {
      if isLive(top.id) { return top.deadline }
      removeTop()
    }
    return nil
  }

  /// Takes the first live id whose deadline is at or before `now`.
  mutating func takeDue(now: MonotonicInstant, isLive: (UInt64) -> Bool) -> UInt64? {
    guard let deadline = first(isLive: isLive), deadline <= now else { return nil }
    let id = heap[0].id
    removeTop()
    return id
  }

  private mutating func removeTop() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      if !(heap[index] < heap[parent]) { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in 2 * index + 1...2 * index + 2 where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
