import Testing

@testable import SkeinRESP

/// Three nodes without a network: what one forwards, the owner executes with shards and a router of its own.
private final class ThreeNodes {
  private final class Node {
    let router: CommandRouter
    var local: Harness
    init(name: String, peers: [String], shards: Int) {
      var configuration = ServerConfiguration()
      configuration.shardCount = shards
      configuration.ring = NodeRing(own: name, peers: peers)
      router = CommandRouter(configuration: configuration)
      local = Harness(shards: shards)
    }
  }

  private let names = ["a", "b", "c"]
  private let nodes: [Node]
  private var cores: [ClientCore]
  private(set) var forwarded = 0
  /// A node that answers nothing sensible.
  var broken: String?

  init(shards: [Int]) {
    let names = names
    nodes = names.enumerated().map { index, name in
      Node(name: name, peers: names.filter { $0 != name }, shards: shards[index])
    }
    cores = nodes.map { ClientCore(id: 1, router: $0.router) }
  }

  func keys(of name: String) -> Int { nodes[names.firstIndex(of: name)!].local.keyCount }

  /// Sends `line` to a node, as a client does, and returns the answer.
  func send(_ line: String, to number: Int) -> String {
    let node = nodes[number]
    cores[number].receive(Array((line + "\r\n").utf8).span)
    var output: [UInt8] = []
    while true {
      let batches = cores[number].nextRound { ServerFacts() }
      for batch in batches { complete(batch, node, number) }
      let answers = cores[number].takeOutput()
      cores[number].acknowledge(answers.count)
      output += answers
      if batches.isEmpty && answers.isEmpty { return String(decoding: output, as: UTF8.self) }
    }
  }

  private func complete(_ batch: ShardBatch, _ node: Node, _ number: Int) {
    let shards = node.router.configuration.shardCount
    if batch.shard < shards { return cores[number].complete(batch, with: node.local.execute(batch)) }
    forwarded += 1
    let peer = node.router.configuration.ring!.peers[batch.shard - shards]
    var answers = nodes[names.firstIndex(of: peer)!].local.exchange(batch.requests())
    if peer == broken { answers.removeLast() }
    if let reply = batch.reply(from: answers) {
      cores[number].complete(batch, with: reply)
    } else {
      cores[number].fail(batch, "ERR peer \(peer) gave no answer")
    }
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
