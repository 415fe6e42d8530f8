// EntryTable: a hash table of entries that grows and shrinks a few buckets at a time.
//
// Owns:       the buckets and every entry in them.
// Invariants (hold between calls):
//   I1  an entry stands in `old` exactly when its old bucket's index is >= migrated, else in `current`.
//   I2  count is the number of entries in both; `old` is empty unless the table is being rebuilt.
//   I3  current has a power of two of buckets, at least the minimum.

import Glibc

/// The buckets of a table: heads of chains.
@safe struct Buckets {
  let heads: UnsafeMutablePointer<EntryPointer?>
  let count: Int

  init(count: Int) {
    guard let memory = unsafe calloc(count, MemoryLayout<EntryPointer?>.stride) else {
      fatalError("out of memory for the buckets of the key-value service")
    }
    unsafe heads = memory.bindMemory(to: EntryPointer?.self, capacity: count)
    self.count = count
  }

  func free() { unsafe Glibc.free(heads) }

  func index(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (count - 1) }

  subscript(index: Int) -> EntryPointer? {
    get { unsafe heads[index] }
    nonmutating set { unsafe heads[index] = newValue }
  }
}

/// Entries by key.
struct EntryTable: ~Copyable {
  static let minimumBuckets = 16
  /// Buckets moved for each change while the table is rebuilt.
  static let bucketsPerStep = 2

  /// Number of entries.
  private(set) var count = 0
  private(set) var current = Buckets(count: minimumBuckets)
  private var old: Buckets?
  private var migrated = 0

  deinit {
    Self.freeEntries(current, from: 0)
    current.free()
    if let old {
      Self.freeEntries(old, from: migrated)
      old.free()
    }
  }

  /// The hash of a key; differs from process to process, so that nobody outside can make keys collide.
  static func hash(_ key: Span<UInt8>) -> UInt64 {
    var hasher = Hasher()
    unsafe key.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// The entry of `key`.
  func find(_ key: Span<UInt8>, _ hash: UInt64) -> EntryPointer? {
    if let old {
      let index = old.index(hash)
      if index >= migrated { return Self.find(key, hash, old[index]) }
    }
    return Self.find(key, hash, current[current.index(hash)])
  }

  /// Adds an entry whose key is not in the table.
  mutating func insert(_ entry: EntryPointer) {
    step()
    let (buckets, index) = place(entry.hash)
    entry.next = buckets[index]
    buckets[index] = entry
    count += 1
    if old == nil, count > current.count { rebuild(count: current.count * 2) }
  }

  /// Puts `replacement`, which has the same key, in the place of `entry`, which is freed.
  mutating func replace(_ entry: EntryPointer, by replacement: EntryPointer) {
    replacement.next = entry.next
    relink(entry, to: replacement)
    entry.free()
  }

  /// Takes an entry out and frees it.
  mutating func remove(_ entry: EntryPointer) {
    relink(entry, to: entry.next)
    entry.free()
    count -= 1
    step()
    if old == nil, current.count > Self.minimumBuckets, count < current.count / 8 {
      rebuild(count: current.count / 4)
    }
  }

  /// Frees every entry; O(number of entries).
  mutating func removeAll() {
    Self.freeEntries(current, from: 0)
    if let old {
      Self.freeEntries(old, from: migrated)
      old.free()
    }
    old = nil
    current.free()
    current = Buckets(count: Self.minimumBuckets)
    count = 0
  }

  /// Moves a few buckets of a table that is being rebuilt; false when there is nothing to move.
  @discardableResult
  mutating func step(_ buckets: Int = bucketsPerStep) -> Bool {
    guard let old else { return false }
    let end = min(migrated + buckets, old.count)
    for index in migrated..<end {
      var entry = old[index]
      while let moving = entry {
        entry = moving.next
        let target = current.index(moving.hash)
        moving.next = current[target]
        current[target] = moving
      }
    }
    migrated = end
    if migrated == old.count {
      old.free()
      self.old = nil
    }
    return true
  }

  private mutating func rebuild(count: Int) {
    old = current
    migrated = 0
    current = Buckets(count: max(count, Self.minimumBuckets))
  }

  /// Where an entry with this hash stands, or is to stand.
  private func place(_ hash: UInt64) -> (Buckets, Int) {
    if let old {
      let index = old.index(hash)
      if index >= migrated { return (old, index) }
    }
    return (current, current.index(hash))
  }

  private func relink(_ entry: EntryPointer, to successor: EntryPointer?) {
    let (buckets, index) = place(entry.hash)
    guard var before = buckets[index] else { preconditionFailure("an entry stands in its bucket") }
    if before == entry {
      buckets[index] = successor
      return
    }
    while let next = before.next, next != entry { before = next }
    before.next = successor
  }

  private static func find(_ key: Span<UInt8>, _ hash: UInt64, _ head: EntryPointer?) -> EntryPointer? {
    var entry = head
    while let candidate = entry {
      if candidate.hash == hash, candidate.hasKey(key) { return candidate }
      entry = candidate.next
    }
    return nil
  }

  private static func freeEntries(_ buckets: Buckets, from first: Int) {
    for index in first..<buckets.count {
      var entry = buckets[index]
      while let freeing = entry {
        entry = freeing.next
        freeing.free()
      }
    }
  }
}
