// CommandRouter: who answers a request: the connection, one shard, several, or all.

/// Decides which shards a request goes to, and answers what needs none.
///
/// A key's shard is the 64-bit FNV-1a hash of its bytes modulo the number of shards. It does not depend on the process,
/// the machine or the version, so that tools can compute it. In a cluster a key belongs to a node first (``NodeRing``);
/// the other nodes count as further shards, numbered behind this node's own in the order of ``NodeRing/peers``.
public struct CommandRouter: Sendable {
  /// The server's settings.
  public let configuration: ServerConfiguration
  let table = CommandTable()
  private let connection: ConnectionCommands

  /// Creates a router; it may be shared by all connections.
  public init(configuration: ServerConfiguration) {
    precondition(configuration.shardCount >= 1 && configuration.shardCount <= 65_535, "1 to 65,535 shards")
    self.configuration = configuration
    connection = ConnectionCommands(configuration: configuration, table: table)
  }

  /// The shard, from 0, that holds `key` when there are `count` of them.
  public static func shard(of key: Span<UInt8>, count: Int) -> Int {
    count == 1 ? 0 : Int(KeyHash.fnv1a(key) % UInt64(count))
  }

  /// The shard, or the node behind the shards, that holds `key`.
  func place(of key: Span<UInt8>) -> Int {
    if let ring = configuration.ring {
      let owner = ring.owner(of: key)
      if owner != ring.own { return configuration.shardCount + (owner < ring.own ? owner : owner - 1) }
    }
    return Self.shard(of: key, count: configuration.shardCount)
  }

  /// Answers `request`, or adds what the shards have to do to `round`; its answer takes its place in `replies`.
  func route(
    _ request: RESPRequest, _ bytes: [UInt8], _ arguments: [ArgumentRange], _ session: inout Session,
    _ replies: inout ReplyQueue, _ round: inout RoundBuilder, _ facts: () -> ServerFacts
  ) {
    let suppressed = session.takeSuppression()
    let first = request.firstArgument
    guard let command = table.find(bytes.span.extracting(arguments[first].range)) else {
      let all = arguments.span.extracting(first..<first + request.argumentCount)
      if Self.isWebRequest(bytes.span.extracting(all[0].range)) {
        session.isClosing = true
        return
      }
      return replies.answer(suppressed: suppressed) { $0.error(CommandErrors.unknownCommand(bytes.span, all)) }
    }
    let entry = table.entries[Int(command.rawValue)]
    if entry.place == .oneKey, entry.accepts(request.argumentCount), session.isAuthenticated {
      let shard = place(of: bytes.span.extracting(arguments[first + 1].range))
      let ticket = replies.expect(nil, suppressed: suppressed)
      return round.add(command, isPart: false, first, request.argumentCount, ticket, part: 0, to: shard)
    }
    let view = RequestView(bytes: bytes, ranges: arguments[first..<first + request.argumentCount])
    if let fault = fault(command, entry, view, session) {
      return replies.answer(suppressed: suppressed) { $0.error(fault) }
    }
    switch entry.place {
    case .connection: answer(command, view, suppressed, &session, &replies)
    case .manyKeys(let step): spread(command, step, request, bytes, arguments, suppressed, &replies, &round)
    case .everywhere: everywhere(command, view, request, suppressed, &replies, &round, facts)
    case .oneKey: preconditionFailure("a command with one key is on its way already")
    }
  }

  /// Whether a web browser was talked into speaking to us: then the connection ends, without a word, as in Redis.
  private static func isWebRequest(_ name: Span<UInt8>) -> Bool {
    name.equals(ignoringCase: "POST") || name.equals(ignoringCase: "HOST:")
  }

  /// What is wrong with a known command before anybody executes it: its arity, its caller's rights, its form.
  private func fault(
    _ command: CommandName, _ entry: CommandEntry, _ view: RequestView, _ session: Session
  ) -> [UInt8]? {
    if command == .quit { return nil }
    if let fault = Subcommand.fault(command, view) { return fault }
    if !entry.accepts(view.count) { return Array(CommandErrors.wrongArity(command.name).utf8) }
    if !session.isAuthenticated && !entry.flags.contains(.noAuth) { return Array(CommandErrors.noAuth.utf8) }
    if command == .mset && view.count % 2 == 0 { return Array(CommandErrors.wrongArity(command.name).utf8) }
    if command == .flushall || command == .flushdb, view.count > 1 {
      let isGood = view.count == 2 && (view.equals(1, "ASYNC") || view.equals(1, "SYNC"))
      if !isGood { return Array(CommandErrors.syntax.utf8) }
    }
    return nil
  }

  private func answer(
    _ command: CommandName, _ view: RequestView, _ suppressed: Bool, _ session: inout Session,
    _ replies: inout ReplyQueue
  ) {
    var writer = ReplyWriter()
    connection.execute(command, view, &session, &writer)
    // CLIENT REPLY ON answers although answers were off until now.
    let turnsOn = command == .client && view.equals(1, "REPLY") && view.equals(2, "ON")
    replies.answer(suppressed: suppressed && !turnsOn) { $0.bytes += writer.bytes }
  }

  /// Sends every key to its shard; a command whose keys share one shard stays whole.
  private func spread(
    _ command: CommandName, _ step: Int, _ request: RESPRequest, _ bytes: [UInt8], _ arguments: [ArgumentRange],
    _ suppressed: Bool, _ replies: inout ReplyQueue, _ round: inout RoundBuilder
  ) {
    let first = request.firstArgument
    let keys = stride(from: first + 1, to: first + request.argumentCount, by: step)
    let shards = keys.map { key in place(of: bytes.span.extracting(arguments[key].range)) }
    if shards.allSatisfy({ $0 == shards[0] }) {
      let ticket = replies.expect(nil, suppressed: suppressed)
      return round.add(command, isPart: false, first, request.argumentCount, ticket, part: 0, to: shards[0])
    }
    var partOfShard: [Int: Int] = [:]
    var parts: [(shard: Int, arguments: [ArgumentRange])] = []
    var owners: [UInt16] = []
    for (key, shard) in zip(keys, shards) {
      let part = partOfShard[shard] ?? parts.count
      if part == parts.count {
        partOfShard[shard] = part
        parts.append((shard, [arguments[first]]))
      }
      parts[part].arguments += arguments[key..<key + step]
      owners.append(UInt16(part))
    }
    let rule: ReplyMerge.Rule = command == .mget ? .elements(owners) : command == .mset ? .allOK : .sum
    let ticket = replies.expect(ReplyMerge(rule, parts: parts.count), suppressed: suppressed)
    for (index, part) in parts.enumerated() {
      round.add(command, splitInto: part.arguments, ticket, part: index, to: part.shard)
    }
  }

  private func everywhere(
    _ command: CommandName, _ view: RequestView, _ request: RESPRequest, _ suppressed: Bool,
    _ replies: inout ReplyQueue, _ round: inout RoundBuilder, _ facts: () -> ServerFacts
  ) {
    // INFO is about this node.
    let nodes = command == .info ? 0 : (configuration.ring?.peers.count ?? 0)
    let shards = configuration.shardCount + nodes
    let rule: ReplyMerge.Rule =
      switch command {
      case .dbsize: .sum
      case .info: .info(InfoText(named: (1..<view.count).map { view.text($0) }, configuration, facts()))
      default: .allOK
      }
    let ticket = replies.expect(ReplyMerge(rule, parts: shards), suppressed: suppressed)
    for shard in 0..<shards {
      round.add(
        command, isPart: true, request.firstArgument, request.argumentCount, ticket, part: shard, to: shard)
    }
  }
}
