// Harness: a connection with its shards in one place, driven by hand.

import SkeinRESP

/// A client's connection, the shards behind it, and a clock that is set by hand.
struct Harness: ~Copyable {
  var core: ClientCore
  private let router: CommandRouter
  private var shards: Shards
  /// Milliseconds since 1970.
  var now: Int64 = 1_000_000

  init(shards count: Int = 1, _ configure: (inout ServerConfiguration) -> Void = { _ in }) {
    var configuration = ServerConfiguration()
    configuration.shardCount = count
    configure(&configuration)
    router = CommandRouter(configuration: configuration)
    core = ClientCore(id: 1, router: router)
    shards = Shards(count: count, maxMemoryBytes: configuration.maxMemoryBytesPerShard)
  }

  /// Gives bytes to the connection, runs its rounds until nothing more happens, and returns what it answers.
  mutating func exchange(_ bytes: [UInt8]) -> [UInt8] {
    core.receive(bytes.span)
    var output: [UInt8] = []
    while true {
      let batches = core.nextRound { ServerFacts() }
      Self.run(batches, shards, now, &core)
      let answers = core.takeOutput()
      core.acknowledge(answers.count)
      output += answers
      if batches.isEmpty && answers.isEmpty { return output }
    }
  }

  /// Answers one round of requests on a connection of their own, as a node does for another.
  mutating func answerOneRound(_ requests: [UInt8]) -> [UInt8] {
    var core = ClientCore(id: 2, router: router)
    core.receive(requests.span)
    Self.run(core.nextRound { ServerFacts() }, shards, now, &core)
    return ForwardedAnswers.travelling(core.takeOutput())
  }

  private static func run(
    _ batches: [ShardBatch], _ shards: borrowing Shards, _ now: Int64, _ core: inout ClientCore
  ) {
    var isCutShort = false
    for batch in batches {
      let reply = isCutShort ? ShardReply() : shards.execute(batch, now: now)
      if batch.start + reply.executed < batch.end { isCutShort = true }
      core.complete(batch, with: reply)
    }
  }

  /// Sends one inline command and returns its answer as text.
  mutating func callAsFunction(_ line: String) -> String {
    String(decoding: exchange(Array((line + "\r\n").utf8)), as: UTF8.self)
  }

  /// The answers of one shard to a batch.
  mutating func execute(_ batch: ShardBatch) -> ShardReply { shards.execute(batch, now: now) }

  mutating func expire(buckets: Int) -> Int { shards.expire(now: now, buckets: buckets) }

  var keyCount: Int { shards.keyCount }
  var usedBytes: Int { shards.usedBytes }
  var deadlineCount: Int { shards.deadlineCount }
}

/// Up to eight keyspaces; arrays cannot hold what cannot be copied.
private final class Shard {
  var keyspace: Keyspace
  init(maxMemoryBytes: Int?) { keyspace = Keyspace(maxMemoryBytes: maxMemoryBytes) }
}

private struct Shards: ~Copyable {
  let all: [Shard]
  init(count: Int, maxMemoryBytes: Int?) { all = (0..<count).map { _ in Shard(maxMemoryBytes: maxMemoryBytes) } }
  func execute(_ batch: ShardBatch, now: Int64) -> ShardReply { all[batch.shard].keyspace.execute(batch, now: now) }
  func expire(now: Int64, buckets: Int) -> Int { all.reduce(0) { $0 + $1.keyspace.expire(now: now, buckets: buckets) } }
  var keyCount: Int { all.reduce(0) { $0 + $1.keyspace.count } }
  var usedBytes: Int { all.reduce(0) { $0 + $1.keyspace.usedBytes } }
  var deadlineCount: Int { all.reduce(0) { $0 + $1.keyspace.deadlineCount } }
}

/// Spells a request as an array of bulk strings.
func request(_ words: [[UInt8]]) -> [UInt8] {
  var writer = ReplyWriter()
  writer.array(words.count)
  for word in words { writer.bulk(word.span) }
  return writer.bytes
}

func request(_ words: [String]) -> [UInt8] { request(words.map { Array($0.utf8) }) }

func request(_ words: String...) -> [UInt8] { request(words) }
