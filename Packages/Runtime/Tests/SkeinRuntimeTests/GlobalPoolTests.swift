import Glibc
import Skein
import SkeinPlatform
import SkeinSchedulerTesting
import Testing

/// In a process of its own: the hooks are the process's, and Swift Testing's tasks live on the global pool.
@Suite("Global pool") struct GlobalPoolTests {
  @Test func `no job of services, their calls, sleeps and plain tasks reaches Swift's global pool`() async {
    await #expect(processExitsWith: .success) {
      var options = NodeOptions()
      options.sockets = nil
      options.log = .silent
      options.limits.mailbox = 2
      let node = try SkeinNode(options)
      let db = try await node.spawn { SimpleDB($0) }
      let slow = try await node.spawn { SimpleDB($0) }
      var exclusive = options.limits
      exclusive.isExclusive = true
      let blocked = try await node.spawn(limits: exclusive) { SimpleDB($0) }
      let worker = try await node.spawn { Busy($0, db, slow, blocked) }
      GlobalPoolCheck.begin()
      let done = Event()
      _ = worker.send(Busy.work, done)
      done.wait()
      GlobalPoolCheck.end()
    }
  }
}

/// Does everything that may suspend.
actor Busy: SkeinService {
  nonisolated let context: SkeinContext
  let db: ServiceRef<SimpleDB>
  let slow: ServiceRef<SimpleDB>
  let blocked: ServiceRef<SimpleDB>
  init(
    _ context: SkeinContext, _ db: ServiceRef<SimpleDB>, _ slow: ServiceRef<SimpleDB>, _ blocked: ServiceRef<SimpleDB>
  ) {
    self.context = context
    self.blocked = blocked
    self.db = db
    self.slow = slow
  }

  static let work = Command("WORK") { (busy: isolated Busy, done: Event) async in
    do {
      try await busy.callAndSleep()
      // A task without a preference: its actor's executor is all that holds it.
      let plain = Task { try await busy.callAndSleep() }
      try await plain.value
      try await busy.failAndWait()
    } catch { exit(10) }
    done.signal()
  }

  func callAndSleep() async throws {
    for number in 0..<20 {
      _ = try await db.call(SimpleDB.set, "\(number)", "x")
      try await slow.call(SimpleDB.sleep, .milliseconds(1))
      try await context.sleep(for: .milliseconds(1))
      try await db.sendWhenReady(SimpleDB.set, "\(number)", "y")
    }
  }

  func failAndWait() async throws {
    let late = await code { try await slow.call(SimpleDB.sleep, .seconds(9), deadline: .after(.milliseconds(2))) }
    let cancelled = Task { try await slow.call(SimpleDB.sleep, .seconds(9)) }
    cancelled.cancel()
    let gaveUp = await code { try await cancelled.value }
    guard late == .deadlineExceeded && gaveUp == .cancelled else { exit(11) }
    let entered = Event()
    let goOn = Event()
    let blocking = Task { try await blocked.call(SimpleDB.block, entered, goOn) }
    while entered.value == 0 { try await context.sleep(for: .milliseconds(1)) }
    let senders = (0..<8).map { number in Task { try await blocked.sendWhenReady(SimpleDB.set, "\(number)", "x") } }
    goOn.signal()
    try await blocking.value
    for sender in senders { try await sender.value }
    do { _ = try await context.node.waitForService(SimpleDB.self, named: "never", deadline: .milliseconds(2)) } catch {}
    let other = try await context.node.spawn { SimpleDB($0) }
    other.exit()
    _ = await other.waitUntilGone()
  }
}
