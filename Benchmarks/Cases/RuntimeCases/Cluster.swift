// Cluster: calls and sends between two nodes over loopback, both in this process.

internal import CaseSupport
internal import Skein
internal import SkeinCluster
internal import SkeinSocketIO

/// `callers` services of one node call a service of the other.
func clusterCalls(
  _ count: Int, callers: Int, _ backend: SocketBackend, _ meter: any Meter
) throws -> UInt64 {
  try withTwoNodes(backend, meter) { near, far, adder, box in
    let callers = try await (0..<callers).asyncMap { _ in try await near.spawn { FarCaller($0) } }
    box.meter.start()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (first, caller) in callers.enumerated() {
        group.addTask { try await caller.call(FarCaller.callAll, far, first, callers.count, count, deadline: .never) }
      }
      try await group.waitForAll()
    }
    box.meter.stop()
    return try await adder.call(Adder.add, 0)
  }
}

/// One service sends to one of the other node, and makes a call after each 500 so that the mailbox never overflows.
func clusterSends(_ count: Int, _ backend: SocketBackend, _ meter: any Meter) throws -> UInt64 {
  try withTwoNodes(backend, meter) { near, far, adder, box in
    let sender = try await near.spawn { FarCaller($0) }
    box.meter.start()
    try await sender.call(FarCaller.sendAll, far, count, deadline: .never)
    box.meter.stop()
    return try await adder.call(Adder.add, 0)
  }
}

private func withTwoNodes(
  _ backend: SocketBackend, _ meter: any Meter,
  _ body: @escaping @Sendable (SkeinNode, RemoteServiceRef<Adder>, ServiceRef<Adder>, MeterBox) async throws -> UInt64
) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  let outcome = Outcome<UInt64>()
  let nodes = try (node("a", backend), node("b", backend))
  Task {
    let (a, b) = nodes
    let result: Result<UInt64, any Error>
    do {
      let adder = try await b.spawn { Adder($0) }
      b.cluster.register("adder", adder)
      a.cluster.reload(["b": .address("\(try b.cluster.open(on: .loopback(port: 0)))")])
      let far = a.cluster.service(Adder.self, node: "b", name: "adder")
      result = .success(try await body(a, far, adder, box))
    } catch { result = .failure(error) }
    await a.shutDown()
    await b.shutDown()
    outcome.set(result)
  }
  return try outcome.wait()
}

private func node(_ name: String, _ backend: SocketBackend) throws -> SkeinNode {
  var options = NodeOptions()
  options.name = name
  options.workers = 1
  options.log = .silent
  options.sockets = SocketOptions()
  options.sockets?.backend = backend
  return try SkeinNode(options)
}

private actor FarCaller: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let callAll = Command("CALLALL") {
    (_: isolated FarCaller, far: RemoteServiceRef<Adder>, first: Int, step: Int, count: Int) async throws in
    for number in stride(from: first, to: count, by: step) { _ = try await far.call(Adder.add, number) }
  }
  static let sendAll = Command("SENDALL") {
    (_: isolated FarCaller, far: RemoteServiceRef<Adder>, count: Int) async throws in
    for number in 0..<count {
      guard try far.send(Adder.add, number) == .queued else { preconditionFailure("a send was refused") }
      if number % 500 == 499 || number == count - 1 { _ = try await far.call(Adder.add, 0) }
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
