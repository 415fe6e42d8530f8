// ServerConfiguration: what a connection must know about the node it belongs to.

/// The settings of a RESP server; fixed while it runs.
public struct ServerConfiguration: Sendable {
  /// What AUTH must give, or nil when everybody may do everything.
  public var password: [UInt8]?
  /// Number of shards that keys are spread over; 1 to 65,535.
  public var shardCount = 1
  /// The cluster's nodes, over which keys are spread before they are spread over shards; `nil` for a node alone.
  public var ring: NodeRing?
  /// How long a request waits for a node of the ring that has not been up yet.
  public var peerWait = Duration.seconds(1)
  /// What a client may send.
  public var limits = RESPLimits()
  /// Unread answer bytes of a client from which no more of its requests are executed.
  public var replyLimitBytes = 8 << 20
  /// Bytes that all shards may use together, or nil for no limit.
  public var maxMemoryBytes: Int?
  /// Connections accepted at once; told in CONFIG GET, enforced by the server.
  public var maxClients = 10_000
  /// The port listened on; told in INFO and CONFIG GET.
  public var port = 6379
  /// The address listened on; told in CONFIG GET.
  public var address = "127.0.0.1"
  /// The node's name and version; told in INFO.
  public var nodeName = "skein"
  /// Skein's version; told in INFO.
  public var version = "0.1.0"
  /// The I/O backend; told in INFO.
  public var backend = "epoll"
  /// The process; told in INFO.
  public var processID: Int32 = 0

  /// Creates the defaults: one shard, no password, no memory limit.
  public init() {}

  /// What one shard may use: its share of ``maxMemoryBytes``.
  public var maxMemoryBytesPerShard: Int? { maxMemoryBytes.map { max(1, $0 / shardCount) } }

  /// What a client is answered, before it is closed, when ``maxClients`` are connected.
  public static let tooManyClientsReply = Array("-ERR max number of clients reached\r\n".utf8)

  /// The Redis version that we say we are, since clients look at it.
  static let redisVersion = "7.0.15"
}

/// What changes about a server while it runs; told in INFO.
public struct ServerFacts: Sendable {
  /// Seconds since the start.
  public var uptimeSeconds = 0
  /// Clients connected now.
  public var connectedClients = 1
  /// Connections accepted since the start.
  public var connectionsAccepted = 1
  /// Commands executed since the start.
  public var commandsProcessed = 0
  /// Names and values of the section on the cluster; empty for a node alone.
  public var cluster: [(String, String)] = []

  /// Creates the facts of a server that has just started.
  public init() {}
}
