import Skein
import SkeinCluster
import SkeinPlatform
import SkeinSerialization
import SkeinSocketIO
import Testing

/// A service whose commands peers may call.
private actor Ledger: SkeinService {
  nonisolated let context: SkeinContext
  private var table: [String: String] = [:]
  private var notes: [Int] = []
  init(_ context: SkeinContext) { self.context = context }

  static let get = Command("GET") { (ledger: isolated Ledger, key: String) in ledger.table[key] }
  static let set = Command("SET") { (ledger: isolated Ledger, key: String, value: String?) in
    ledger.table.updateValue(value ?? "nothing", forKey: key)
  }
  static let add = Command("ADD") { (_: isolated Ledger, a: Int, b: Int, c: Int) async in a + b + c }
  static let note = Command("NOTE") { (ledger: isolated Ledger, number: Int) in ledger.notes.append(number) }
  static let notes = Command("NOTES") { (ledger: isolated Ledger) in ledger.notes }
  static let fail = Command("FAIL") { (_: isolated Ledger) throws -> Int in throw Refusal(text: "no money left") }
  static let hang = Command("HANG") { (ledger: isolated Ledger) async throws in
    try await ledger.context.sleep(for: .seconds(3_600))
  }
  static let slow = Command("SLOW") { (ledger: isolated Ledger) async throws in
    try await ledger.context.sleep(for: .milliseconds(20))
    return 20
  }
  static let local = Command("LOCAL") { (_: isolated Ledger, _: LocalOnly) in 1 }
  static let commands: CommandTable<Ledger> = [get, set, add, note, notes, fail, hang, slow, local]
}

private struct LocalOnly: Sendable {}

@Suite("Nodes in a cluster") struct ClusterTests {
  private struct Pair {
    let a: SkeinNode
    let b: SkeinNode
    let ledger: ServiceRef<Ledger>
    let log: LogBook
    var far: RemoteServiceRef<Ledger> { a.cluster.service(Ledger.self, node: "b", name: "ledger") }
  }

  /// Two nodes that know each other; `b` exports a ledger.
  private func withPair(
    _ backend: SocketBackend, _ body: (Pair) async throws -> Void
  ) async throws {
    let log = LogBook()
    func options(_ name: String) -> NodeOptions {
      var options = NodeOptions()
      options.name = name
      options.workers = 2
      options.log = log.log
      options.sockets = SocketOptions()
      options.sockets?.backend = backend
      return options
    }
    let a = try SkeinNode(options("a"))
    let b = try SkeinNode(options("b"))
    let address = try b.cluster.open(on: .loopback(port: 0))
    let ledger = try await b.spawn(named: "local-ledger") { Ledger($0) }
    b.cluster.register("ledger", ledger)
    a.cluster.reload(["b": .address("\(address)")])
    do {
      try await body(Pair(a: a, b: b, ledger: ledger, log: log))
    } catch {
      await a.shutDown()
      await b.shutDown()
      throw error
    }
    await a.shutDown()
    await b.shutDown()
  }

  private func failure(_ body: () async throws -> Void) async throws -> ClusterError {
    do { try await body() } catch let error as ClusterError { return error }
    throw Refusal(text: "nothing was thrown")
  }

  @Test(arguments: backends)
  func `a service of another node is called as a local one`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      try await #expect(pair.far.call(Ledger.set, "hello", "world") == nil)
      try await #expect(pair.far.call(Ledger.set, "hello", "again") == "world")
      try await #expect(pair.far.call(Ledger.get, "hello") == "again")
      try await #expect(pair.far.call(Ledger.get, "nothing") == nil)
      try await #expect(pair.far.call(Ledger.add, 1, 20, 300) == 321)
      try await pair.far.call(Ledger.note, 7)
      try await #expect(pair.far.call(Ledger.notes) == [7])
      try await #expect(pair.ledger.call(Ledger.get, "hello") == "again")
    }
  }

  @Test(arguments: backends)
  func `values go by name, and by every form of address of what is exported`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let cluster = pair.a.cluster
      try await #expect(cluster.call("b", "@ledger", "SET", "k", "v") == [.nil])
      let id = try await cluster.query("b", "ledger")
      #expect(id == pair.ledger.id && id >= 1_024)
      for address in ["@ledger", ".local-ledger", "\(id)", ":" + String(id, radix: 16)] {
        try await #expect(cluster.call("b", address, "GET", "k") == ["v"], "\(address)")
      }
      // A missing argument at the end is nil, as in Lua.
      try await #expect(cluster.call("b", "@ledger", "SET", "k") == ["v"])
      try await #expect(cluster.call("b", "@ledger", "GET", "k") == ["nothing"])
      // What returns nothing answers with no value.
      try await #expect(cluster.call("b", "@ledger", "NOTE", 1) == [])
    }
  }

  @Test(arguments: backends)
  func `nothing that is not exported can be reached`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let hidden = try await pair.b.spawn(named: "hidden") { Ledger($0) }
      for address in ["@hidden", ".hidden", "\(hidden.id)", "0", "1", "1023", ":1", ":zz", "hidden"] {
        let error = try await failure { _ = try await pair.a.cluster.call("b", address, "NOTES") }
        #expect(error.code == .remoteError, "\(address)")
      }
      try await #expect(failure { _ = try await pair.a.cluster.query("b", "hidden") }.text == "name not found")
      try await #expect(failure { _ = try await pair.a.cluster.call("b", "@hidden") }.text == "Invalid name")
      pair.b.cluster.unregister("ledger")
      try await #expect(failure { _ = try await pair.far.call(Ledger.notes) }.text == "Invalid name")
      #expect(pair.b.cluster.exportedNames.isEmpty)
    }
  }

  @Test(arguments: backends)
  func `what goes wrong is answered with the reason`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let cases: [(arguments: [Value], reason: String)] = [
        (["FAIL"], "no money left"), (["NOPE"], "call failed: ledger has no command NOPE for peers"),
        (["LOCAL", 1], "call failed: ledger has no command LOCAL for peers"),
        (["GET", 5], "call failed: the arguments of GET of ledger cannot be read"),
        (["GET"], "the arguments of GET"), (["GET", "a", "b"], "the arguments of GET"),
        ([], "the command's name of ledger"), ([7], "the command's name of ledger"),
      ]
      for (arguments, reason) in cases {
        let error = try await failure { _ = try await pair.a.cluster.call("b", "@ledger", arguments: arguments) }
        #expect(error.code == .remoteError && error.text?.contains(reason) == true, "\(error)")
      }
      // The first, second, fourth and eighth have a line in the log.
      let lines = pair.log.text.filter { $0.contains("a peer's call has failed") }
      #expect(lines.count == 4 && lines[0].contains("no money left") && lines[1].contains("no command NOPE"))
    }
  }

  @Test(arguments: backends)
  func `sends arrive in order, and one that is refused is logged`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      for number in 0..<100 { try #expect(pair.far.send(Ledger.note, number) == .queued) }
      try await #expect(pair.far.call(Ledger.notes) == Array(0..<100))
      try #expect(pair.a.cluster.send("b", "@nobody", "NOTE", 1) == .queued)
      try #expect(pair.a.cluster.send("b", "@ledger", "NOPE") == .queued)
      try await #expect(pair.far.call(Ledger.notes).count == 100)
      let lines = pair.log.text.filter { $0.contains("a peer's message was dropped") }
      #expect(lines.count == 2 && lines[0].contains("@nobody") && lines[1].contains("NOPE"))
    }
  }

  @Test(arguments: backends)
  func `a service that exits fails its callers, also those of other nodes`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let far = pair.far
      let hanging = Task { try await failure { try await far.call(Ledger.hang) } }
      // The call after it is answered, so it has arrived.
      _ = try await far.call(Ledger.notes)
      pair.ledger.kill()
      try await #expect(hanging.value.text?.contains("service exited") == true)
      try await #expect(failure { _ = try await far.call(Ledger.notes) }.text?.contains("no such service") == true)
    }
  }

  @Test(arguments: backends)
  func `a node that shuts down fails what waits on it, and is down for its peers`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let far = pair.far
      let hanging = Task { try await failure { try await far.call(Ledger.hang) } }
      _ = try await far.call(Ledger.notes)
      await pair.b.shutDown(grace: .milliseconds(50))
      let error = try await hanging.value
      #expect(error.mayHaveExecuted)
      try await #expect(failure { _ = try await far.call(Ledger.notes) }.code == .connectFailed)
    }
  }

  @Test(arguments: backends)
  func `a node that shuts down answers what peers have asked before`(backend: SocketBackend) async throws {
    try await withPair(backend) { pair in
      let far = pair.far
      let changes = pair.b.cluster.stateChanges()
      let asked = Task { try await far.call(Ledger.slow) }
      while try await far.call(Ledger.notes) != [] || pair.b.cluster.inbound.map(\.requestsInWork) == [0] {}
      await pair.b.shutDown()
      try await #expect(asked.value == 20)
      // Whoever follows the changes is told that there are no more.
      while await changes.next() != nil {}
    }
  }
}
