// RoundBuilder: collects what the shards have to do for one round of a connection.

/// The operations of one round, by shard.
struct RoundBuilder: Sendable {
  private var operations: [[ShardOperation]]
  /// Argument lists of split commands, to stand behind the parser's arguments.
  private var splitArguments: [ArgumentRange] = []
  private(set) var isEmpty = true

  init(shardCount: Int) { operations = Array(repeating: [], count: shardCount) }

  /// Adds a command whose arguments are a run of the parser's.
  mutating func add(
    _ command: CommandName, isPart: Bool, _ first: Int, _ count: Int, _ ticket: ReplyTicket, part: Int, to shard: Int
  ) {
    isEmpty = false
    operations[shard].append(
      ShardOperation(
        command: command, isPart: isPart, firstArgument: first, argumentCount: count, ticket: ticket, part: part))
  }

  /// Adds one shard's part of a command, with an argument list of its own.
  mutating func add(
    _ command: CommandName, splitInto arguments: [ArgumentRange], _ ticket: ReplyTicket, part: Int, to shard: Int
  ) {
    // Negative while the number of the parser's arguments is not final.
    add(command, isPart: true, -1 - splitArguments.count, arguments.count, ticket, part: part, to: shard)
    splitArguments += arguments
  }

  /// The batches, one for each shard that has something to do; empties the builder.
  mutating func finish(_ bytes: [UInt8], _ arguments: [ArgumentRange]) -> [ShardBatch] {
    if isEmpty { return [] }
    let all = splitArguments.isEmpty ? arguments : arguments + splitArguments
    var batches: [ShardBatch] = []
    for shard in operations.indices where !operations[shard].isEmpty {
      var list: [ShardOperation] = []
      swap(&list, &operations[shard])
      if !splitArguments.isEmpty { list = list.map { $0.resolved(arguments.count) } }
      batches.append(
        ShardBatch(
          shard: shard, bytes: bytes, arguments: all, operations: list, replyLimitBytes: 0, answersFirst: false))
    }
    splitArguments = []
    isEmpty = true
    return batches
  }
}

extension ShardOperation {
  /// This operation with its own argument list behind `count` arguments of the parser.
  fileprivate func resolved(_ count: Int) -> ShardOperation {
    if firstArgument >= 0 { return self }
    return ShardOperation(
      command: command, isPart: isPart, firstArgument: count - 1 - firstArgument, argumentCount: argumentCount,
      ticket: ticket, part: part)
  }
}
