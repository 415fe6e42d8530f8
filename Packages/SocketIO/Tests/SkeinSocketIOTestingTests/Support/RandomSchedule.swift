// RandomSchedule: hosts that do anything at any time to each other over a network with faults, all drawn from a seed,
// and a model that knows what each side may be told.

import SkeinPlatform

@testable import SkeinSocketIOTesting

final class RandomSchedule {
  typealias Side = SimulatedNetwork.ConnectionID

  struct Model {
    let host: String
    var sent = 0
    var received = 0
    var isKnown = false
    var isEndSeen = false
    var isFailed = false
    /// Its host has closed or aborted it.
    var isClosed = false
    var isClosedTold = false
    /// Its host crashed or was killed.
    var isLost = false

    var isOpen: Bool { isKnown && !isClosed && !isLost }
  }

  let seed: UInt64
  let network: SimulatedNetwork
  private(set) var problems: [String] = []
  private(set) var models: [Side: Model] = [:]
  private(set) var bytesReceived = 0
  private var order: [Side] = []
  private var random: SeededRandom
  private let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
  private var timers = 0
  private let losesResets: Bool

  init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed)
    var conditions = [NetworkConditions.calm, NetworkConditions(), .rough][random.below(3)]
    conditions.sendBuffer = random.size(in: 1...20_000)
    conditions.receiveBuffer = random.size(in: 1...20_000)
    network = SimulatedNetwork(seed: seed, conditions: conditions)
    let hasFaults = random.happens(0.8)
    losesResets = hasFaults || conditions.loss > 0
    if hasFaults {
      network.schedule(.random(seed: seed, duration: .seconds(4), hosts: hosts, count: 1 + random.below(10)))
    }
    for host in hosts { listen(host) }
  }

  /// Runs the schedule, ends all faults, sees everything arrive, closes everything.
  func run() {
    for _ in 0..<150 {
      act()
      let deadline = network.now.advanced(by: .nanoseconds(random.nanoseconds(in: .zero ... .milliseconds(50))))
      while let event = network.next(until: deadline) { check(event) }
    }
    drain()
    for one in hosts {
      network.restart(one)
      for other in hosts { network.heal(one, other) }
    }
    for side in order { network.resumeReading(side) }
    drain()
    checkArrivals()
    for side in order where models[side]?.isOpen == true { close(side) }
    drain()
    checkEnds()
  }

  private func drain() { while let event = network.next() { check(event) } }

  // MARK: Acting

  private func act() {
    let host = hosts[random.below(hosts.count)]
    guard !order.isEmpty && random.happens(0.85) else { return connect(host) }
    let side = order[random.below(order.count)]
    guard models[side]?.isOpen == true else { return }
    switch random.below(20) {
    case 0: close(side)
    case 1:
      models[side]?.isClosed = true
      network.abort(side)
    case 2: network.shutdownWrite(side)
    case 3, 4: network.pauseReading(side)
    case 5, 6: network.resumeReading(side)
    case 7:
      timers += 1
      network.wake(at: network.now.advanced(by: .milliseconds(random.below(500))), tag: 7)
    default: send(random.size(in: 1...30_000), on: side)
    }
  }

  private func connect(_ host: String) {
    let to = hosts[random.below(hosts.count)]
    let side = network.connect(from: host, to: "\(to):1")
    models[side] = Model(host: host)
    order.append(side)
  }

  private func close(_ side: Side) {
    models[side]?.isClosed = true
    network.close(side)
  }

  private func send(_ count: Int, on side: Side) {
    let start = models[side]?.sent ?? 0
    let bytes = Self.bytes(start..<start + count, from: side)
    guard case .accepted(let taken) = network.send(bytes, on: side), taken > 0 else { return }
    models[side]?.sent += taken
    if models[side.peer]?.isEndSeen == true { complain("\(side) sent \(taken) bytes behind its FIN") }
    if models[side]?.isFailed == true { complain("\(side) sent \(taken) bytes after it failed") }
  }

  /// What a side sends at these places of its stream: pieces of a table, others for each side.
  private static func bytes(_ places: Range<Int>, from side: Side) -> ArraySlice<UInt8> {
    let start = (places.lowerBound + Int(side.number) * 977) % 4_093
    return table[start..<start + places.count]
  }
  private static let table = (0..<70_000).map { place in
    let place = place % 4_093
    return UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8)
  }

  private func listen(_ host: String) {
    do { _ = try network.listen(on: "\(host):1") } catch { complain("\(host) cannot listen: \(error)") }
  }

  private func lose(_ host: String) {
    for side in order where models[side]?.host == host { models[side]?.isLost = true }
  }

  // MARK: Checking

  private func complain(_ text: String) { problems.append("seed \(seed): \(text)") }

  private func check(_ event: NetworkEvent) {
    if case .accepted(let side, _, _) = event {
      if models[side] != nil { complain("\(side) was accepted twice") }
      let address = network.localAddress(of: side) ?? ""
      models[side] = Model(host: hostName(of: address), isKnown: true)
      order.append(side)
      return
    }
    if case .timer = event {
      timers -= 1
      return
    }
    if case .fault(let fault) = event { return checkFault(fault) }
    guard let side = event.side, var model = models[side] else { return complain("\(event) of an unknown side") }
    if model.isLost || model.isClosedTold { complain("\(event.word) of \(side), which is gone") }
    if case .closed = event {
      if !model.isClosed { complain("\(side) was closed, and not by its host") }
      model.isClosedTold = true
      models[side] = model
      return
    }
    if model.isClosed || model.isFailed { complain("\(event.word) of \(side) after its end") }
    switch event {
    case .connected:
      if model.isKnown { complain("\(side) was connected twice") }
      model.isKnown = true
    case .connectFailed:
      if model.isKnown { complain("\(side) was connected and then was not") }
      model.isLost = true
    case .received(_, let bytes): checkBytes(bytes, at: side, &model)
    case .receivedEnd:
      if model.isEndSeen { complain("\(side) saw two ends") }
      model.isEndSeen = true
      let all = models[side.peer]?.sent ?? 0
      if model.received != all { complain("\(side) saw the end after \(model.received) of \(all) bytes") }
    case .failed: model.isFailed = true
    case .accepted, .writable, .closed, .timer, .fault: break
    }
    if !model.isKnown && !model.isLost { complain("\(event.word) of \(side) before it is there") }
    models[side] = model
  }

  private func checkBytes(_ bytes: [UInt8], at side: Side, _ model: inout Model) {
    if bytes.isEmpty { complain("\(side) received nothing") }
    if model.isEndSeen { complain("\(side) received bytes behind the end") }
    let end = model.received + bytes.count
    if bytes[...] != Self.bytes(model.received..<end, from: side.peer) {
      complain("\(side) received other bytes than were sent, from \(model.received) on")
    }
    if end > models[side.peer]?.sent ?? 0 { complain("\(side) received more than was sent") }
    model.received = end
    bytesReceived += bytes.count
  }

  private func checkFault(_ fault: NetworkFault) {
    switch fault {
    case .crash(let host): lose(host)
    case .kill(let host):
      lose(host)
      if !network.isDown(host) { listen(host) }
    case .restart(let host): if network.listeners["\(host):1"] == nil { listen(host) }
    case .partition, .heal, .reset, .halfClose, .stallAccepts: break
    }
  }

  /// What was taken by an unbroken connection is there.
  private func checkArrivals() {
    for side in order {
      guard let model = models[side], model.isOpen && !model.isFailed else { continue }
      guard let peer = models[side.peer], !peer.isLost && !peer.isFailed else { continue }
      if peer.isClosed && !model.isEndSeen {
        // RST is sent once: when it is lost, those who send nothing never learn of it.
        if !losesResets { complain("\(side) never saw the end of \(side.peer)") }
        continue
      }
      if model.received != peer.sent { complain("\(side) has \(model.received) of \(peer.sent) bytes") }
    }
  }

  private func checkEnds() {
    for side in order {
      guard let model = models[side] else { continue }
      if model.isClosed && !model.isLost && !model.isClosedTold { complain("\(side) was never told closed") }
    }
    for host in hosts where !network.openConnections(of: host).isEmpty { complain("\(host) has open connections") }
    for side in network.sides.values.sorted(by: { $0.id < $1.id }) {
      complain("\(side.id) is left, \(side.kernel): \(side.inFlight.count) in flight, \(side.unsent.count) unsent")
    }
    if timers != 0 { complain("\(timers) timers never came") }
    if network.agenda.first != nil { complain("something is still going to happen") }
  }
}
