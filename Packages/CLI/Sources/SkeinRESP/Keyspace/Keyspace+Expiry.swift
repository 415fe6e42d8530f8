// Keyspace+Expiry: EXPIRE, PEXPIRE, TTL, PTTL and PERSIST.

/// The conditions of one EXPIRE.
private struct ExpireConditions {
  var none = false
  var some = false
  var later = false
  var earlier = false

  /// Whether an entry with this deadline may get the new one.
  func allow(_ deadline: Int64, over old: Int64) -> Bool {
    if none && old != Deadline.never { return false }
    if some && old == Deadline.never { return false }
    if later && (old == Deadline.never || deadline <= old) { return false }
    return !(earlier && old != Deadline.never && deadline >= old)
  }
}

extension Keyspace {
  /// EXPIRE key seconds, PEXPIRE key milliseconds, with [NX | XX | GT | LT].
  mutating func setTimeToLive(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    var conditions = ExpireConditions()
    if let fault = Self.parse(call, bytes, arguments, &conditions) { return writer.error(fault) }
    guard let time = IntegerText.parse(bytes.extracting(call.range(2, arguments))) else {
      return writer.error(CommandErrors.notAnInteger)
    }
    let unit: Int64 = call.operation.command == .expire ? 1_000 : 1
    let (milliseconds, overflow) = time.multipliedReportingOverflow(by: unit)
    let (deadline, carry) = milliseconds.addingReportingOverflow(call.now)
    if overflow || carry {
      return writer.error(CommandErrors.invalidExpireTime(call.operation.command.name))
    }
    let key = bytes.extracting(call.range(1, arguments))
    guard let entry = find(key, EntryTable.hash(key), call.now), conditions.allow(deadline, over: entry.deadline)
    else { return writer.integer(0) }
    if deadline <= call.now { remove(entry) } else { setDeadline(deadline, of: entry) }
    writer.integer(1)
  }

  private static func parse(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ conditions: inout ExpireConditions
  ) -> [UInt8]? {
    for index in 3..<max(3, call.count) {
      let word = bytes.extracting(call.range(index, arguments))
      if word.equals(ignoringCase: "NX") {
        conditions.none = true
      } else if word.equals(ignoringCase: "XX") {
        conditions.some = true
      } else if word.equals(ignoringCase: "GT") {
        conditions.later = true
      } else if word.equals(ignoringCase: "LT") {
        conditions.earlier = true
      } else {
        var text = Array("ERR Unsupported option ".utf8)
        CommandErrors.append(word, limit: .max, to: &text)
        return text
      }
    }
    if conditions.none && (conditions.some || conditions.later || conditions.earlier) {
      return Array("ERR NX and XX, GT or LT options at the same time are not compatible".utf8)
    }
    if conditions.later && conditions.earlier {
      return Array("ERR GT and LT options at the same time are not compatible".utf8)
    }
    return nil
  }

  /// TTL in seconds, rounded; PTTL in milliseconds; -1 without a deadline, -2 without the key.
  mutating func timeToLive(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    let key = bytes.extracting(call.range(1, arguments))
    guard let entry = find(key, EntryTable.hash(key), call.now) else { return writer.integer(-2) }
    if entry.deadline == Deadline.never { return writer.integer(-1) }
    let left = entry.deadline - call.now
    writer.integer(call.operation.command == .ttl ? (left / 1_000) + (left % 1_000 >= 500 ? 1 : 0) : left)
  }

  /// PERSIST: takes a key's deadline away.
  mutating func persist(
    _ call: Call, _ bytes: Span<UInt8>, _ arguments: Span<ArgumentRange>, _ writer: inout ReplyWriter
  ) {
    let key = bytes.extracting(call.range(1, arguments))
    guard let entry = find(key, EntryTable.hash(key), call.now), entry.deadline != Deadline.never else {
      return writer.integer(0)
    }
    setDeadline(Deadline.never, of: entry)
    writer.integer(1)
  }
}
