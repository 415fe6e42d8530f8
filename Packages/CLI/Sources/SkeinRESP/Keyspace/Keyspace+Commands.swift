// Keyspace+Commands: GET, MGET, MSET, DEL, EXISTS, the counters and what concerns all keys.

/// One operation while it is executed.
struct Call {
  let operation: ShardOperation
  /// Milliseconds since 1970.
  let now: Int64
  /// Longest answer that may be given.
  let replyLimit: Int

  var count: Int { operation.argumentCount }

  /// Where argument `index` lies; the command's name is number 0.
  func range(_ index: Int, _ arguments: Span<ArgumentRange>) -> Range<Int> {
    arguments[operation.firstArgument + index].range
  }
}

extension Keyspace {
  /// Executes one operation; false, and nothing done, when its answer would be too long.
  mutating func run(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) -> Bool {
    switch call.operation.command {
    case .get: return get(call, bytes, arguments, &writer)
    case .set: return set(call, bytes, arguments, &writer)
    case .mget: return getMany(call, bytes, arguments, &writer)
    default: break
    }
    if call.replyLimit < ShardBatch.shortAnswerBytes { return false }
    switch call.operation.command {
    case .incr, .decr, .incrby, .decrby: increment(call, bytes, arguments, &writer)
    case .mset: setMany(call, bytes, arguments, &writer)
    case .del, .unlink, .exists: countKeys(call, bytes, arguments, &writer)
    case .expire, .pexpire: setTimeToLive(call, bytes, arguments, &writer)
    case .ttl, .pttl: timeToLive(call, bytes, arguments, &writer)
    case .persist: persist(call, bytes, arguments, &writer)
    case .dbsize: writer.integer(Int64(count))
    case .info: writeTotals(&writer)
    case .flushall, .flushdb:
      removeAll()
      writer.raw("+OK\r\n")
    default: preconditionFailure("a command of the connection is not sent to a shard")
    }
    return true
  }

  private func writeTotals(_ writer: inout ReplyWriter) {
    writer.array(3)
    writer.integer(Int64(count))
    writer.integer(Int64(deadlineCount))
    writer.integer(Int64(usedBytes))
  }

  // MARK: Reading

  private mutating func get(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) -> Bool {
    let key = bytes.extracting(call.range(1, arguments))
    let entry = find(key, EntryTable.hash(key), call.now)
    if call.replyLimit < (entry?.valueCount ?? 0) + Self.bulkOverhead { return false }
    Self.write(entry, &writer)
    return true
  }

  /// Bytes of a bulk string beside the value, at most.
  static let bulkOverhead = 16

  /// Writes an entry's value, or that there is none.
  static func write(_ entry: EntryPointer?, _ writer: inout ReplyWriter) {
    if let entry { entry.withValue { writer.bulk($0) } } else { writer.nullBulk() }
  }

  private mutating func getMany(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) -> Bool {
    var length = Self.bulkOverhead
    for index in 1..<call.count {
      let key = bytes.extracting(call.range(index, arguments))
      length += (find(key, EntryTable.hash(key), call.now)?.valueCount ?? 0) + Self.bulkOverhead
      if length > call.replyLimit { return false }
    }
    writer.bytes.reserveCapacity(writer.bytes.count + length)
    if !call.operation.isPart { writer.array(call.count - 1) }
    for index in 1..<call.count {
      let key = bytes.extracting(call.range(index, arguments))
      Self.write(find(key, EntryTable.hash(key), call.now), &writer)
    }
    return true
  }

  private mutating func countKeys(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    let removes = call.operation.command != .exists
    var found: Int64 = 0
    for index in 1..<call.count {
      let key = bytes.extracting(call.range(index, arguments))
      guard let entry = find(key, EntryTable.hash(key), call.now) else { continue }
      found += 1
      if removes { remove(entry) }
    }
    writer.integer(found)
  }

  // MARK: Writing

  /// Stores all pairs, or none when memory does not allow it.
  private mutating func setMany(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    if maxMemoryBytes != nil {
      var growth = 0
      for index in stride(from: 1, to: call.count, by: 2) {
        let key = bytes.extracting(call.range(index, arguments))
        let value = call.range(index + 1, arguments)
        let entry = find(key, EntryTable.hash(key), call.now)
        // A pair may come twice: only what grows is counted.
        growth += max(
          0, EntryHeader.accountedBytes(key: key.count, value: value.count) - (entry?.accountedBytes ?? 0))
      }
      guard hasRoom(for: growth) else { return writer.error(CommandErrors.outOfMemory) }
    }
    for index in stride(from: 1, to: call.count, by: 2) {
      let key = bytes.extracting(call.range(index, arguments))
      let hash = EntryTable.hash(key)
      let value = bytes.extracting(call.range(index + 1, arguments))
      guard let stored = store(key, hash, value, over: find(key, hash, call.now)) else {
        return writer.error(CommandErrors.outOfMemory)
      }
      setDeadline(Deadline.never, of: stored)
    }
    writer.raw("+OK\r\n")
  }

  private mutating func increment(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    var step: Int64 = 1
    if call.count == 3 {
      guard let amount = IntegerText.parse(bytes.extracting(call.range(2, arguments))) else {
        return writer.error(CommandErrors.notAnInteger)
      }
      step = amount
    }
    if call.operation.command == .decr || call.operation.command == .decrby {
      if step == .min { return writer.error(CommandErrors.decrementOverflow) }
      step = -step
    }
    let key = bytes.extracting(call.range(1, arguments))
    let hash = EntryTable.hash(key)
    let entry = find(key, hash, call.now)
    var value: Int64 = 0
    if let entry {
      guard let old = entry.withValue(IntegerText.parse) else { return writer.error(CommandErrors.notAnInteger) }
      value = old
    }
    let (sum, overflow) = value.addingReportingOverflow(step)
    if overflow { return writer.error(CommandErrors.overflow) }
    let start = writer.bytes.count + 1
    writer.integer(sum)
    // The answer holds the new value's text between its type byte and its line end.
    let text = start..<writer.bytes.count - 2
    if store(key, hash, writer.bytes.span.extracting(text), over: entry) == nil {
      writer.bytes.removeSubrange((start - 1)...)
      writer.error(CommandErrors.outOfMemory)
    }
  }
}
