// RuntimeCases: what services cost: calls, one-way messages, their making and ending, their memory.
//
// Public are the bodies that Benchmarks/Duel measures beside other runtimes.

public import CaseSupport
public import Skein
internal import SkeinSocketIO

/// The runtime's cases.
public let runtimeCases: [LayerCase] =
  [1, 2].flatMap { workers in
    let suffix = workers == 1 ? "1-worker" : "\(workers)-workers"
    let node = plainNode(workers)
    return [
      LayerCase("Runtime/call-in-place/\(suffix)", count: 200_000) { try calls($0, .inPlace, node, $1) },
      LayerCase("Runtime/call-queued/\(suffix)", count: 50_000) { try calls($0, .queued, node, $1) },
      LayerCase("Runtime/call-async-handler/\(suffix)", count: 50_000) { try calls($0, .asynchronous, node, $1) },
      LayerCase("Runtime/call-chain/\(suffix)", count: 50_000) { try callChain($0, node, $1) },
      LayerCase("Runtime/flood-1-to-1/\(suffix)", count: 500_000) { try flood($0, senders: 1, node, $1) },
      LayerCase("Runtime/flood-8-to-1/\(suffix)", count: 500_000) { try flood($0, senders: 8, node, $1) },
      LayerCase("Runtime/ring-1000/\(suffix)", count: 200_000) { try rings($0, of: 1_000, node, $1) },
      LayerCase(
        "Runtime/ping-pong-1000-pairs/\(suffix)", count: 200, testCount: 10,
        expected: { 1_000 * sumOfNumbers($0) }
      ) { try rings($0, of: 2, rings: 1_000, node, $1) },
      LayerCase("Runtime/spawn-exit/\(suffix)", count: 10_000, testCount: 100) { try spawns($0, node, $1) },
    ]
  } + [
    LayerCase("Runtime/idle-service/bytes", count: 100_000, testCount: 100, run: idleServices)
  ]
  + [SocketBackend.epoll, .ioUring].filter { $0.unavailability() == nil }.flatMap { backend in
    let name = backend.rawValue
    return [
      LayerCase("Runtime/cluster-call/1-caller-\(name)", count: 20_000) {
        try clusterCalls($0, callers: 1, backend, $1)
      },
      LayerCase("Runtime/cluster-call/100-callers-\(name)", count: 50_000) {
        try clusterCalls($0, callers: 100, backend, $1)
      },
      LayerCase("Runtime/cluster-send/1-sender-\(name)", count: 100_000) { try clusterSends($0, backend, $1) },
    ]
  }

/// A node without sockets that says nothing.
func plainNode(_ workers: Int) -> NodeOptions {
  var options = NodeOptions()
  options.workers = workers
  options.log = .silent
  options.sockets = nil
  return options
}

/// Runs `body` with a node that shuts down afterwards, and waits for it.
public func withNode<Result: Sendable>(
  _ options: NodeOptions, _ body: @escaping @Sendable (SkeinNode) async throws -> Result
) throws -> Result {
  let node = try SkeinNode(options)
  let outcome = Outcome<Result>()
  Task {
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(node)) } catch { result = .failure(error) }
    await node.shutDown()
    outcome.set(result)
  }
  return try outcome.wait()
}

/// A task's result for a thread that waits.
final class Outcome<Value: Sendable>: @unchecked Sendable {
  // @unchecked: written before `done`, read after it.
  private let done = Event()
  private var result: Result<Value, any Error>?

  func set(_ result: Result<Value, any Error>) {
    self.result = result
    done.signal()
  }

  func wait() throws -> Value {
    done.wait()
    guard let result else { preconditionFailure("an outcome was announced before it was set") }
    return try result.get()
  }
}

/// A meter on its way to the task that starts and stops it.
public struct MeterBox: @unchecked Sendable {
  // @unchecked: the thread that owns the meter waits meanwhile.
  /// The meter.
  public let meter: any Meter
  /// Takes the meter along.
  public init(meter: any Meter) { self.meter = meter }
}
