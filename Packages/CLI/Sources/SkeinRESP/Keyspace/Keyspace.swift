// Keyspace: one shard's keys, and what the commands do to them.
//
// Owns:       the table of entries.
// Invariants (hold between calls):
//   I1  usedBytes is the sum of accountedBytes over the entries.
//   I2  deadlineCount is the number of entries with a deadline.
//   I3  an entry whose deadline has passed is never seen by a command: it is removed when it is met.

/// The keys of one shard, with values of any bytes and deadlines in milliseconds since 1970.
///
/// Time comes from outside. Entries whose deadline has passed are removed when a command meets them, and by
/// ``expire(now:buckets:)``. Memory is counted as 32 bytes, key and value, rounded up to 16, and 16 bytes more an entry;
/// a command that would bring the sum above the limit is refused with Redis' OOM error.
///
///     var keys = Keyspace()
///     let reply = keys.execute(batch, now: milliseconds)
///
/// - Thread safety: a value that cannot be copied; one thread at a time.
@safe public struct Keyspace: ~Copyable {
  /// Most bytes that entries may use, as ``usedBytes`` counts them; nil for no limit.
  public let maxMemoryBytes: Int?
  /// Bytes that the entries use.
  public private(set) var usedBytes = 0
  /// Entries that have a deadline.
  public private(set) var deadlineCount = 0
  var table = EntryTable()
  private var expiryCursor = 0

  /// Creates an empty keyspace.
  public init(maxMemoryBytes: Int? = nil) { self.maxMemoryBytes = maxMemoryBytes }

  /// Number of keys; those whose deadline has passed and that nobody has met count, as in Redis.
  public var count: Int { table.count }

  /// Executes the operations of `batch` from its start on, until its reply limit is met.
  ///
  /// - Parameters:
  ///   - batch: what to do.
  ///   - now: milliseconds since 1970.
  /// - Complexity: O(1) for each key, and O(bytes) of keys, values and answers; FLUSHALL O(number of keys).
  public mutating func execute(_ batch: ShardBatch, now: Int64) -> ShardReply {
    var writer = ReplyWriter()
    var ends: [Int] = []
    ends.reserveCapacity(batch.end - batch.start)
    let operations = batch.operations
    for index in batch.start..<batch.end {
      let isFirst = index == batch.start && batch.answersFirst
      let call = Call(
        operation: operations[index], now: now,
        replyLimit: isFirst ? .max : batch.replyLimitBytes - writer.bytes.count)
      guard run(call, batch.bytes.span, batch.arguments.span, &writer) else { break }
      ends.append(writer.bytes.count)
    }
    var reply = ShardReply()
    reply.bytes = writer.bytes
    reply.ends = ends
    return reply
  }

  /// Removes entries whose deadline has passed, in the next few buckets; call it now and then.
  ///
  /// - Parameters:
  ///   - now: milliseconds since 1970.
  ///   - buckets: how many to look through.
  /// - Returns: the number of entries removed.
  public mutating func expire(now: Int64, buckets: Int) -> Int {
    if table.step(buckets) || deadlineCount == 0 { return 0 }
    var removed = 0
    for _ in 0..<min(buckets, table.current.count) {
      expiryCursor = (expiryCursor + 1) & (table.current.count - 1)
      var entry = table.current[expiryCursor]
      while let candidate = entry {
        entry = candidate.next
        if candidate.deadline <= now {
          remove(candidate)
          removed += 1
        }
      }
    }
    return removed
  }

  // MARK: Entries

  /// The entry of `key` unless its deadline has passed; then it is removed.
  mutating func find(_ key: Span<UInt8>, _ hash: UInt64, _ now: Int64) -> EntryPointer? {
    guard let entry = table.find(key, hash) else { return nil }
    if entry.deadline > now { return entry }
    remove(entry)
    return nil
  }

  mutating func remove(_ entry: EntryPointer) {
    usedBytes -= entry.accountedBytes
    if entry.deadline != Deadline.never { deadlineCount -= 1 }
    table.remove(entry)
  }

  mutating func removeAll() {
    table.removeAll()
    usedBytes = 0
    deadlineCount = 0
  }

  /// Whether `bytes` more may be used.
  func hasRoom(for bytes: Int) -> Bool {
    guard let maxMemoryBytes else { return true }
    return bytes <= 0 || usedBytes + bytes <= maxMemoryBytes
  }

  /// Stores a value; the deadline of an entry that was there is kept.
  ///
  /// - Returns: the entry that holds the value now, or nil when memory does not allow it.
  mutating func store(
    _ key: Span<UInt8>, _ hash: UInt64, _ value: Span<UInt8>, over entry: EntryPointer?
  ) -> EntryPointer? {
    let size = EntryHeader.accountedBytes(key: key.count, value: value.count)
    let growth = size - (entry?.accountedBytes ?? 0)
    guard hasRoom(for: growth) else { return nil }
    usedBytes += growth
    if let entry, entry.fits(valueCount: value.count) {
      entry.setValue(value)
      return entry
    }
    let stored = EntryPointer.allocate(key, hash: hash, valueCount: value.count)
    stored.setValue(value)
    if let entry {
      stored.deadline = entry.deadline
      table.replace(entry, by: stored)
    } else {
      table.insert(stored)
    }
    return stored
  }

  mutating func setDeadline(_ deadline: Int64, of entry: EntryPointer) {
    if entry.deadline != Deadline.never { deadlineCount -= 1 }
    if deadline != Deadline.never { deadlineCount += 1 }
    entry.deadline = deadline
  }
}

// @unchecked: the entries are reached through this value alone, which cannot be copied.
extension Keyspace: @unchecked Sendable {}
