import SkeinRESP
import Testing

@Suite("A client that does not read") struct SlowReaderTests {
  private static let limit = 10_000

  /// Runs rounds without any acknowledgement until nothing more happens; returns what the client could read.
  private static func run(_ redis: inout Harness) -> [UInt8] {
    var output: [UInt8] = []
    while true {
      let batches = redis.core.nextRound { ServerFacts() }
      for batch in batches { redis.core.complete(batch, with: redis.execute(batch)) }
      let answers = redis.core.takeOutput()
      output += answers
      if batches.isEmpty && answers.isEmpty { return output }
    }
  }

  @Test(arguments: [1, 2, 5], [100, 3_000, 30_000])
  func `makes us keep the limit and one answer at most, and gets everything once it reads`(shards: Int, size: Int) {
    var redis = Harness(shards: shards) { $0.replyLimitBytes = Self.limit }
    var sent: [UInt8] = []
    var expected: [UInt8] = []
    for index in 0..<20 {
      let value = String(repeating: "\(index % 10)", count: size)
      _ = redis.exchange(request("SET", "k\(index)", value))
      sent += request("GET", "k\(index)") + request("ECHO", "e\(index)")
      expected += Array("$\(size)\r\n\(value)\r\n$\("e\(index)".count)\r\ne\(index)\r\n".utf8)
    }
    redis.core.receive((sent + sent).span)
    var output: [UInt8] = []
    var stops = 0
    while true {
      let readable = Self.run(&redis)
      #expect(redis.core.unreadBytes <= Self.limit + size + 16)
      output += readable
      if readable.isEmpty { break }
      stops += redis.core.hasMore ? 1 : 0
      redis.core.acknowledge(readable.count)
    }
    #expect(output == expected + expected)
    #expect(stops > 0 || size == 100)
    #expect(redis.core.isIdle && redis.core.wantsInput)
  }

  @Test func `is answered in order even when the answers behind the oldest fill the queue`() {
    var redis = Harness(shards: 2) { $0.replyLimitBytes = 100 }
    let long = String(repeating: "x", count: 200)
    let sent = "SET a \(long)\nGET a\nGET a\nECHO \(long)\nGET a\nMGET a b a\nPING\n"
    let answer = "$200\r\n\(long)\r\n"
    let expected = "+OK\r\n\(answer)\(answer)\(answer)\(answer)*3\r\n\(answer)$-1\r\n\(answer)+PONG\r\n"
    #expect(redis(sent) == expected)
  }

  @Test func `many requests that need no shard stop at the limit too`() {
    var redis = Harness { $0.replyLimitBytes = 100 }
    redis.core.receive(Array(String(repeating: "PING\n", count: 1_000).utf8).span)
    #expect(Self.run(&redis).count < 110)
    #expect(redis.core.hasMore && redis.core.waitsForReader && !redis.core.wantsInput)
    redis.core.acknowledge(redis.core.unreadBytes)
    #expect(redis.exchange([]).count == 1_000 * 7 - 105)
    #expect(redis.core.wantsInput)
  }
}
