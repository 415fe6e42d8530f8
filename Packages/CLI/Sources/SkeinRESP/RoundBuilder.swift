// RoundBuilder: collects what the shards have to do for one round of a connection.

/// The operations of one round, in the order of the requests.
struct RoundBuilder: Sendable {
  private var operations: [ShardOperation] = []
  /// The shard of each operation.
  private var shards: [Int] = []
  /// Argument lists of split commands, to stand behind the parser's arguments.
  private var splitArguments: [ArgumentRange] = []

  var isEmpty: Bool { operations.isEmpty }

  /// Adds a command whose arguments are a run of the parser's.
  mutating func add(
    _ command: CommandName, isPart: Bool, _ first: Int, _ count: Int, _ ticket: ReplyTicket, part: Int, to shard: Int
  ) {
    shards.append(shard)
    operations.append(
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

  /// The batches, each a longest run of operations for one shard, in order; empties the builder.
  mutating func finish(_ bytes: [UInt8], _ arguments: [ArgumentRange]) -> [ShardBatch] {
    if isEmpty { return [] }
    let all = splitArguments.isEmpty ? arguments : arguments + splitArguments
    if !splitArguments.isEmpty { operations = operations.map { $0.resolved(arguments.count) } }
    var batches: [ShardBatch] = []
    var start = 0
    while start < shards.count {
      var end = start + 1
      while end < shards.count && shards[end] == shards[start] { end += 1 }
      batches.append(
        ShardBatch(
          shard: shards[start], bytes: bytes, arguments: all, operations: operations, start: start, end: end,
          replyLimitBytes: 0, answersFirst: false))
      start = end
    }
    operations = []
    shards.removeAll(keepingCapacity: true)
    splitArguments = []
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
