import Testing

@testable import SkeinRESP

/// Three nodes without a network: what one forwards, the owner executes with shards and a router of its own.
private final class ThreeNodes {
  private final class Node {
    let router: CommandRouter
    var local: Harness
    init(name: String, peers: [String], shards: Int, answerLimit: Int) {
      var configuration = ServerConfiguration()
      configuration.shardCount = shards
      configuration.ring = NodeRing(own: name, peers: peers)
      router = CommandRouter(configuration: configuration)
      local = Harness(shards: shards) { $0.replyLimitBytes = answerLimit }
    }
  }

  private let names = ["a", "b", "c"]
  private let nodes: [Node]
  private var cores: [ClientCore]
  private(set) var forwarded = 0
  /// A node that answers nothing sensible.
  var broken: String?

  /// - Parameter answerLimit: bytes of answers that a node gives another at once.
  init(shards: [Int], answerLimit: Int = ForwardedAnswers.limitBytes) {
    let names = names
    nodes = names.enumerated().map { index, name in
      Node(name: name, peers: names.filter { $0 != name }, shards: shards[index], answerLimit: answerLimit)
    }
    cores = nodes.map { ClientCore(id: 1, router: $0.router) }
  }

  func keys(of name: String) -> Int { nodes[names.firstIndex(of: name)!].local.keyCount }

  /// Sends lines to a node, as a client does, and returns the answers.
  func send(_ line: String, to number: Int) -> String {
    let node = nodes[number]
    cores[number].receive(Array((line + "\r\n").utf8).span)
    var output: [UInt8] = []
    while true {
      let batches = cores[number].nextRound { ServerFacts() }
      var isCutShort = false
      for batch in batches {
        if isCutShort {
          cores[number].complete(batch, with: ShardReply())
        } else {
          isCutShort = complete(batch, node, number)
        }
      }
      let answers = cores[number].takeOutput()
      cores[number].acknowledge(answers.count)
      output += answers
      if batches.isEmpty && answers.isEmpty { return String(decoding: output, as: UTF8.self) }
    }
  }

  /// Returns whether a part of the batch was left over.
  private func complete(_ batch: ShardBatch, _ node: Node, _ number: Int) -> Bool {
    let shards = node.router.configuration.shardCount
    let reply: ShardReply
    if batch.shard < shards {
      reply = node.local.execute(batch)
    } else {
      forwarded += 1
      let peer = node.router.configuration.ring!.peers[batch.shard - shards]
      var answers = nodes[names.firstIndex(of: peer)!].local.answerOneRound(batch.requests())
      if peer == broken { answers.removeLast() }
      guard let read = batch.reply(from: answers) else {
        cores[number].fail(batch, "ERR peer \(peer) gave no answer")
        return false
      }
      reply = read
    }
    cores[number].complete(batch, with: reply)
    return batch.start + reply.executed < batch.end
  }
}

extension SplitMix: RandomNumberGenerator {}

@Suite("Forwarding between nodes") struct ForwardingTests {
  @Test func `three nodes answer as one does, whichever is asked`() {
    let cluster = ThreeNodes(shards: [1, 3, 2])
    var alone = Harness(shards: 2)
    var numbers = SplitMix(state: 7)
    for round in 0..<3_000 {
      let key = { "k\(Int.random(in: 0..<40, using: &numbers))" }
      let line =
        switch round % 12 {
        case 0, 1: "SET \(key()) \(round)"
        case 2: "GET \(key())"
        case 3: "MSET \(key()) 1 \(key()) 2 \(key()) 3"
        case 4: "MGET \(key()) \(key()) \(key()) nothing"
        case 5: "DEL \(key()) \(key())"
        case 6: "EXISTS \(key()) \(key()) \(key())"
        case 7: "INCRBY \(key()) 5"
        case 8: "DBSIZE"
        case 9: "SET \(key()) \"two words\" NX"
        case 10: "GET"
        default: round % 1_000 == 999 ? "FLUSHALL" : "SET \(key()) x GET"
        }
      let expected = alone(line)
      #expect(cluster.send(line, to: round % 3) == expected, "\(line)")
    }
    #expect(cluster.forwarded > 1_000)
    #expect(cluster.keys(of: "a") + cluster.keys(of: "b") + cluster.keys(of: "c") == alone.keyCount)
  }

  @Test(arguments: [1, 60, 300, 2_000])
  func `what does not fit into one answer comes in the next, and nothing is executed twice`(answerLimit: Int) {
    let cluster = ThreeNodes(shards: [1, 3, 2], answerLimit: answerLimit)
    var alone = Harness(shards: 2)
    var numbers = SplitMix(state: 11)
    for round in 0..<300 {
      let key = { "k\(Int.random(in: 0..<60, using: &numbers))" }
      let lines = (0..<30).map { number in
        switch Int.random(in: 0..<9, using: &numbers) {
        case 0, 1: "SET \(key()) \(String(repeating: "v", count: Int.random(in: 0..<200, using: &numbers)))"
        case 2: "GET \(key())"
        case 3: "MSET \(key()) 1 \(key()) 2 \(key()) 3"
        case 4: "MGET \(key()) \(key()) \(key()) nothing"
        case 5, 6: "DEL \(key()) \(key()) \(key()) \(key()) \(key()) \(key())"
        case 7: "INCR counter\(Int.random(in: 0..<4, using: &numbers))"
        default: "DBSIZE"
        }
      }.joined(separator: "\r\n")
      let expected = alone(lines)
      #expect(cluster.send(lines, to: round % 3) == expected)
    }
  }

  /// A batch of GETs for the other node.
  private func batch(_ count: Int) throws -> ShardBatch {
    var configuration = ServerConfiguration()
    let ring = try #require(NodeRing(own: "a", peers: ["b"]))
    configuration.ring = ring
    var core = ClientCore(id: 1, router: CommandRouter(configuration: configuration))
    let keys = (0...).lazy.map { "k\($0)" }.filter { ring.owner(of: Array($0.utf8).span) == 1 }.prefix(count)
    core.receive(Array(keys.map { "GET \($0)\r\n" }.joined().utf8).span)
    return try #require(core.nextRound { ServerFacts() }.first)
  }

  @Test func `fewer answers than requests are read, but not none, nor a part of one, nor too many`() throws {
    let batch = try batch(3)
    #expect(batch.end == 3)
    for count in 1...3 {
      let reply = try #require(batch.reply(from: Array(String(repeating: "$1\r\nx\r\n", count: count).utf8)))
      #expect(reply.executed == count)
    }
    for text in ["", "$1\r\nx\r\n$1\r\n", "$-1\r\n$-1\r\n$-1\r\n$-1\r\n"] {
      #expect(batch.reply(from: Array(text.utf8)) == nil)
    }
  }

  @Test func `a first answer that is too long to travel becomes an error, and its neighbours go on`() {
    func value(_ count: Int) -> [UInt8] {
      var writer = ReplyWriter()
      writer.bulk([UInt8](repeating: 120, count: count).span)
      return writer.bytes
    }
    let limit = ForwardedAnswers.longestBytes
    let fits = value(limit - value(limit).count + limit)
    #expect(fits.count == limit)
    let neighbours = Array("+OK\r\n".utf8) + value(900_000)
    #expect(ForwardedAnswers.travelling(fits + neighbours) == fits + neighbours)
    let error = Array("-ERR the value is above the 15000000 bytes that another node can forward\r\n".utf8)
    #expect(ForwardedAnswers.travelling(value(limit) + neighbours) == error + neighbours)
    #expect(ForwardedAnswers.travelling([]) == [])
  }

  @Test func `an answer that is cut short is an error that names the peer, and the next request is answered`() {
    let cluster = ThreeNodes(shards: [1, 1, 1])
    cluster.broken = "b"
    #expect(cluster.send("DBSIZE", to: 0) == "-ERR peer b gave no answer\r\n")
    cluster.broken = nil
    #expect(cluster.send("DBSIZE", to: 0) == ":0\r\n")
  }

  @Test(
    arguments: [
      ("+OK\r\n", 5), ("-ERR x\r\n:1\r\n", 8), (":12\r\n", 5), ("$3\r\nabc\r\n", 9), ("$-1\r\n", 5), ("$0\r\n\r\n", 6),
      ("*2\r\n$1\r\na\r\n*-1\r\n+", 16), ("*0\r\n", 4),
    ] as [(String, Int?)])
  func `finds the end of an answer`(text: String, end: Int?) {
    #expect(scan(Array(text.utf8)) == end)
  }

  @Test(arguments: [
    "", "+", "+OK", "+OK\r", "$3\r\nab", "$3\r\nabc\r", "$9223372036854775807\r\n", "*2\r\n:1\r\n", "?\r\n", "$x\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
  ])
  func `an answer that is cut short or malformed has no end`(text: String) {
    #expect(scan(Array(text.utf8)) == nil)
  }

  private func scan(_ bytes: [UInt8]) -> Int? { ReplyScanner.end(of: bytes.span, from: 0) }
}
