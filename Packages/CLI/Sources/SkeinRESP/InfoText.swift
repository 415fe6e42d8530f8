// InfoText: the text that INFO answers.

/// The sections of one INFO request, and what fills them; the shards' totals come last.
struct InfoText: Sendable {
  private static let known: [(name: String, isDefault: Bool)] = [
    ("server", true), ("clients", true), ("memory", true), ("stats", true), ("replication", true), ("cluster", true),
    ("keyspace", true),
  ]

  let sections: Set<String>
  let configuration: ServerConfiguration
  let facts: ServerFacts

  /// The text; `named` are the sections asked for, none for the default ones.
  init(named: [String], _ configuration: ServerConfiguration, _ facts: ServerFacts) {
    let names = named.map { $0.lowercased() }
    let all = names.isEmpty || !Set(names).isDisjoint(with: ["all", "default", "everything"])
    sections = Set(Self.known.map(\.name).filter { all || names.contains($0) })
    self.configuration = configuration
    self.facts = facts
  }

  func text(_ totals: ShardTotals) -> String {
    Self.known.map(\.name).filter(sections.contains).map { section($0, totals) }.joined(separator: "\r\n")
  }

  private func section(_ name: String, _ totals: ShardTotals) -> String {
    let lines = lines(name, totals).map { "\($0.0):\($0.1)\r\n" }.joined()
    return "# \(name.prefix(1).uppercased())\(name.dropFirst())\r\n\(lines)"
  }

  private func lines(_ name: String, _ totals: ShardTotals) -> [(String, String)] {
    switch name {
    case "server":
      [
        ("redis_version", ServerConfiguration.redisVersion), ("redis_mode", "standalone"),
        ("skein_version", configuration.version), ("skein_node", configuration.nodeName),
        ("multiplexing_api", configuration.backend), ("process_id", "\(configuration.processID)"),
        ("tcp_port", "\(configuration.port)"), ("uptime_in_seconds", "\(facts.uptimeSeconds)"),
        ("uptime_in_days", "\(facts.uptimeSeconds / 86_400)"), ("skein_shards", "\(configuration.shardCount)"),
      ]
    case "clients":
      [("connected_clients", "\(facts.connectedClients)"), ("maxclients", "\(configuration.maxClients)")]
    case "memory":
      [
        ("used_memory", "\(totals.bytes)"), ("maxmemory", "\(configuration.maxMemoryBytes ?? 0)"),
        ("maxmemory_policy", "noeviction"),
      ]
    case "stats":
      [
        ("total_connections_received", "\(facts.connectionsAccepted)"),
        ("total_commands_processed", "\(facts.commandsProcessed)"),
      ]
    case "replication": [("role", "master"), ("connected_slaves", "0")]
    case "cluster": facts.cluster.isEmpty ? [("cluster_enabled", "0")] : facts.cluster
    default:
      totals.keys == 0 ? [] : [("db0", "keys=\(totals.keys),expires=\(totals.deadlines),avg_ttl=0")]
    }
  }
}
