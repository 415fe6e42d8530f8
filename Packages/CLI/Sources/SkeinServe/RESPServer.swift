// RESPServer: the key-value service of a node: its shards, and the door to it.

public import Skein
internal import SkeinPlatform
public import SkeinRESP
public import SkeinSocketIO

/// A key-value service in several instances that speaks Redis' protocol on one address.
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
  let router: CommandRouter
  let figures = ServerFigures()

  private init(_ configuration: ServerConfiguration, _ shards: [ServiceRef<Shard>]) {
    self.configuration = configuration
    self.shards = shards
    router = CommandRouter(configuration: configuration)
  }

  /// Spawns the shards and listens.
  ///
  /// - Returns: the server, and its address with the real port.
  /// - Throws: `SpawnError`, or `SocketError` when the address cannot be had.
  public static func start(
    on node: SkeinNode, at address: SocketEndpoint, _ configuration: ServerConfiguration
  ) async throws -> (server: RESPServer, address: SocketEndpoint) {
    var shards: [ServiceRef<Shard>] = []
    for number in 0..<configuration.shardCount {
      shards.append(
        try await node.spawn(named: "simpledb.\(number)") {
          Shard($0, maxMemoryBytes: configuration.maxMemoryBytesPerShard)
        })
    }
    let server = RESPServer(configuration, shards)
    let real = try node.listen(on: address) { context, socket in
      let isRefused = server.figures.clientCame() > configuration.maxClients
      return RESPConnection(context, socket, server, isRefused: isRefused)
    }
    return (server, real)
  }
}
