// Keyspace+Set: SET with its options.

/// The options of one SET.
private struct SetOptions {
  var onlyIfMissing = false
  var onlyIfPresent = false
  var answersOld = false
  var keepsDeadline = false
  /// The unit of the time option given, or nil.
  var unit: TimeUnit?
  /// Number of the argument that holds the time.
  var time = 0
}

/// How an expiry option measures time.
private enum TimeUnit {
  case seconds, milliseconds, unixSeconds, unixMilliseconds

  var isSeconds: Bool { self == .seconds || self == .unixSeconds }
  var isRelative: Bool { self == .seconds || self == .milliseconds }
}

extension Keyspace {
  /// SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL].
  mutating func set(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) -> Bool {
    if call.replyLimit < ShardBatch.shortAnswerBytes { return false }
    var options = SetOptions()
    var deadline = Deadline.never
    if call.count > 3 {
      guard Self.parse(call, bytes, arguments, &options) else {
        writer.error(CommandErrors.syntax)
        return true
      }
      if let unit = options.unit {
        guard let time = IntegerText.parse(bytes.extracting(call.range(options.time, arguments))) else {
          writer.error(CommandErrors.notAnInteger)
          return true
        }
        guard let moment = Self.deadline(time, unit, call.now) else {
          writer.error(CommandErrors.invalidExpireTime("set"))
          return true
        }
        deadline = moment
      }
    }
    return store(call, options, deadline, bytes, arguments, &writer)
  }

  private mutating func store(
    _ call: Call, _ options: SetOptions, _ deadline: Int64, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>,
    _ writer: inout ReplyWriter
  ) -> Bool {
    let key = bytes.extracting(call.range(1, arguments))
    let value = bytes.extracting(call.range(2, arguments))
    let hash = EntryTable.hash(key)
    let entry = find(key, hash, call.now)
    let start = writer.bytes.count
    if options.answersOld {
      if call.replyLimit < (entry?.valueCount ?? 0) + Self.bulkOverhead { return false }
      Self.write(entry, &writer)
    }
    if (options.onlyIfMissing && entry != nil) || (options.onlyIfPresent && entry == nil) {
      if !options.answersOld { writer.nullBulk() }
      return true
    }
    guard let stored = store(key, hash, value, over: entry) else {
      writer.bytes.removeSubrange(start...)
      writer.error(CommandErrors.outOfMemory)
      return true
    }
    if !options.keepsDeadline, stored.deadline != deadline { setDeadline(deadline, of: stored) }
    if !options.answersOld { writer.raw("+OK\r\n") }
    return true
  }

  /// Reads the options; false when they are no options or contradict each other.
  private static func parse(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ options: inout SetOptions
  ) -> Bool {
    var index = 3
    while index < call.count {
      let word = bytes.extracting(call.range(index, arguments))
      if word.equals(ignoringCase: "NX"), !options.onlyIfPresent {
        options.onlyIfMissing = true
      } else if word.equals(ignoringCase: "XX"), !options.onlyIfMissing {
        options.onlyIfPresent = true
      } else if word.equals(ignoringCase: "GET") {
        options.answersOld = true
      } else if word.equals(ignoringCase: "KEEPTTL"), options.unit == nil {
        options.keepsDeadline = true
      } else if let unit = unit(word), index + 1 < call.count, !options.keepsDeadline,
        options.unit == nil || options.unit == unit
      {
        options.unit = unit
        options.time = index + 1
        index += 1
      } else {
        return false
      }
      index += 1
    }
    return true
  }

  private static func unit(_ word: Span<UInt8>) -> TimeUnit? {
    if word.equals(ignoringCase: "EX") { return .seconds }
    if word.equals(ignoringCase: "PX") { return .milliseconds }
    if word.equals(ignoringCase: "EXAT") { return .unixSeconds }
    if word.equals(ignoringCase: "PXAT") { return .unixMilliseconds }
    return nil
  }

  /// The moment that an expiry option names, or nil when it is not positive or too far away.
  private static func deadline(_ time: Int64, _ unit: TimeUnit, _ now: Int64) -> Int64? {
    if time <= 0 { return nil }
    let (milliseconds, overflow) = time.multipliedReportingOverflow(by: unit.isSeconds ? 1_000 : 1)
    if overflow { return nil }
    if !unit.isRelative { return milliseconds }
    let (moment, carry) = milliseconds.addingReportingOverflow(now)
    return carry ? nil : moment
  }
}
