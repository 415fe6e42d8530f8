// RESPServer: the key-value service of a node: its shards, and the door to it.

public import Skein
internal import SkeinPlatform
public import SkeinRESP
public import SkeinSocketIO

/// A key-value service in several instances that speaks Redis' protocol on one address, alone or as one of several nodes.
///
/// ```swift
/// let server = try await RESPServer.start(on: node, at: .loopback(port: 0), configuration)
/// print(server.address)
/// ```
public final class RESPServer: Sendable {
  /// What clients are told of the server, and its limits.
  public let configuration: ServerConfiguration
  /// The service instances.
  public let shards: [ServiceRef<Shard>]
  /// The other nodes; `nil` for a node alone.
  let peers: Peers?
  let router: CommandRouter
  let figures = ServerFigures()

  private init(_ configuration: ServerConfiguration, _ shards: [ServiceRef<Shard>], _ peers: Peers?) {
    self.configuration = configuration
    self.shards = shards
    self.peers = peers
    router = CommandRouter(configuration: configuration)
  }

  /// Spawns the shards and listens.
  ///
  /// In a cluster (``ServerConfiguration/ring``) it also exports the keys: this node's to its peers, and the whole cluster's
  /// under the name `simpledb`; the node's directory has to know the peers.
  ///
  /// - Returns: the server, and its address with the real port.
  /// - Throws: `SpawnError`, or `SocketError` when the address cannot be had.
  public static func start(
    on node: SkeinNode, at address: SocketEndpoint, _ configuration: ServerConfiguration, exports: Bool = false
  ) async throws -> (server: RESPServer, address: SocketEndpoint) {
    var shards: [ServiceRef<Shard>] = []
    for number in 0..<configuration.shardCount {
      shards.append(
        try await node.spawn(named: "simpledb.\(number)") {
          Shard($0, maxMemoryBytes: configuration.maxMemoryBytesPerShard)
        })
    }
    let peers = configuration.ring.map { Peers(node, $0, firstWait: configuration.peerWait) }
    let server = RESPServer(configuration, shards, peers)
    if exports { try await server.export(on: node) }
    let real = try node.listen(on: address) { context, socket in
      let isRefused = server.figures.clientCame() > configuration.maxClients
      return RESPConnection(context, socket, server, isRefused: isRefused)
    }
    return (server, real)
  }

  private func export(on node: SkeinNode) async throws {
    let simpleDB = try await node.spawn(named: "simpledb") { SimpleDB($0, self) }
    node.cluster.register("simpledb", simpleDB)
    guard let peers else { return }
    let keys = try await node.spawn(named: Peers.exportedName) { KeyService($0, self, peers) }
    node.cluster.register(Peers.exportedName, keys)
    let watcher = try await node.spawn { PeerWatcher($0, peers) }
    _ = watcher.send(PeerWatcher.watch, node.cluster.stateChanges())
  }

  /// Connects to the other nodes, once this one listens for them: they connect back as soon as they hear of it.
  public func dialPeers() { peers?.dial() }

  // MARK: - Executing

  /// The way to the keys for what comes over the cluster port, which asks for no password.
  ///
  /// - Parameter forwards: whether other nodes' keys are asked for there; if not, the answers are what other nodes forward.
  func routerForNodes(forwards: Bool) -> CommandRouter {
    var configuration = configuration
    configuration.password = nil
    if !forwards {
      configuration.ring = nil
      configuration.replyLimitBytes = min(configuration.replyLimitBytes, ForwardedAnswers.limitBytes)
    }
    return CommandRouter(configuration: configuration)
  }

  /// Executes a batch of the round that began then, on the shard or the node that it is for.
  private func execute(_ batch: ShardBatch, since began: MonotonicInstant) async throws -> ShardReply {
    if batch.shard < shards.count { return try await shards[batch.shard].call(Shard.execute, batch) }
    guard let peers else { preconditionFailure("a batch for a peer of a node alone") }
    return try await peers.execute(batch, on: batch.shard - shards.count, since: began)
  }

  /// Runs a round's batches one after the other; one that was cut short ends the round.
  ///
  /// What goes to other nodes has one deadline: a node that does not answer costs it once, however often it is asked.
  func complete(_ batches: [ShardBatch], _ done: (ShardBatch, Result<ShardReply, any Error>) -> Void) async {
    let began = MonotonicInstant.now
    var isCutShort = false
    for batch in batches {
      if isCutShort {
        done(batch, .success(ShardReply()))
        continue
      }
      do {
        let reply = try await execute(batch, since: began)
        if batch.start + reply.executed < batch.end { isCutShort = true }
        done(batch, .success(reply))
      } catch { done(batch, .failure(error)) }
    }
  }

  /// Runs one round of requests in Redis' protocol and returns their answers: those to the first requests, at least one,
  /// and as many as fit under the router's limit. The others are not executed.
  func run(_ requests: [UInt8], _ router: CommandRouter) async -> [UInt8] {
    var core = ClientCore(id: 0, router: router)
    core.receive(requests.span)
    await complete(core.nextRound { facts }) { batch, result in core.complete(batch, result) }
    return core.takeOutput()
  }

  /// The figures and the peers now.
  var facts: ServerFacts {
    var facts = figures.facts
    facts.cluster = peers?.facts ?? []
    return facts
  }
}

extension ClientCore {
  /// Takes what became of a batch.
  mutating func complete(_ batch: ShardBatch, _ result: Result<ShardReply, any Error>) {
    switch result {
    case .success(let reply): complete(batch, with: reply)
    case .failure(let fault as PeerFault): fail(batch, fault.description)
    case .failure(let error): fail(batch, "ERR \(error)")
    }
  }
}
