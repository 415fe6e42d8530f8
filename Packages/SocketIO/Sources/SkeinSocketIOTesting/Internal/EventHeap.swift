// EventHeap: what is going to happen, the earliest first.

/// A binary heap of what happens at a virtual time. Of one instant the lower `tie` comes first, then the older entry.
struct EventHeap<Action> {
  struct Entry {
    let time: Int64
    let tie: UInt32
    let number: UInt64
    let action: Action

    static func < (left: Entry, right: Entry) -> Bool {
      (left.time, left.tie, left.number) < (right.time, right.tie, right.number)
    }
  }

  private var entries: [Entry] = []
  private var made: UInt64 = 0

  var first: Entry? { entries.first }

  mutating func insert(_ action: Action, at time: Int64, tie: UInt32) {
    made += 1
    entries.append(Entry(time: time, tie: tie, number: made, action: action))
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child] < entries[parent] else { break }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() -> Entry {
    let last = entries.count - 1
    entries.swapAt(0, last)
    let first = entries.removeLast()
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < last else { return first }
      if child + 1 < last && entries[child + 1] < entries[child] { child += 1 }
      guard entries[child] < entries[parent] else { return first }
      entries.swapAt(child, parent)
      parent = child
    }
  }
}
