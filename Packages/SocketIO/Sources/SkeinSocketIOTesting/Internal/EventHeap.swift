// EventHeap: what is going to happen, the earliest first.
//
// Written out rather than generic, since tests run it in debug builds, where generic code is ten times as slow.

/// A binary heap of what happens at a virtual time. Of one instant the lower `tie` comes first, then the older entry.
struct EventHeap {
  struct Entry {
    let time: Int64
    let tie: UInt32
    let number: UInt64
    let happening: Happening

    func comes(before other: Entry) -> Bool {
      if time != other.time { return time < other.time }
      if tie != other.tie { return tie < other.tie }
      return number < other.number
    }
  }

  private var entries: [Entry] = []
  private var made: UInt64 = 0

  var first: Entry? { entries.isEmpty ? nil : entries[0] }

  mutating func insert(_ happening: Happening, at time: Int64, tie: UInt32) {
    made += 1
    let entry = Entry(time: time, tie: tie, number: made, happening: happening)
    var place = entries.count
    entries.append(entry)
    while place > 0 {
      let parent = (place - 1) / 2
      guard entry.comes(before: entries[parent]) else { break }
      entries[place] = entries[parent]
      place = parent
    }
    entries[place] = entry
  }

  mutating func removeFirst() {
    let entry = entries.removeLast()
    if entries.isEmpty { return }
    var place = 0
    while true {
      var child = 2 * place + 1
      if child >= entries.count { break }
      if child + 1 < entries.count && entries[child + 1].comes(before: entries[child]) { child += 1 }
      guard entries[child].comes(before: entry) else { break }
      entries[place] = entries[child]
      place = child
    }
    entries[place] = entry
  }
}
