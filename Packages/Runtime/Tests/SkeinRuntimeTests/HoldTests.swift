import Skein
import SkeinPlatform
import Synchronization
import Testing

/// Holds others.
private actor Holder: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  /// Whether the service can be held now.
  static let tries = Command("TRIES") { (holder: isolated Holder, db: ServiceRef<SimpleDB>) in db.tryHold() != nil }

  static let performs = Command("PERFORMS") { (holder: isolated Holder, db: ServiceRef<SimpleDB>) throws in
    guard let hold = db.tryHold() else { throw Refusal(text: "not idle") }
    #expect(db.tryHold() == nil)
    #expect(try hold.perform(SimpleDB.set, arguments: ("a", "1")) == nil)
    #expect(try hold.perform(SimpleDB.get, arguments: "a") == "1")
    #expect(throws: Refusal(text: "thrown")) { try hold.perform(SimpleDB.fail, arguments: "thrown") }
    // Sent while it is held: it waits for the end of the hold.
    #expect(db.send(SimpleDB.set, "b", "2") == .delivered)
    #expect(try hold.perform(SimpleDB.count, arguments: ()) == 1)
  }

  /// Sets the same number in both services, both held, until `last`.
  static let writes = Command("WRITES") { (holder: isolated Holder, pair: Pair, last: Int) throws in
    pair.meet()
    for number in 1...last { try pair.both { _ = try $0.perform(SimpleDB.set, arguments: ("n", "\(number)")) } }
  }
  /// Reads both services, both held, until they show `last`; how often they differed.
  static let reads = Command("READS") { (holder: isolated Holder, pair: Pair, last: Int) throws -> Int in
    pair.meet()
    var differences = 0
    while true {
      var seen: [String?] = []
      try pair.both { seen.append(try $0.perform(SimpleDB.get, arguments: "n")) }
      if seen[0] != seen[1] { differences += 1 }
      if seen[0] == "\(last)" { return differences }
    }
  }
}

/// Two services that are held together, in one order.
private final class Pair: Sendable {
  let first: ServiceRef<SimpleDB>
  let second: ServiceRef<SimpleDB>
  private let here = Atomic<Int>(0)
  init(_ first: ServiceRef<SimpleDB>, _ second: ServiceRef<SimpleDB>) {
    self.first = first
    self.second = second
  }

  /// Waits until both users are in their handlers, which is on two workers.
  func meet() {
    here.add(1, ordering: .sequentiallyConsistent)
    while here.load(ordering: .sequentiallyConsistent) < 2 { PlatformThread.yield() }
  }

  func both(_ body: (ServiceHold<SimpleDB>) throws -> Void) rethrows {
    while true {
      if let one = first.tryHold(), let two = second.tryHold() {
        try body(one)
        return try body(two)
      }
      PlatformThread.yield()
    }
  }
}

@Suite("Held services", .serialized) struct HoldTests {
  @Test func `a held service performs commands, and what is sent to it meanwhile runs afterwards`() async throws {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let holder = try await node.spawn { Holder($0) }
      try await holder.call(Holder.performs, db)
      while try await db.call(SimpleDB.get, "b") != "2" { await Task.yield() }
      // It answers a moment before it is at rest.
      while try await !holder.call(Holder.tries, db) { await Task.yield() }
    }
  }

  @Test func `a service that is busy, exclusive or gone cannot be held, and nothing can outside of a handler`()
    async throws
  {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let holder = try await node.spawn { Holder($0) }
      #expect(db.tryHold() == nil)
      let entered = Event()
      let goOn = Event()
      let blocking = Task { try await db.call(SimpleDB.block, entered, goOn, deadline: .never) }
      await onThread { entered.wait() }
      #expect(try await holder.call(Holder.tries, db) == false)
      goOn.signal()
      try await blocking.value
      while try await !holder.call(Holder.tries, db) { await Task.yield() }
      var limits = ServiceLimits()
      limits.isExclusive = true
      let exclusive = try await node.spawn(limits: limits) { SimpleDB($0) }
      #expect(try await exclusive.call(SimpleDB.count) == 0)
      #expect(try await holder.call(Holder.tries, exclusive) == false)
      db.exit()
      _ = await db.waitUntilGone()
      #expect(try await holder.call(Holder.tries, db) == false)
    }
  }

  @Test func `an exit that is asked for while a service is held comes after the hold`() async throws {
    try await withNode { node in
      let stopped = Event()
      let db = try await node.spawn { SimpleDB($0, stopped: stopped) }
      let leaver = try await node.spawn { Leaver($0) }
      #expect(try await leaver.call(Leaver.leaves, db) == 1)
      #expect(await db.waitUntilGone() == .exited)
      #expect(stopped.value == 1)
    }
  }

  @Test func `commands on two services that are held together are seen together`() async throws {
    try await withNode { node in
      let pair = Pair(try await node.spawn { SimpleDB($0) }, try await node.spawn { SimpleDB($0) })
      let writer = try await node.spawn { Holder($0) }
      let reader = try await node.spawn { Holder($0) }
      async let written: Void = writer.call(Holder.writes, pair, 5_000, deadline: .never)
      async let differences = reader.call(Holder.reads, pair, 5_000, deadline: .never)
      #expect(try await differences == 0)
      try await written
    }
  }
}

/// Ends a service that it holds.
private actor Leaver: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }
  static let leaves = Command("LEAVES") { (leaver: isolated Leaver, db: ServiceRef<SimpleDB>) throws -> Int in
    guard let hold = db.tryHold() else { throw Refusal(text: "not idle") }
    db.exit()
    _ = try hold.perform(SimpleDB.set, arguments: ("late", "but here"))
    return try hold.perform(SimpleDB.count, arguments: ())
  }
}
