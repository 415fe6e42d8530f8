import Skein
import SkeinPlatform
import Testing

@Suite("Life of services", .serialized) struct LifeTests {
  @Test func `names are unique, found, waited for, and free again after the exit`() async throws {
    try await withNode { node in
      async let waited = node.waitForService(SimpleDB.self, named: "db")
      let db = try await node.spawn(named: "db") { SimpleDB($0) }
      #expect(try await waited == db)
      #expect(try node.query(SimpleDB.self, named: "db") == db)
      #expect(try node.query(SimpleDB.self, named: "other") == nil)
      #expect(throws: SpawnError.wrongType(name: "db", is: "SimpleDB")) { try node.query(Caller.self, named: "db") }
      await #expect(throws: SpawnError.nameTaken("db")) { try await node.spawn(named: "db") { SimpleDB($0) } }
      db.exit()
      #expect(await db.waitUntilGone() == .exited)
      #expect(try node.query(SimpleDB.self, named: "db") == nil)
      let next = try await node.spawn(named: "db") { SimpleDB($0) }
      #expect(next != db && next.id != db.id && next.id >= 1_024)
    }
  }

  @Test func `waiting for a name ends at its deadline`() async throws {
    try await withNode { node in
      await #expect(throws: SpawnError.noSuchName("never")) {
        _ = try await node.waitForService(SimpleDB.self, named: "never", deadline: .milliseconds(3))
      }
    }
  }

  @Test func `an error while a service is made or started makes the spawn fail and frees the name`() async throws {
    try await withNode { node in
      await #expect(throws: Refusal(text: "init")) {
        _ = try await node.spawn(named: "x") { (_: SkeinContext) throws -> SimpleDB in throw Refusal(text: "init") }
      }
      await #expect(throws: Refusal(text: "start")) { _ = try await node.spawn(named: "x") { BadStart($0) } }
      _ = try await node.spawn(named: "x") { SimpleDB($0) }
      // What never started goes in its own time.
      while node.serviceCount != 1 { await Task.yield() }
    }
  }

  @Test func `an orderly exit refuses unread requests, lets handlers end, and calls stop`() async throws {
    try await withNode { node in
      let stopped = Event()
      let db = try await node.spawn { SimpleDB($0, stopped: stopped) }
      let gate = Gate()
      let entered = Event()
      let done = Event()
      let running = Task { try await db.call(SimpleDB.stubborn, gate, entered, done) }
      entered.wait()
      db.exit()
      while await code({ _ = try await db.call(SimpleDB.count) }) != .noSuchService { await Task.yield() }
      #expect(stopped.value == 0)
      #expect(db.send(SimpleDB.set, "a", "b") == .noSuchService)
      await gate.open()
      try await running.value
      #expect(done.value == 1)
      #expect(await db.waitUntilGone() == .exited)
      #expect(stopped.value == 1)
    }
  }

  @Test func `a kill answers unread and running requests at once and ends what honours cancellation`() async throws {
    try await withNode { node in
      let stopped = Event()
      let db = try await node.spawn { SimpleDB($0, stopped: stopped) }
      let asleep = Event()
      let running = Task { try await db.call(SimpleDB.nap, asleep, deadline: .never) }
      // Else it may be one of the five unread ones below.
      asleep.wait()
      let entered = Event()
      let goOn = Event()
      let blocking = Task { try await db.call(SimpleDB.block, entered, goOn, deadline: .never) }
      entered.wait()
      let unread = (0..<5).map { _ in Task { try await db.call(SimpleDB.count, deadline: .never) } }
      while db.unreadCount < 5 { await Task.yield() }
      db.kill()
      goOn.signal()
      for call in unread { #expect(await code { _ = try await call.value } == .serviceExited) }
      #expect(await code { try await running.value } == .serviceExited)
      _ = try await blocking.value
      #expect(await db.waitUntilGone() == .killed)
      #expect(stopped.value == 0)
    }
  }

  @Test func `a handler that ignores its cancellation is a zombie, counted and logged until it ends`() async throws {
    let book = LogBook()
    try await withNode(log: book.log) { node in
      let db = try await node.spawn(named: "db") { SimpleDB($0) }
      let gate = Gate()
      let entered = Event()
      let done = Event()
      let call = Task { try await db.call(SimpleDB.stubborn, gate, entered, done, deadline: .never) }
      entered.wait()
      db.kill()
      #expect(await code { try await call.value } == .serviceExited)
      while node.zombieCount == 0 { await Task.yield() }
      #expect(node.serviceCount == 1)
      await gate.open()
      #expect(await db.waitUntilGone() == .killed)
      done.wait()
      #expect(node.zombieCount == 0)
      #expect(node.serviceCount == 0)
    }
    #expect(book.text.contains("warning: a killed service has handlers that have not ended handlers=1 service=db"))
  }

  @Test func `a killed service can neither call nor send any more`() async throws {
    try await withNode { node in
      let db = try await node.spawn { SimpleDB($0) }
      let caller = try await node.spawn { Caller($0) }
      let gate = Gate()
      let entered = Event()
      let outcome = Outcome()
      #expect(caller.send(Caller.lateCall, db, gate, entered, outcome) == .delivered)
      entered.wait()
      caller.kill()
      while node.zombieCount == 0 { await Task.yield() }
      await gate.open()
      outcome.done.wait()
      #expect(outcome.value.withLock { $0?.0 } == .callerExited)
      #expect(outcome.value.withLock { $0?.1 } == .callerExited)
      #expect(try await db.call(SimpleDB.count) == 0)
    }
  }

  @Test func `services are released when they are gone`() async throws {
    try await withNode { node in
      let gone = Event()
      for _ in 0..<200 {
        let service = try await node.spawn { Held($0, gone) }
        service.exit()
        _ = await service.waitUntilGone()
      }
      gone.wait(200)
      #expect(node.serviceCount == 0)
    }
  }

  @Test func `the number of services is limited`() async throws {
    try await withNode(options { $0.services = 2 }) { node in
      _ = try await node.spawn { SimpleDB($0) }
      _ = try await node.spawn { SimpleDB($0) }
      await #expect(throws: SpawnError.full(limit: 2)) { _ = try await node.spawn { SimpleDB($0) } }
    }
  }

  @Test func `shutting a node down ends every service in order and refuses new ones`() async throws {
    let stopped = Event()
    var options = NodeOptions()
    options.sockets = nil
    options.log = .silent
    let node = try SkeinNode(options)
    for _ in 0..<10 { _ = try await node.spawn { SimpleDB($0, stopped: stopped) } }
    await node.shutDown()
    #expect(stopped.value == 10)
    await #expect(throws: SpawnError.shuttingDown) { _ = try await node.spawn { SimpleDB($0) } }
    await node.shutDown()
    node.run()
  }

  @Test func `handlers that never end do not hold up a node's end, and are named in the log`() async throws {
    let book = LogBook()
    var options = NodeOptions()
    options.workers = 2
    options.sockets = nil
    options.log = book.log
    let node = try SkeinNode(options)
    let stubborn = try await node.spawn(named: "stubborn") { SimpleDB($0) }
    let blocked = try await node.spawn(named: "blocked") { SimpleDB($0) }
    let gate = Gate()
    let entered = Event()
    let goOn = Event()
    let done = Event()
    #expect(stubborn.send(SimpleDB.stubborn, gate, entered, done) == .delivered)
    #expect(blocked.send(SimpleDB.block, entered, goOn) == .delivered)
    entered.wait(2)
    await node.shutDown(grace: .milliseconds(10))
    let line = book.text.first { $0.hasPrefix("error: services have not ended") } ?? ""
    #expect(line.contains("stubborn") && line.contains("blocked"))
    goOn.signal()
    await gate.open()
  }

  @Test func `an exclusive service blocks nobody but itself`() async throws {
    try await withNode(workers: 1) { node in
      var limits = ServiceLimits()
      limits.isExclusive = true
      let blocked = try await node.spawn(limits: limits) { SimpleDB($0) }
      let free = try await node.spawn { SimpleDB($0) }
      let entered = Event()
      let goOn = Event()
      let call = Task { try await blocked.call(SimpleDB.block, entered, goOn, deadline: .never) }
      entered.wait()
      #expect(try await free.call(SimpleDB.count) == 0)
      goOn.signal()
      try await call.value
    }
  }
}

actor BadStart: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }
  func start() throws { throw Refusal(text: "start") }
}

actor Held: SkeinService {
  nonisolated let context: SkeinContext
  let gone: Event
  init(_ context: SkeinContext, _ gone: Event) {
    self.context = context
    self.gone = gone
  }
  deinit { gone.signal() }
}
