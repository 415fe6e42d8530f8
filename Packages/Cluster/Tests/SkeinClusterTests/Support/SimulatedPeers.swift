// SimulatedPeers: the drivers of a link and of acceptors over a simulated network, as their contracts want them.

import SkeinPlatform
import SkeinSocketIOTesting

@testable import SkeinCluster

/// What a driver holds of one connection: bytes that the network has no room for yet.
struct Outbox {
  var waiting: [UInt8] = []
  /// Bytes that the network has taken.
  var sent = 0
  /// Close when all is written.
  var closes = false
  var isOver = false

  /// Writes what there is room for.
  mutating func flush(_ id: SimulatedNetwork.ConnectionID, _ network: SimulatedNetwork) {
    if isOver { return }
    if !waiting.isEmpty, case .accepted(let count) = network.send(waiting, on: id) {
      waiting.removeFirst(count)
      sent += count
    }
    if closes && waiting.isEmpty { close(id, network) }
  }

  mutating func close(_ id: SimulatedNetwork.ConnectionID, _ network: SimulatedNetwork) {
    if isOver { return }
    isOver = true
    network.close(id)
  }

  mutating func abort(_ id: SimulatedNetwork.ConnectionID, _ network: SimulatedNetwork) {
    if isOver { return }
    isOver = true
    network.abort(id)
  }
}

/// Drives one link.
final class SimulatedClient {
  static let host = "10.0.0.1"

  var link: LinkMachine
  let network: SimulatedNetwork
  let timerTag: UInt64
  var connection: SimulatedNetwork.ConnectionID?
  var attempt: UInt64 = 0
  private var outbox = Outbox()
  private var timer: SimulatedNetwork.TimerID?
  /// Told of each finished call.
  var completed: (UInt64, Result<[UInt8], ClusterError>) -> Void = { _, _ in }
  var problems: [String] = []

  init(_ link: LinkMachine, _ network: SimulatedNetwork, timerTag: UInt64) {
    self.link = link
    self.network = network
    self.timerTag = timerTag
  }

  /// Whether the kernel knows that the present connection has ended.
  var kernelKnowsEnd: Bool { connection.map(network.hasEnded) ?? false }

  func tell(_ event: (inout LinkMachine) -> Void) {
    event(&link)
    carryOut()
  }

  private func carryOut() {
    while true {
      let actions = link.takeActions()
      if actions.isEmpty { return }
      for action in actions { carryOut(action) }
    }
  }

  private func carryOut(_ action: LinkAction) {
    switch action {
    case .connect(let address, let attempt):
      if connection != nil { problems.append("a second connection") }
      self.attempt = attempt
      outbox = Outbox()
      connection = network.connect(from: Self.host, to: address)
    case .checkConnection(let attempt): link.checked(attempt, peerHasEnded: kernelKnowsEnd, now: network.now)
    case .write:
      let output = link.takeOutput()
      if !output.isEmpty && (connection == nil || outbox.closes || outbox.isOver) {
        problems.append("written too late")
      }
      outbox.waiting += output
      flush()
    case .close:
      outbox.closes = true
      flush()
    case .abort: if let connection { outbox.abort(connection, network) }
    case .checkProgress(let attempt): link.closing(attempt, sentBytes: outbox.sent, now: network.now)
    case .complete(let id, let result): completed(id, result)
    case .arm(let time):
      if let timer { _ = network.cancel(timer) }
      timer = network.wake(at: time, tag: timerTag)
    case .disarm:
      if let timer { _ = network.cancel(timer) }
      timer = nil
    case .stateChanged, .log: break
    }
  }

  private func flush() {
    guard let connection else { return }
    outbox.flush(connection, network)
    link.sentBytes(attempt, outbox.sent)
  }

  /// Handles what concerns this client.
  func handle(_ event: NetworkEvent) {
    let now = network.now
    let attempt = attempt
    switch event {
    case .timer(timerTag):
      timer = nil
      tell { $0.timerFired(now: now) }
    case .connected(connection): tell { $0.connected(attempt, now: now) }
    case .connectFailed(connection, let error):
      connection = nil
      tell { $0.connectFailed(attempt, SystemCallError(call: "connect", errorNumber: error), now: now) }
    case .received(connection, let bytes): tell { link in bytes.withRawSpan { link.received(attempt, $0, now: now) } }
    case .receivedEnd(connection): tell { $0.inputEnded(attempt, now: now) }
    case .failed(connection, let error):
      tell { $0.failed(attempt, SystemCallError(call: "recv", errorNumber: error), now: now) }
      if let connection { outbox.close(connection, network) }
    case .writable(connection):
      flush()
      carryOut()
    case .closed(connection):
      connection = nil
      tell { $0.connectionClosed(attempt, now: now) }
    default: break
    }
  }
}

/// Drives the acceptors of one host.
final class SimulatedServer {
  static let host = "10.0.0.2"
  static let address = "10.0.0.2:7000"
  static let timers: UInt64 = 1 << 62

  private struct Inbound {
    var acceptor: AcceptorMachine
    var outbox = Outbox()
  }

  private struct Work {
    let connection: SimulatedNetwork.ConnectionID
    let request: ClusterRequest
  }

  let network: SimulatedNetwork
  private var inbound: [SimulatedNetwork.ConnectionID: Inbound] = [:]
  private var listener: SimulatedNetwork.ListenerID?
  private var work: [UInt64: Work] = [:]
  private var nextTag = SimulatedServer.timers
  private var timersOf: [UInt64: SimulatedNetwork.ConnectionID] = [:]
  private var random: SplitMix64
  let configuration: AcceptorConfiguration
  /// Told of each request that is executed.
  var executed: (ClusterRequest) -> Void = { _ in }
  /// How long a request takes; nil for ever.
  var duration: (ClusterRequest, inout SplitMix64) -> Duration?
  /// Whether the connection is closed after the answer.
  var closesAfterAnswer = false

  init(
    _ network: SimulatedNetwork, seed: UInt64, configuration: AcceptorConfiguration = AcceptorConfiguration(),
    duration: @escaping (ClusterRequest, inout SplitMix64) -> Duration?
  ) {
    self.network = network
    self.configuration = configuration
    self.duration = duration
    random = SplitMix64(state: seed)
  }

  func listen() { if listener == nil { listener = try? network.listen(on: Self.address) } }

  /// The process is gone, or its host; the kernel's part is the network's.
  func vanish() {
    inbound = [:]
    work = [:]
    timersOf = [:]
    listener = nil
  }

  private func tell(_ id: SimulatedNetwork.ConnectionID, _ event: (inout AcceptorMachine) -> Void) {
    guard inbound[id] != nil else { return }
    event(&inbound[id]!.acceptor)
    while let actions = inbound[id]?.acceptor.takeActions(), !actions.isEmpty {
      for action in actions { carryOut(id, action) }
    }
  }

  private func carryOut(_ id: SimulatedNetwork.ConnectionID, _ action: AcceptorAction) {
    guard inbound[id] != nil else { return }
    switch action {
    case .deliver(let request):
      executed(request)
      inbound[id]!.acceptor.handedOver(now: network.now)
      guard request.kind != .push, let time = duration(request, &random) else { return }
      nextTag += 1
      work[nextTag] = Work(connection: id, request: request)
      _ = network.wake(at: network.now.advanced(by: time), tag: nextTag)
    case .write:
      inbound[id]!.outbox.waiting += inbound[id]!.acceptor.takeOutput()
      inbound[id]!.outbox.flush(id, network)
      inbound[id]!.acceptor.sentBytes(inbound[id]!.outbox.sent, now: network.now)
    case .pauseReading: network.pauseReading(id)
    case .resumeReading: network.resumeReading(id)
    case .close:
      inbound[id]!.outbox.closes = true
      inbound[id]!.outbox.flush(id, network)
    case .abort: inbound[id]!.outbox.abort(id, network)
    case .arm(let time):
      nextTag += 1
      timersOf[nextTag] = id
      _ = network.wake(at: time, tag: nextTag)
    case .disarm, .log: break
    }
  }

  private func answer(_ job: Work) {
    let now = network.now
    tell(job.connection) { $0.answer(job.request.id, body: job.request.body.reversed(), now: now) }
    guard closesAfterAnswer, inbound[job.connection] != nil else { return }
    inbound[job.connection]!.acceptor.ended()
    inbound[job.connection]!.outbox.closes = true
    inbound[job.connection]!.outbox.flush(job.connection, network)
  }

  /// Handles what concerns this server.
  func handle(_ event: NetworkEvent) {
    let now = network.now
    switch event {
    case .accepted(let id, _, _): inbound[id] = Inbound(acceptor: AcceptorMachine(configuration: configuration))
    case .received(let id, let bytes): tell(id) { acceptor in bytes.withRawSpan { acceptor.received($0, now: now) } }
    case .receivedEnd(let id): tell(id) { $0.inputEnded(now: now) }
    case .failed(let id, _):
      tell(id) { $0.ended() }
      inbound[id]?.outbox.close(id, network)
    case .writable(let id):
      guard inbound[id] != nil else { return }
      inbound[id]!.outbox.flush(id, network)
      let waiting = inbound[id]!.outbox.waiting.count
      tell(id) { $0.queuedBytes(waiting, now: now) }
    case .closed(let id): inbound[id] = nil
    case .timer(let tag):
      if let job = work.removeValue(forKey: tag) {
        answer(job)
      } else if let id = timersOf.removeValue(forKey: tag) {
        tell(id) { $0.timerFired(now: now) }
      }
    default: break
    }
  }
}
