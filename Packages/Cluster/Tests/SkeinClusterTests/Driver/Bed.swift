// Bed: nodes of a cluster in one process, over loopback.

import Glibc
import SkeinCluster
import SkeinPlatform
import SkeinSocketIO
import SkeinTimer
import Testing

/// A node with a thread for its sockets and one for its timers.
final class TestNode: Sendable {
  let cluster: Cluster
  let handler: TestHandler
  let address: SocketEndpoint
  let lines = LogLines()
  private let loop: SocketLoop
  private let thread: LoopThread
  private let timers: TimerThread

  init(
    _ name: String, _ backend: SocketBackend, _ configure: (inout ClusterOptions) -> Void = { _ in }
  ) throws {
    loop = try SocketLoop(backend: backend)
    thread = try LoopThread(loop)
    timers = try TimerThread()
    handler = TestHandler()
    var options = ClusterOptions()
    options.name = name
    let lines = lines
    options.log = { level, text in lines.add("\(level) \(text)") }
    configure(&options)
    cluster = Cluster(options, loops: [loop], timers: timers.queue, handler: handler)
    address = try cluster.listen(on: .loopback(port: 0))
  }

  deinit {
    cluster.shutDown()
    thread.stop()
    loop.shutDown()
    timers.shutDown()
  }

  /// Makes another node known to this one.
  func knows(_ other: TestNode) {
    cluster.reload([other.cluster.options.name: .address("\(other.address)")])
  }

  /// Calls a name of another node.
  func call(
    _ peer: String, _ name: String, _ body: [UInt8] = [], _ options: ClusterCallOptions = .after(.seconds(120))
  ) async throws -> [UInt8] {
    try await cluster.call(peer, .name(ClusterName(name)), body, options)
  }

  /// What a call fails with.
  func failure(
    _ peer: String, _ name: String = "@echo", _ options: ClusterCallOptions = .after(.seconds(120))
  ) async throws -> ClusterError {
    do {
      let answer = try await call(peer, name, [], options)
      throw UnexpectedAnswer("an answer of \(answer.count) bytes")
    } catch let error as ClusterError { return error }
  }
}

/// What a node has logged.
final class LogLines: Sendable {
  private let lines = Lock<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  func contain(_ text: String) -> Bool { count(text) > 0 }
  func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
}

struct UnexpectedAnswer: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Answers by name: `@echo` with the body, `@fail` with an error, `@hold` when it is told to, `@drop` not at all.
final class TestHandler: ClusterRequestHandler {
  let held = Lock<[ClusterInboundRequest]>([])
  let pushes = Lock<[[UInt8]]>([])
  private let arrived = EventCount()

  func handle(_ request: ClusterInboundRequest) {
    switch "\(request.address)" {
    case "@echo": request.answer(request.body)
    case "@twice":
      request.answer(request.body)
      request.fail("too late")
    case "@fail": request.fail("it does not work")
    case "@hold": held.withLock { $0.append(request) }
    case "@push": pushes.withLock { $0.append(request.body) }
    case "@drop": break
    default: request.fail("Invalid name")
    }
    arrived.add()
  }

  func id(exportedAs name: [UInt8]) -> UInt32? { name == Array("echo".utf8) ? 1_042 : nil }

  /// Waits until `count` requests have come.
  func awaitRequests(_ count: Int) async { await arrived.wait(for: count) }
}

/// Counts what happens, for one task that waits for it.
final class EventCount: Sendable {
  private let state = Lock<(count: Int, gate: TaskGate?)>((count: 0, gate: nil))

  var value: Int { state.withLock { $0.count } }

  func add() {
    let gate = state.withLock { state in
      state.count += 1
      defer { state.gate = nil }
      return state.gate
    }
    gate?.open()
  }

  /// Waits until there were `count` in all.
  func wait(for count: Int) async {
    while true {
      let gate = TaskGate()
      let isThere = state.withLock { state in
        state.gate = gate
        return state.count >= count
      }
      if isThere { return }
      _ = await gate.wait()
    }
  }
}
