// A link against acceptors over a simulated network with loss, delay, RST, half-close, partition and crash.
//
// A schedule is a seed. One that fails is printed; SKEIN_SEED=seed, or several with commas, runs it alone.

import Foundation
import SkeinPlatform
import SkeinSocketIOTesting
import Testing

@testable import SkeinCluster

/// One schedule: a client that calls and sends for some seconds, a server that echoes in reverse, and faults.
private final class Schedule {
  struct Issued {
    let body: [UInt8]
    let deadline: MonotonicInstant
    /// The attempt whose end the kernel knew when the call was made.
    let endedAttempt: UInt64?
    var result: Result<[UInt8], ClusterError>?
  }

  private static let clientTimer: UInt64 = 1
  private static let nextRequest: UInt64 = 2
  private static let listenAgain: UInt64 = 3

  let seed: UInt64
  let network: SimulatedNetwork
  let client: SimulatedClient
  let server: SimulatedServer
  private var random: SplitMix64
  private var calls: [UInt64: Issued] = [:]
  private var executions: [UInt64: Int] = [:]
  private var requestsLeft: Int
  private var nextID: UInt64 = 1
  private var problems: [String] = []
  private let usesLarge: Bool

  init(seed: UInt64) {
    self.seed = seed
    var random = SplitMix64(state: seed)
    usesLarge = seed % 16 == 0
    requestsLeft = usesLarge ? 6 : 10
    var conditions = seed % 3 == 0 ? NetworkConditions.rough : NetworkConditions()
    conditions.closeDelay = .zero ... .milliseconds(Int.random(in: 0...200, using: &random))
    conditions.resetProbability = seed % 4 == 0 ? 0.01 : 0
    // Pieces of one byte are the codec's tests; here they would take the time of more schedules.
    conditions.segmentSize = usesLarge ? 2_000...16_384 : 16...2_000
    conditions.receivedSize = usesLarge ? 2_000...65_536 : 16...4_096
    network = SimulatedNetwork(seed: seed, conditions: conditions)
    var configuration = LinkConfiguration()
    configuration.connectTimeout = .seconds(2)
    configuration.closeTimeout = .seconds(1)
    configuration.keepsOrder = seed % 5 == 0
    configuration.window = seed % 2 == 0 ? 1 << 20 : 3_000
    client = SimulatedClient(
      LinkMachine(
        peer: "db2", directory: .address(SimulatedServer.address), configuration: configuration,
        introduction: seed % 2 == 0 ? [1, 2] : nil, seed: seed),
      network, timerTag: Self.clientTimer)
    var limits = AcceptorConfiguration()
    limits.maxRequestsInWork = 1 + Int(seed % 9)
    limits.maxUnreadAnswerBytes = seed % 2 == 0 ? 1 << 20 : 4_000
    limits.halfClosedTime = .seconds(3)
    server = SimulatedServer(network, seed: seed, configuration: limits) { _, random in
      // Some answers never come.
      if Int.random(in: 0..<30, using: &random) == 0 { return nil }
      return .microseconds(Int.random(in: 0...20_000, using: &random))
    }
    self.random = random
  }

  /// Runs it, and says what was wrong.
  func run() -> [String] {
    client.completed = { [unowned self] id, result in completed(id, result) }
    server.executed = { [unowned self] request in
      if request.kind != .nameQuery { executions[Self.id(of: request.body), default: 0] += 1 }
    }
    server.listen()
    network.schedule(faults())
    _ = network.wake(at: network.now, tag: Self.nextRequest)
    while let event = network.next(until: at(14)) { handle(event) }
    expectRecovery()
    client.tell { $0.shutDown(now: self.network.now) }
    while let event = network.next(until: at(60)) { handle(event) }
    check()
    return problems + client.problems
  }

  private func faults() -> FaultPlan {
    var entries: [FaultPlan.Entry] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let after = Duration.milliseconds(Int.random(in: 0...7_000, using: &random))
      let over = after + .milliseconds(Int.random(in: 1...3_000, using: &random))
      let (here, there) = (SimulatedClient.host, SimulatedServer.host)
      switch Int.random(in: 0..<7, using: &random) {
      case 0:
        let oneWay = Bool.random(using: &random)
        let (from, to) = Bool.random(using: &random) ? (here, there) : (there, here)
        entries.append(FaultPlan.Entry(after: after, fault: .partition(from, to, oneWay: oneWay)))
        entries.append(FaultPlan.Entry(after: over, fault: .heal(from, to, oneWay: oneWay)))
      case 1:
        entries.append(FaultPlan.Entry(after: after, fault: .crash(there)))
        entries.append(FaultPlan.Entry(after: over, fault: .restart(there)))
      case 2: entries.append(FaultPlan.Entry(after: after, fault: .kill(there)))
      case 3: entries.append(FaultPlan.Entry(after: after, fault: .reset(here)))
      case 4, 5: entries.append(FaultPlan.Entry(after: after, fault: .halfClose(there)))
      default: entries.append(FaultPlan.Entry(after: after, fault: .stallAccepts(there, over - after)))
      }
    }
    return FaultPlan(entries)
  }

  private func handle(_ event: NetworkEvent) {
    switch event {
    case .timer(Self.nextRequest): request()
    case .timer(Self.listenAgain): server.listen()
    case .fault(.crash(_)): server.vanish()
    case .fault(.restart(_)): server.listen()
    case .fault(.kill(_)):
      server.vanish()
      let pause = Duration.milliseconds(Int.random(in: 0...1_000, using: &random))
      _ = network.wake(at: network.now.advanced(by: pause), tag: Self.listenAgain)
    default:
      client.handle(event)
      server.handle(event)
    }
  }

  // MARK: Requests

  private func request() {
    // Bursts, so that calls wait together.
    for _ in 0..<(Int.random(in: 0..<4, using: &random) == 0 ? 3 : 1) {
      if Int.random(in: 0..<8, using: &random) == 0 {
        let receipt = client.link.send(to: .number(1_024), body: body(nextID), now: network.now)
        if receipt == .queued { nextID += 1 }
        client.tell { _ in }
      } else {
        call(.milliseconds(Int.random(in: 1...4_000, using: &random)), waits: Bool.random(using: &random))
      }
    }
    if Int.random(in: 0..<12, using: &random) == 0, nextID > 1 {
      let id = UInt64.random(in: 1..<nextID, using: &random)
      client.tell { $0.cancel(id, now: self.network.now) }
    }
    ownSide()
    requestsLeft -= 1
    let pause = Duration.milliseconds(Int.random(in: 0...1_500, using: &random))
    if requestsLeft > 0 { _ = network.wake(at: network.now.advanced(by: pause), tag: Self.nextRequest) }
  }

  /// Sometimes our own side ends the connection.
  private func ownSide() {
    switch Int.random(in: 0..<60, using: &random) {
    case 0: client.tell { $0.disconnect(reason: "maintenance", now: self.network.now) }
    case 1:
      client.tell { $0.setDown(now: self.network.now) }
      client.tell { $0.setAddress(SimulatedServer.address, now: self.network.now) }
    case 2: client.tell { $0.peerSaidHello(now: self.network.now) }
    default: break
    }
  }

  private func call(_ time: Duration, waits: Bool) {
    let id = nextID
    nextID += 1
    let now = network.now
    let ended = client.link.isUp && client.kernelKnowsEnd ? client.attempt : nil
    let issued = Issued(body: body(id), deadline: now.advanced(by: time), endedAttempt: ended)
    calls[id] = issued
    client.tell {
      $0.call(
        id, to: .number(1_024), body: issued.body, deadline: issued.deadline, waitsForConnection: waits, now: now)
    }
  }

  private func body(_ id: UInt64) -> [UInt8] {
    let size = usesLarge && id % 3 == 0 ? 40_000 : Int(id % 4) * 20
    return (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * UInt64($0))) } + [UInt8](repeating: 5, count: size)
  }

  private static func id(of body: [UInt8]) -> UInt64 { body.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  private func completed(_ id: UInt64, _ result: Result<[UInt8], ClusterError>) {
    guard let issued = calls[id] else { return problems.append("call \(id) is not ours") }
    if issued.result != nil { problems.append("call \(id) ended twice") }
    calls[id]?.result = result
    if network.now > issued.deadline { problems.append("call \(id) ended after its deadline") }
    switch result {
    case .success(let body): if body != issued.body.reversed() { problems.append("call \(id) has a wrong answer") }
    case .failure(let error):
      if error.code == .answerLost, let ended = issued.endedAttempt, client.link.attempt == ended {
        problems.append("call \(id) was written after the peer's FIN")
      }
    }
  }

  // MARK: The end

  /// After the last fault a call gets through, however bad it was.
  private func expectRecovery() {
    server.duration = { _, _ in .zero }
    network.conditions.resetProbability = 0
    let id = nextID
    call(.seconds(40), waits: true)
    while calls[id]?.result == nil, let event = network.next(until: at(56)) { handle(event) }
    // A connection that was cut off may still fail what is written to it; the next call gets a new one.
    if case .failure(let error) = calls[id]?.result, error.code != .answerLost && error.code != .deadlineExceeded {
      problems.append("the last call failed: \(error)")
    }
    if calls[id]?.result == nil { problems.append("the last call did not end") }
  }

  private func check() {
    for (id, issued) in calls {
      let times = executions[id, default: 0]
      switch issued.result {
      case nil: problems.append("call \(id) did not end")
      case .success: if times != 1 { problems.append("call \(id) was answered and executed \(times) times") }
      case .failure(let error):
        if times > 1 { problems.append("call \(id) was executed \(times) times") }
        if times > 0 && !error.mayHaveExecuted {
          problems.append("call \(id) was executed, and said not to be: \(error)")
        }
      }
    }
    if executions.values.contains(where: { $0 > 1 }) { problems.append("a request was executed twice") }
    if client.link.unknownAnswers > 0 { problems.append("something was answered twice") }
    if !network.openConnections(of: SimulatedClient.host).isEmpty { problems.append("a connection was left open") }
    if !client.link.calls.isEmpty || !client.link.queue.isEmpty { problems.append("something is left in the link") }
  }
}

@Suite("Simulated network") struct SimulationTests {
  private static let schedules = isPureSoak ? 1_000_000 : 10_000
  private static let chunks = 16
  private static let onlySeeds = ProcessInfo.processInfo.environment["SKEIN_SEED"].map {
    $0.split(separator: ",").compactMap { UInt64($0) }
  }

  @Test(arguments: 0..<chunks)
  func `every call ends once, in time and with the right answer, whatever the network does`(chunk: Int) {
    var seeds = Array(stride(from: UInt64(chunk), to: UInt64(Self.schedules), by: Self.chunks))
    if let only = Self.onlySeeds { seeds = chunk == 0 ? only : [] }
    for seed in seeds {
      let problems = Schedule(seed: seed).run()
      if !problems.isEmpty { Issue.record("SKEIN_SEED=\(seed): \(problems)") }
    }
  }

  @Test func `a seed is a schedule: run again it is the same, event by event`() {
    for seed in [0, 1, 2, 15, 16] as [UInt64] {
      let first = Schedule(seed: seed)
      let second = Schedule(seed: seed)
      #expect(first.run() == second.run())
      #expect(first.network.checksum == second.network.checksum && first.network.now == second.network.now)
    }
  }

  @Test func `a call after the peer's FIN has reached the kernel succeeds, each time`() {
    let rounds = isPureSoak ? 100_000 : 10_000
    var conditions = NetworkConditions()
    conditions.loss = 0
    // The kernel knows of the FIN some time before the link does.
    conditions.wakeDelay = .zero ... .milliseconds(10)
    conditions.closeDelay = .zero ... .milliseconds(10)
    conditions.segmentSize = 64...2_000
    let network = SimulatedNetwork(seed: 7, conditions: conditions)
    let client = SimulatedClient(
      LinkMachine(peer: "db2", directory: .address(SimulatedServer.address), seed: 7), network, timerTag: 1)
    let server = SimulatedServer(network, seed: 7) { _, _ in .zero }
    server.closesAfterAnswer = true
    server.listen()
    var random = SplitMix64(state: 7)
    var results: [Bool] = []
    var isDone = true
    var unseen = 0
    client.completed = { _, result in
      results.append((try? result.get()) != nil)
      isDone = true
    }
    for round in 1...UInt64(rounds) {
      isDone = false
      if client.link.isUp && client.kernelKnowsEnd { unseen += 1 }
      let now = network.now
      client.tell {
        $0.call(round, to: .number(1), body: [1, 2], deadline: now.advanced(by: .seconds(5)), now: now)
      }
      while !isDone, let event = network.next() {
        client.handle(event)
        server.handle(event)
      }
      // Until the FIN has reached our kernel, told or not; then at once, or a little later.
      while client.link.isUp && !client.kernelKnowsEnd, let event = network.next() {
        client.handle(event)
        server.handle(event)
      }
      let pause = Duration.microseconds([0, 0, 500, 20_000][Int.random(in: 0..<4, using: &random)])
      let end = network.now.advanced(by: pause)
      while let event = network.next(until: end) {
        client.handle(event)
        server.handle(event)
      }
    }
    #expect(results.count == rounds && results.allSatisfy { $0 })
    #expect(unseen > rounds / 4)
    #expect(client.link.unknownAnswers == 0)
    #expect(client.problems.isEmpty)
  }
}
