// NameTable: the services of a node by name and by id, and who waits for a name.

internal import SkeinPlatform

/// Which services there are.
///
/// Ids count up from 1,024 and are used again only after four billion: 0 is the system, 1 the root, the rest of
/// the first 1,024 reserved.
struct NameTable {
  private(set) var byID: [UInt32: ServiceRecord] = [:]
  private var byName: [String: Entry] = [:]
  private var nextID: UInt32 = 1_024
  private var nextWaiter: UInt64 = 0
  private var waiting: [String: [(number: UInt64, waiter: NameWaiter)]] = [:]
  var isClosed = false

  private enum Entry {
    case reserved
    case known(ServiceRecord)
  }

  /// Takes a free id, and a name for a service that is being made.
  mutating func reserve(_ name: String?, limit: Int) throws(SpawnError) -> UInt32 {
    if isClosed { throw .shuttingDown }
    if byID.count >= limit { throw .full(limit: limit) }
    if let name {
      if byName[name] != nil { throw .nameTaken(name) }
      byName[name] = .reserved
    }
    repeat { nextID = nextID == .max ? 1_024 : nextID + 1 } while byID[nextID] != nil
    return nextID
  }

  mutating func insert(_ record: ServiceRecord) { byID[record.id] = record }

  /// Makes the name known; returns who waited for it.
  mutating func publish(_ record: ServiceRecord) -> [NameWaiter] {
    guard let name = record.name else { return [] }
    // A service that has ended while it started is not known to anybody.
    guard byID[record.id] != nil else {
      byName[name] = nil
      return []
    }
    byName[name] = .known(record)
    return (waiting.removeValue(forKey: name) ?? []).map(\.waiter)
  }

  func find(_ name: String) -> ServiceRecord? {
    guard case .known(let record)? = byName[name] else { return nil }
    return record
  }

  mutating func removeName(of record: ServiceRecord) {
    guard let name = record.name, case .known(let known)? = byName[name], known === record else { return }
    byName[name] = nil
  }

  /// Frees a name that was reserved in vain.
  mutating func release(_ name: String?) {
    guard let name, case .reserved? = byName[name] else { return }
    byName[name] = nil
  }

  mutating func remove(_ record: ServiceRecord) {
    removeName(of: record)
    byID[record.id] = nil
  }

  // MARK: - Waiting for a name

  mutating func waiterNumber() -> UInt64 {
    nextWaiter += 1
    return nextWaiter
  }

  /// Enters the line for a name.
  ///
  /// - Returns: whether the waiter is in line; otherwise `found` holds its answer.
  mutating func wait(
    _ name: String, _ number: UInt64, _ waiter: NameWaiter
  ) -> (isWaiting: Bool, found: ServiceRecord?) {
    if let record = find(name) { return (false, record) }
    if isClosed { return (false, nil) }
    waiting[name, default: []].append((number, waiter))
    return (true, nil)
  }

  mutating func giveUp(_ name: String, _ number: UInt64) -> NameWaiter? {
    guard let index = waiting[name]?.firstIndex(where: { $0.number == number }) else { return nil }
    let entry = waiting[name]!.remove(at: index)
    if waiting[name]!.isEmpty { waiting[name] = nil }
    return entry.waiter
  }

  mutating func giveUpAll() -> [NameWaiter] {
    defer { waiting = [:] }
    return waiting.values.flatMap { $0.map(\.waiter) }
  }
}

/// A task that waits for a name.
final class NameWaiter: Sendable {
  let gate = TaskGate()
  private let found = Lock<ServiceRecord?>(nil)

  var record: ServiceRecord? { found.withLock { $0 } }

  /// Lets the task go on, with a service or without.
  func end(_ record: ServiceRecord?) {
    found.withLock { $0 = record }
    gate.open()
  }
}
