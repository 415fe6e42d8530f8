import Skein
import SkeinPlatform
import Testing

/// Each test runs with calls in place and with every call queued: nothing may show the difference.
@Suite("Calls", .serialized) struct CallTests {
  @Test(arguments: [16, 0])
  func `a call answers what the handler returns`(inPlaceDepth: Int) async throws {
    try await withNode(inPlaceDepth: inPlaceDepth) { node in
      let db = try await node.spawn(named: "simpledb") { SimpleDB($0) }
      #expect(try await db.call(SimpleDB.get, "hello") == nil)
      #expect(try await db.call(SimpleDB.set, "hello", "world") == nil)
      #expect(try await db.call(SimpleDB.set, "hello", "again") == "world")
      #expect(try await db.call(SimpleDB.get, "hello") == "again")
      #expect(try await db.call(SimpleDB.count) == 1)
      #expect(try await db.call(SimpleDB.append, "a", 1, 2, 3, 4, 5) == "12345")
    }
  }

  @Test(arguments: [16, 0])
  func `a service calls another one, in place or queued`(inPlaceDepth: Int) async throws {
    try await withNode(inPlaceDepth: inPlaceDepth) { node in
      let db = try await node.spawn { SimpleDB($0) }
      let caller = try await node.spawn { Caller($0) }
      _ = try await db.call(SimpleDB.set, "k", "v")
      for _ in 0..<100 { #expect(try await caller.call(Caller.get, db, "k") == "v") }
    }
  }

  @Test(arguments: [16, 0])
  func `what a handler throws reaches the caller as it is`(inPlaceDepth: Int) async throws {
    try await withNode(inPlaceDepth: inPlaceDepth) { node in
      let db = try await node.spawn { SimpleDB($0) }
      await #expect(throws: Refusal(text: "no")) { try await db.call(SimpleDB.fail, "no") }
    }
  }

  @Test(arguments: [16, 0])
  func `the earlier of the caller's deadline and its own travels with a call`(inPlaceDepth: Int) async throws {
    try await withNode(inPlaceDepth: inPlaceDepth) { node in
      let db = try await node.spawn { SimpleDB($0) }
      let caller = try await node.spawn { Caller($0) }
      let early = MonotonicInstant.now.advanced(by: .seconds(100))
      let late = MonotonicInstant.now.advanced(by: .seconds(200))
      #expect(try await caller.call(Caller.deadline, db, .at(late), deadline: .at(early)) == early)
      #expect(try await caller.call(Caller.deadline, db, .at(early), deadline: .at(late)) == early)
      #expect(try await caller.call(Caller.deadline, db, .never, deadline: .at(late)) == late)
      #expect(try await caller.call(Caller.deadline, db, .never, deadline: .never) == nil)
      let soon = MonotonicInstant.now.advanced(by: .seconds(3))
      #expect(try await caller.call(Caller.asyncDeadline, db, deadline: .at(soon)) == soon)
      let past = MonotonicInstant(nanoseconds: 7)
      let code = await code { _ = try await caller.call(Caller.asyncDeadline, db, deadline: .at(past)) }
      #expect(code == .deadlineExceeded)
    }
  }

  @Test func `a call without an answer fails at its deadline, and its handler is cancelled`() async throws {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let code = await code { try await db.call(SimpleDB.sleep, .seconds(3_600), deadline: .after(.milliseconds(5))) }
      #expect(code == .deadlineExceeded)
      // The sleeping handler ended by its cancellation: else the orderly exit would wait for an hour.
      db.exit()
      #expect(await db.waitUntilGone() == .exited)
    }
  }

  @Test func `cancelling the caller ends the call and its handler`() async throws {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let call = Task { try await db.call(SimpleDB.sleep, .seconds(3_600), deadline: .never) }
      call.cancel()
      let code = await code { try await call.value }
      #expect(code == .cancelled)
      db.exit()
      #expect(await db.waitUntilGone() == .exited)
    }
  }

  @Test func `asynchronous handlers interleave, and other messages are answered meanwhile`() async throws {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let gate = Gate()
      async let first = db.call(SimpleDB.pass, gate, "1")
      async let second = db.call(SimpleDB.pass, gate, "2")
      #expect(try await db.call(SimpleDB.count) == 0)
      await gate.open()
      let both = try await [first, second]
      #expect(both == ["1", "2"])
      #expect(try await db.call(SimpleDB.get, "passed")?.count == 2)
    }
  }

  @Test func `no more handlers run at once than the limit says, and the rest follow`() async throws {
    try await withNode(options { $0.limits.suspendedHandlers = 3 }) { node in
      let db = try await node.spawn { SimpleDB($0) }
      let gate = Gate()
      try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<10 { group.addTask { try await db.call(SimpleDB.pass, gate, "\(number)") } }
        // Ten came, three run: seven stay, and stay.
        while db.unreadCount != 7 { await Task.yield() }
        for _ in 0..<100 { await Task.yield() }
        #expect(db.unreadCount == 7)
        await gate.open()
        for try await _ in group {}
      }
      #expect(try await db.call(SimpleDB.get, "passed")?.count == 10)
    }
  }

  @Test func `a full mailbox answers busy, to calls and to sends, and waiting senders get through`() async throws {
    try await withNode(options { $0.limits.mailbox = 4 }) { node in
      let db = try await node.spawn { SimpleDB($0) }
      let entered = Event()
      let goOn = Event()
      let blocking = Task { try await db.call(SimpleDB.block, entered, goOn, deadline: .never) }
      entered.wait()
      for number in 0..<4 { #expect(db.send(SimpleDB.set, "\(number)", "x") == .delivered) }
      #expect(db.send(SimpleDB.set, "4", "x") == .busy)
      #expect(await code { _ = try await db.call(SimpleDB.count) } == .busy)
      let senders = (10..<30).map { number in Task { try await db.sendWhenReady(SimpleDB.set, "\(number)", "x") } }
      goOn.signal()
      _ = try await blocking.value
      for sender in senders { try await sender.value }
      while db.unreadCount > 0 { await Task.yield() }
      #expect(try await db.call(SimpleDB.count) == 24)
    }
  }

  @Test func `a sender that waits for room gives up when it is cancelled or the service ends`() async throws {
    try await withNode(options { $0.limits.mailbox = 1 }) { node in
      let db = try await node.spawn { SimpleDB($0) }
      let entered = Event()
      let goOn = Event()
      let blocking = Task { try await db.call(SimpleDB.block, entered, goOn, deadline: .never) }
      entered.wait()
      #expect(db.send(SimpleDB.set, "a", "x") == .delivered)
      let cancelled = Task { try await db.sendWhenReady(SimpleDB.set, "b", "x") }
      cancelled.cancel()
      await #expect(throws: CancellationError.self) { try await cancelled.value }
      let orphan = Task { try await db.sendWhenReady(SimpleDB.set, "c", "x") }
      db.kill()
      goOn.signal()
      #expect(await code { try await orphan.value } == .noSuchService)
      _ = try await blocking.value
    }
  }

  @Test func `a one-way message that fails is logged with service, command and reason`() async throws {
    let book = LogBook()
    try await withNode(log: book.log) { node in
      let db = try await node.spawn(named: "db") { SimpleDB($0) }
      #expect(db.send(SimpleDB.fail, "why") == .delivered)
      _ = try await db.call(SimpleDB.count)
    }
    #expect(
      book.text.contains { $0.hasPrefix("error: a one-way message failed command=FAIL error=Refusal(text: \"why\")") })
  }

  @Test func `a service that floods itself lets others be served`() async throws {
    try await withNode(workers: 1) { node in
      let caller = try await node.spawn { Caller($0) }
      let db = try await node.spawn { SimpleDB($0) }
      let done = Event()
      #expect(caller.send(Caller.floodSelf, 200_000, done) == .delivered)
      for _ in 0..<100 { _ = try await db.call(SimpleDB.count) }
      done.wait()
    }
  }
}
