// Bed: a server on a node in this process, and a service that keeps its shards from being held.

import Skein
import SkeinPlatform
import SkeinRESP
import SkeinSocketIO
import Synchronization
import Testing

@testable import SkeinServe

struct Bed: Sendable {
  let node: SkeinNode
  let server: RESPServer
  let address: SocketEndpoint

  /// A key of the given shard.
  func key(of shard: Int, _ prefix: String = "key") -> String {
    for number in 0... {
      let key = "\(prefix)\(number)"
      if CommandRouter.shard(of: Array(key.utf8).span, count: server.shards.count) == shard { return key }
    }
    preconditionFailure("every shard has a key")
  }
}

/// Runs `body` with a server that is set up as `skein serve` does it, and shuts it down.
func withServer(
  _ backend: SocketBackend, shards: Int = 4, maxClients: Int = 10_000, _ body: (Bed) async throws -> Void
) async throws {
  var options = NodeOptions()
  options.workers = 2
  options.log = .silent
  var sockets = SocketOptions()
  sockets.backend = backend
  sockets.limits.maxQueuedBytes = .max
  options.sockets = sockets
  let node = try SkeinNode(options)
  #expect(node.socketBackend == backend)
  var configuration = ServerConfiguration()
  configuration.shardCount = shards
  configuration.maxClients = maxClients
  do {
    let (server, address) = try await RESPServer.start(on: node, at: try SocketEndpoint("127.0.0.1:0"), configuration)
    try await body(Bed(node: node, server: server, address: address))
    await node.shutDown(grace: .seconds(1))
  } catch {
    await node.shutDown(grace: .seconds(1))
    throw error
  }
}

/// Something that happens once, for which threads wait.
final class Event: Sendable {
  private let waiter = FutexWaiter()
  private let happened = Atomic<Bool>(false)
  func signal() {
    happened.store(true, ordering: .sequentiallyConsistent)
    waiter.wake()
  }
  /// Blocks the calling thread; one thread may wait.
  func wait() { while !happened.load(ordering: .sequentiallyConsistent) { waiter.wait(until: nil) } }
}

/// What a node has logged, and the wait for it.
final class LogBook: Sendable {
  private struct Reader {
    let parts: [String]
    let continuation: CheckedContinuation<Void, Never>
  }

  private let state = Lock((lines: [String](), readers: [Reader]()))

  var log: SkeinLog {
    SkeinLog { [self] _, message, facts in
      let line = message + facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      let served = state.withLock { state in
        state.lines.append(line)
        let served = state.readers.filter { reader in reader.parts.allSatisfy { line.contains($0) } }
        state.readers.removeAll { reader in reader.parts.allSatisfy { line.contains($0) } }
        return served
      }
      for reader in served { reader.continuation.resume() }
    }
  }

  /// The lines that hold all of these.
  func lines(with parts: String...) -> [String] { lines(with: parts) }

  private func lines(with parts: [String]) -> [String] {
    state.withLock { $0.lines }.filter { line in parts.allSatisfy { line.contains($0) } }
  }

  /// Waits for a line that holds all of these, unless there is one.
  func awaitLine(with parts: String...) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        let isThere = state.lines.contains { line in parts.allSatisfy { line.contains($0) } }
        if !isThere { state.readers.append(Reader(parts: parts, continuation: continuation)) }
        return isThere
      }
      if isThere { continuation.resume() }
    }
  }
}

/// Holds a shard, and its own worker, until it is told to let go.
actor ShardHolder: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let hold = Command("HOLD") {
    (holder: isolated ShardHolder, shard: ServiceRef<Shard>, held: Event, letGo: Event) in
    var hold = shard.tryHold()
    while hold == nil { hold = shard.tryHold() }
    held.signal()
    letGo.wait()
    withExtendedLifetime(hold) {}
  }
}
