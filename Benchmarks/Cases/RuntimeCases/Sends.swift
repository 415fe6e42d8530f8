// Sends: one-way messages, from many to one and round a ring.

public import CaseSupport
public import Skein

/// Senders send the numbers 0 ..< count between them, and wait when the receiver's mailbox is full.
public func flood(_ count: Int, senders: Int, _ options: NodeOptions, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(options) { node in
    let done = Event()
    let sink = try await node.spawn { Sink($0, expecting: count, done) }
    var all: [ServiceRef<Sender>] = []
    for _ in 0..<senders { all.append(try await node.spawn { Sender($0) }) }
    box.meter.start()
    for (first, sender) in all.enumerated() {
      precondition(sender.send(Sender.sendAll, sink, first, senders, count) == .delivered)
    }
    done.wait()
    box.meter.stop()
    return try await sink.call(Sink.total)
  }
}

private actor Sink: SkeinService {
  nonisolated let context: SkeinContext
  private var sum: UInt64 = 0
  private var left: Int
  private let done: Event
  init(_ context: SkeinContext, expecting count: Int, _ done: Event) {
    self.context = context
    left = count
    self.done = done
  }

  func take(_ number: Int) {
    sum &+= UInt64(number)
    left -= 1
    if left == 0 { done.signal() }
  }

  static let number = Command("NUMBER") { (sink: isolated Sink, number: Int) in sink.take(number) }
  static let total = Command("TOTAL") { (sink: isolated Sink) in sink.sum }
}

private actor Sender: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let sendAll = Command("SENDALL") {
    (sender: isolated Sender, sink: ServiceRef<Sink>, first: Int, step: Int, count: Int) async throws in
    for number in stride(from: first, to: count, by: step) { try await sink.sendWhenReady(Sink.number, number) }
  }
}

/// Numbers go round rings of services, one down at each: `count` hops in each ring. A ring of two is a ping-pong.
///
/// - Returns: the sum over all rings, each of which has that of the numbers 0 ..< count.
public func rings(
  _ count: Int, of size: Int, rings: Int = 1, _ options: NodeOptions, _ meter: any Meter
) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(options) { node in
    let done = Event()
    var all: [ServiceRef<RingService>] = []
    for _ in 0..<size * rings { all.append(try await node.spawn { RingService($0, done) }) }
    for index in all.indices {
      let first = index - index % size
      try await all[index].call(RingService.link, all[first + (index + 1 - first) % size])
    }
    box.meter.start()
    for first in stride(from: 0, to: all.count, by: size) {
      precondition(all[first].send(RingService.pass, count) == .delivered)
    }
    done.wait(rings)
    box.meter.stop()
    var sum: UInt64 = 0
    for service in all { sum &+= try await service.call(RingService.total) }
    return sum
  }
}

private actor RingService: SkeinService {
  nonisolated let context: SkeinContext
  private var next: ServiceRef<RingService>?
  private var sum: UInt64 = 0
  private let done: Event
  init(_ context: SkeinContext, _ done: Event) {
    self.context = context
    self.done = done
  }

  func setNext(_ next: ServiceRef<RingService>) { self.next = next }

  func take(_ number: Int) {
    let rest = number - 1
    sum &+= UInt64(rest)
    if rest == 0 { return done.signal() }
    precondition(next?.send(RingService.pass, rest) == .delivered)
  }

  static let link = Command("LINK") { (service: isolated RingService, next: ServiceRef<RingService>) in
    service.setNext(next)
  }
  static let pass = Command("PASS") { (service: isolated RingService, number: Int) in service.take(number) }
  static let total = Command("TOTAL") { (service: isolated RingService) in service.sum }
}
