import SkeinRESP
import Testing

@Suite("Keyspace") struct KeyspaceTests {
  @Test func `a key is gone once its time has come, whoever looks first`() {
    for look in ["GET k", "EXISTS k", "TTL k", "DEL k", "EXPIRE k 5", "PERSIST k", "SET k 2 XX", "MGET k"] {
      var redis = Harness()
      #expect(redis("SET k 1 PX 100") == "+OK\r\n")
      redis.now += 99
      #expect(redis("PTTL k") == ":1\r\n")
      redis.now += 1
      #expect(redis("DBSIZE") == ":1\r\n")
      let answer = redis(look)
      #expect(["$-1\r\n", ":0\r\n", ":-2\r\n", "*1\r\n$-1\r\n"].contains(answer))
      #expect(redis("DBSIZE") == ":0\r\n")
      #expect(redis.usedBytes == 0 && redis.deadlineCount == 0)
    }
  }

  @Test func `SET forgets the deadline and KEEPTTL keeps it`() {
    var redis = Harness()
    _ = redis("SET k 1 EX 100")
    #expect(redis("SET k 22222222222222222222222222222222222 KEEPTTL") == "+OK\r\n")
    #expect(redis("TTL k") == ":100\r\n")
    #expect(redis("INCR n") == ":1\r\n")
    #expect(redis("EXPIRE n 7") == ":1\r\n")
    #expect(redis("INCRBY n 123456789") == ":123456790\r\n")
    #expect(redis("TTL n") == ":7\r\n")
    #expect(redis("SET k 3") == "+OK\r\n")
    #expect(redis("TTL k") == ":-1\r\n")
    #expect(redis("MSET n 1") == "+OK\r\n")
    #expect(redis("TTL n") == ":-1\r\n")
    #expect(redis.deadlineCount == 0)
  }

  @Test func `every expiry option means the same moment`() {
    for option in ["EX 5", "PX 5000", "EXAT 1005", "PXAT 1005000"] {
      var redis = Harness()
      #expect(redis("SET k v \(option)") == "+OK\r\n")
      #expect(redis("PTTL k") == ":5000\r\n")
    }
  }

  @Test func `TTL rounds to the nearest second`() {
    var redis = Harness()
    for (milliseconds, seconds) in [(1, 0), (499, 0), (500, 1), (1_499, 1), (1_500, 2)] {
      _ = redis("SET k v PX \(milliseconds)")
      #expect(redis("TTL k") == ":\(seconds)\r\n")
    }
  }

  @Test func `NX and XX look whether there is a key`() {
    var redis = Harness()
    #expect(redis("SET k 1 XX") == "$-1\r\n")
    #expect(redis("SET k 1 NX") == "+OK\r\n")
    #expect(redis("SET k 2 NX") == "$-1\r\n")
    #expect(redis("SET k 3 XX GET") == "$1\r\n1\r\n")
    #expect(redis("SET k 4 NX GET") == "$1\r\n3\r\n")
    #expect(redis("GET k") == "$1\r\n3\r\n")
  }

  @Test func `EXPIRE's conditions look at the deadline there is`() {
    var redis = Harness()
    _ = redis("SET k 1")
    #expect(redis("EXPIRE k 10 XX") == ":0\r\n")
    #expect(redis("EXPIRE k 10 GT") == ":0\r\n")
    #expect(redis("EXPIRE k 10 LT") == ":1\r\n")
    #expect(redis("EXPIRE k 20 NX") == ":0\r\n")
    #expect(redis("EXPIRE k 10 GT") == ":0\r\n")
    #expect(redis("EXPIRE k 11 GT") == ":1\r\n")
    #expect(redis("EXPIRE k 11 LT") == ":0\r\n")
    #expect(redis("TTL k") == ":11\r\n")
    #expect(redis("EXPIRE k -1") == ":1\r\n")
    #expect(redis("EXISTS k") == ":0\r\n")
  }

  @Test func `counters refuse to overflow and keep their value`() {
    var redis = Harness()
    _ = redis("SET n \(Int64.max)")
    #expect(redis("INCR n") == "-ERR increment or decrement would overflow\r\n")
    #expect(redis("DECRBY n \(Int64.min)") == "-ERR decrement would overflow\r\n")
    #expect(redis("GET n") == "$19\r\n\(Int64.max)\r\n")
    _ = redis("SET n \(Int64.min)")
    #expect(redis("DECR n") == "-ERR increment or decrement would overflow\r\n")
    #expect(redis("INCRBY n \(Int64.max)") == ":-1\r\n")
  }

  @Test func `looking through the buckets removes what has expired and nothing else`() {
    var redis = Harness()
    for index in 0..<1_000 { _ = redis("SET k\(index) v \(index % 2 == 0 ? "PX 100" : "")") }
    redis.now += 100
    var removed = 0
    for _ in 0..<1_000 where redis.deadlineCount > 0 { removed += redis.expire(buckets: 64) }
    #expect(removed == 500 && redis.keyCount == 500)
    #expect(redis("GET k1") == "$1\r\nv\r\n")
    #expect(redis.expire(buckets: 64) == 0)
  }

  @Test func `memory is counted by the stated formula and given back`() {
    var redis = Harness()
    for (key, value) in [(1, 0), (1, 15), (1, 16), (100, 1_000), (7, 8)] {
      _ = redis.exchange(request("SET", String(repeating: "k", count: key), String(repeating: "v", count: value)))
      #expect(redis.usedBytes == (32 + key + value + 15) / 16 * 16 + 16)
      _ = redis("DEL \(String(repeating: "k", count: key))")
      #expect(redis.usedBytes == 0)
    }
  }

  @Test func `above maxmemory writes are refused and nothing changes`() {
    var redis = Harness { $0.maxMemoryBytes = 200 }
    let error = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    #expect(redis("SET a 1") == "+OK\r\n")
    #expect(redis("SET b \(String(repeating: "x", count: 200))") == error)
    #expect(redis("SET a \(String(repeating: "x", count: 200)) GET") == error)
    #expect(redis("MSET c 1 d 1 e 1") == error)
    #expect(redis("DBSIZE") == ":1\r\n")
    #expect(redis("MSET c 1 d 1") == "+OK\r\n")
    #expect(redis("INCR e") == error)
    #expect(redis("INCR a") == ":2\r\n")
    #expect(redis("EXPIRE a 100") == ":1\r\n")
    #expect(redis("DEL c") == ":1\r\n")
    #expect(redis("INCR e") == ":1\r\n")
    #expect(redis.usedBytes <= 200)
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `holds what a dictionary holds through growing and shrinking`(seed: UInt64) {
    var redis = Harness()
    var model: [String: String] = [:]
    var random = SplitMix(state: seed)
    for round in 0..<20_000 {
      // Phases of growth and of decline, so that the table is rebuilt both ways.
      let grows = round / 4_000 % 2 == 0
      let key = "key:\(random.next() % 3_000)"
      if random.next() % 10 < (grows ? 8 : 1) {
        let value = String(repeating: "v", count: Int(random.next() % 40))
        #expect(redis.exchange(request("SET", key, value)) == Array("+OK\r\n".utf8))
        model[key] = value
      } else {
        let removed = model.removeValue(forKey: key) != nil
        #expect(redis("DEL \(key)") == (removed ? ":1\r\n" : ":0\r\n"))
      }
      let other = "key:\(random.next() % 3_000)"
      #expect(redis("GET \(other)") == (model[other].map { "$\($0.count)\r\n\($0)\r\n" } ?? "$-1\r\n"))
    }
    #expect(redis.keyCount == model.count)
    for (key, value) in model { #expect(redis("GET \(key)") == "$\(value.count)\r\n\(value)\r\n") }
    #expect(redis("FLUSHALL") == "+OK\r\n")
    #expect(redis.keyCount == 0 && redis.usedBytes == 0)
  }
}

/// A small seeded generator.
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
