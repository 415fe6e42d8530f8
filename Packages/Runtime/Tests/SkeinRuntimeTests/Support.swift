import Glibc
import Skein
import SkeinPlatform
import Synchronization

/// A gate that a test opens, and an event that it waits for.
final class Event: Sendable {
  private let waiter = FutexWaiter()
  private let count = Atomic<Int>(0)
  func signal() {
    count.add(1, ordering: .sequentiallyConsistent)
    waiter.wake()
  }
  var value: Int { count.load(ordering: .sequentiallyConsistent) }
  /// Blocks the calling thread until it was signalled `times` times.
  func wait(_ times: Int = 1) { while value < times { waiter.wait(until: nil) } }
}

/// A gate for tasks.
actor Gate {
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting = []
  }
  func pass() async {
    if isOpen { return }
    await withCheckedContinuation { waiting.append($0) }
  }
}

/// What was logged.
final class LogBook: Sendable {
  private let lines = Lock<[String]>([])
  var log: SkeinLog {
    SkeinLog { [self] level, message, facts in
      let text = facts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
      lines.withLock { $0.append("\(level.rawValue): \(message) \(text)") }
    }
  }
  var text: [String] { lines.withLock { $0 } }
}

/// A node's options for tests: silent and without sockets, but for what `change` says.
func options(_ change: (inout NodeOptions) -> Void) -> NodeOptions {
  var options = NodeOptions()
  options.workers = 2
  options.log = .silent
  options.sockets = nil
  change(&options)
  return options
}

/// Runs `body` with a node and shuts it down.
@discardableResult
func withNode<Result>(
  workers: Int = 2, inPlaceDepth: Int = 16, log: SkeinLog = .silent, _ body: (SkeinNode) async throws -> Result
) async throws -> Result {
  let options = options { options in
    options.workers = workers
    options.log = log
    options.limits.inPlaceDepth = inPlaceDepth
  }
  return try await withNode(options, body)
}

/// Runs `body` with a node that is set up so, and shuts it down.
@discardableResult
func withNode<Result>(
  _ options: NodeOptions, _ body: (SkeinNode) async throws -> Result
) async throws -> Result {
  let node = try SkeinNode(options)
  do {
    let result = try await body(node)
    await node.shutDown(grace: .seconds(1))
    return result
  } catch {
    await node.shutDown(grace: .seconds(1))
    throw error
  }
}

/// The code of a `CallError` that `body` throws.
func code(_ body: () async throws -> Void) async -> CallError.Code? {
  do {
    try await body()
    return nil
  } catch let error as CallError { return error.code } catch { return nil }
}

struct Refusal: Error, Equatable { let text: String }

actor SimpleDB: SkeinService {
  nonisolated let context: SkeinContext
  var table: [String: String] = [:]
  let stopped: Event?
  init(_ context: SkeinContext, stopped: Event? = nil) {
    self.context = context
    self.stopped = stopped
  }
  func stop() { stopped?.signal() }

  static let get = Command("GET") { (db: isolated SimpleDB, key: String) in db.table[key] }
  static let set = Command("SET") { (db: isolated SimpleDB, key: String, value: String) in
    db.table.updateValue(value, forKey: key)
  }
  static let count = Command("COUNT") { (db: isolated SimpleDB) in db.table.count }
  static let fail = Command("FAIL") { (db: isolated SimpleDB, text: String) throws -> Int in throw Refusal(text: text) }
  static let append = Command("APPEND") {
    (db: isolated SimpleDB, key: String, a: Int, b: Int, c: Int, d: Int, e: Int) in
    db.table[key, default: ""] += "\(a)\(b)\(c)\(d)\(e)"
    return db.table[key]!
  }
  static let pass = Command("PASS") { (db: isolated SimpleDB, gate: Gate, text: String) async in
    await gate.pass()
    db.table["passed", default: ""] += text
    return text
  }
  static let sleep = Command("SLEEP") { (db: isolated SimpleDB, duration: Duration) async throws in
    try await db.context.sleep(for: duration)
  }
  static let nap = Command("NAP") { (db: isolated SimpleDB, asleep: Event) async throws in
    asleep.signal()
    try await db.context.sleep(for: .seconds(3_600))
  }
  static let block = Command("BLOCK") { (db: isolated SimpleDB, entered: Event, goOn: Event) in
    entered.signal()
    goOn.wait()
  }
  static let deadline = Command("DEADLINE") { (db: isolated SimpleDB) in db.context.currentCall?.deadline }
  static let asyncDeadline = Command("ASYNCDEADLINE") { (db: isolated SimpleDB) async in
    db.context.currentCall?.deadline
  }
  static let stubborn = Command("STUBBORN") { (db: isolated SimpleDB, gate: Gate, entered: Event, done: Event) async in
    entered.signal()
    await gate.pass()
    done.signal()
  }
  static let commands: CommandTable<SimpleDB> = [get, set, count, fail, append, pass, sleep, block, deadline, stubborn]
}

/// Calls another service from a handler.
actor Caller: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let get = Command("GET") { (caller: isolated Caller, db: ServiceRef<SimpleDB>, key: String) async throws in
    try await db.call(SimpleDB.get, key)
  }
  static let deadline = Command("DEADLINE") {
    (caller: isolated Caller, db: ServiceRef<SimpleDB>, own: CallDeadline) async throws in
    try await db.call(SimpleDB.deadline, deadline: own)
  }
  static let asyncDeadline = Command("ASYNCDEADLINE") {
    (caller: isolated Caller, db: ServiceRef<SimpleDB>) async throws in try await db.call(SimpleDB.asyncDeadline)
  }
  /// Waits for the gate, then tries to call and to send; reports what became of it.
  static let lateCall = Command("LATE") {
    (caller: isolated Caller, db: ServiceRef<SimpleDB>, gate: Gate, entered: Event, outcome: Outcome) async in
    entered.signal()
    await gate.pass()
    let receipt = db.send(SimpleDB.set, "late", "value")
    let code = await code { _ = try await db.call(SimpleDB.get, "late") }
    outcome.value.withLock { $0 = (receipt, code) }
    outcome.done.signal()
  }
  static let floodSelf: Command<Caller, (Int, Event), Void> = Command("FLOOD") {
    (caller: isolated Caller, left: Int, done: Event) in
    if left == 0 { done.signal() } else { _ = caller.reference.send(floodSelf, left - 1, done) }
  }
}

final class Outcome: Sendable {
  let value = Lock<(SendReceipt, CallError.Code?)?>(nil)
  let done = Event()
}
