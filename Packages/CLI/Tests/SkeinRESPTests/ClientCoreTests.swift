import SkeinRESP
import Testing

@Suite("ClientCore") struct ClientCoreTests {
  @Test(arguments: [
    ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
    ("foo a \"b c\"", "-ERR unknown command 'foo', with args beginning with: 'a' 'b c' \r\n"),
    ("foo \"a\\r\\nb\"", "-ERR unknown command 'foo', with args beginning with: 'a  b' \r\n"),
    ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
    ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
    ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
    ("SET a 1 BOGUS", "-ERR syntax error\r\n"), ("FLUSHALL NOW", "-ERR syntax error\r\n"),
    ("SET a 1 EX x", "-ERR value is not an integer or out of range\r\n"),
    ("SET a 1 EX 0", "-ERR invalid expire time in 'set' command\r\n"),
    ("EXPIRE a \(Int64.max)", "-ERR invalid expire time in 'expire' command\r\n"),
    ("PEXPIRE a \(Int64.max)", "-ERR invalid expire time in 'pexpire' command\r\n"),
    ("EXPIRE a 1 BOGUS", "-ERR Unsupported option BOGUS\r\n"), ("SELECT 16", "-ERR DB index is out of range\r\n"),
    ("EXPIRE a 1 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"),
    ("EXPIRE a 1 LT GT", "-ERR GT and LT options at the same time are not compatible\r\n"),
    ("INCRBY a x", "-ERR value is not an integer or out of range\r\n"),
    ("HELLO 3", "-NOPROTO unsupported protocol version\r\n"),
    ("CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP.\r\n"),
    ("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command\r\n"),
  ])
  func `an error reads as Redis 7.0 writes it`(command: String, answer: String) {
    var redis = Harness(shards: 3)
    #expect(redis(command) == answer)
  }

  @Test func `an unknown command is quoted up to 128 bytes`() {
    var redis = Harness()
    let long = String(repeating: "x", count: 200)
    let cut = String(repeating: "x", count: 128)
    #expect(redis("\(long) \(long) y") == "-ERR unknown command '\(cut)', with args beginning with: '\(cut)' \r\n")
    let forty = String(repeating: "z", count: 40)
    #expect(
      redis("f \(forty) \(forty) \(forty) q")
        == "-ERR unknown command 'f', with args beginning with: '\(forty)' '\(forty)' '\(forty.prefix(42))' \r\n")
  }

  @Test func `nothing but AUTH, HELLO, QUIT and RESET is for strangers`() {
    var redis = Harness(shards: 2) { $0.password = Array("secret".utf8) }
    for command in ["PING", "GET a", "MGET a b", "DBSIZE", "INFO", "CONFIG GET save", "FLUSHALL", "COMMAND"] {
      #expect(redis(command) == "-NOAUTH Authentication required.\r\n")
    }
    #expect(redis("GET") == "-ERR wrong number of arguments for 'get' command\r\n")
    #expect(redis("AUTH wrong!") == "-WRONGPASS invalid username-password pair or user is disabled.\r\n")
    for wrong in ["AUTH secre", "AUTH secrets", "AUTH \"\"", "AUTH nobody secret", "AUTH secretsecret"] {
      #expect(redis(wrong).hasPrefix("-WRONGPASS"))
    }
    #expect(redis("HELLO").hasPrefix("-NOAUTH HELLO must be called"))
    #expect(redis("AUTH secret") == "+OK\r\n")
    #expect(redis("GET a") == "$-1\r\n")
    #expect(redis("RESET") == "+RESET\r\n")
    #expect(redis("GET a") == "-NOAUTH Authentication required.\r\n")
    #expect(redis("HELLO 2 AUTH default secret").hasPrefix("*14\r\n"))
    #expect(redis("GET a") == "$-1\r\n")
  }

  @Test func `AUTH without a password set says so`() {
    var redis = Harness()
    #expect(
      redis("AUTH x")
        == "-ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        + "configuration is correct?\r\n")
  }

  @Test func `limits for strangers end in the middle of a stream, with AUTH`() {
    var redis = Harness { $0.password = Array("secret".utf8) }
    let many = request(["ECHO"] + Array(repeating: "x", count: 11))
    #expect(redis.exchange(request("AUTH", "secret") + many).starts(with: Array("+OK\r\n-ERR wrong number".utf8)))
    var stranger = Harness { $0.password = Array("secret".utf8) }
    #expect(stranger.exchange(many) == Array("-ERR Protocol error: unauthenticated multibulk length\r\n".utf8))
    #expect(stranger.core.isFinished)
  }

  @Test(arguments: 1...8)
  func `commands with many keys answer in the order asked, over any number of shards`(shards: Int) {
    var redis = Harness(shards: shards)
    let keys = (0..<40).map { "key\($0)" }
    #expect(redis("MSET " + keys.map { "\($0) \($0.uppercased())" }.joined(separator: " ")) == "+OK\r\n")
    #expect(redis("DBSIZE") == ":40\r\n")
    let answer = keys.reversed().map { "$\($0.count)\r\n\($0.uppercased())\r\n" }.joined()
    #expect(redis("MGET nothing " + keys.reversed().joined(separator: " ")) == "*41\r\n$-1\r\n" + answer)
    #expect(redis("EXISTS key1 key2 key1 nothing") == ":3\r\n")
    #expect(redis("DEL key1 key2 key1 nothing") == ":2\r\n")
    #expect(redis("DBSIZE") == ":38\r\n")
    #expect(redis("FLUSHALL ASYNC") == "+OK\r\n")
    #expect(redis("DBSIZE") == ":0\r\n")
  }

  @Test func `a pipeline takes effect in the order sent, also across shards`() {
    var redis = Harness(shards: 4)
    let sent = "SET a 1\nSET b 2\nDBSIZE\nPING\nMGET b a\nFLUSHALL\nDBSIZE\nSET a 3\nGET a\nNOPE\nQUIT\nPING\n"
    let output = redis.exchange(Array(sent.utf8))
    let expected =
      "+OK\r\n+OK\r\n:2\r\n+PONG\r\n*2\r\n$1\r\n2\r\n$1\r\n1\r\n+OK\r\n:0\r\n+OK\r\n$1\r\n3\r\n"
      + "-ERR unknown command 'NOPE', with args beginning with: \r\n+OK\r\n"
    #expect(String(decoding: output, as: UTF8.self) == expected)
    #expect(redis.core.isFinished && !redis.core.wantsInput)
  }

  @Test func `a key's shard is its FNV-1a hash`() {
    #expect(CommandRouter.shard(of: Array("a".utf8).span, count: 1_000) == Int(UInt64(0xAF63_DC4C_8601_EC8C) % 1_000))
    #expect(CommandRouter.shard(of: [UInt8]().span, count: 1_000) == Int(UInt64(0xCBF2_9CE4_8422_2325) % 1_000))
  }

  @Test func `a protocol error is answered after everything before it, and ends the connection`() {
    var redis = Harness(shards: 2)
    let output = redis.exchange(Array("SET a 1\r\nGET a\r\n*1\r\n!\r\nPING\r\n".utf8))
    #expect(
      String(decoding: output, as: UTF8.self)
        == "+OK\r\n$1\r\n1\r\n-ERR Protocol error: expected '$', got '!'\r\n")
    #expect(redis.core.isFinished)
    #expect(redis("PING") == "")
  }

  @Test func `a web browser's request ends the connection`() {
    for line in ["POST / HTTP/1.1", "Host: localhost"] {
      var redis = Harness()
      #expect(redis(line) == "")
      #expect(redis.core.isFinished)
    }
  }

  @Test func `CLIENT REPLY silences answers`() {
    var redis = Harness(shards: 2)
    #expect(redis("CLIENT REPLY SKIP") == "")
    #expect(redis("SET a 1") == "")
    #expect(redis("PING") == "+PONG\r\n")
    #expect(redis("CLIENT REPLY OFF") == "")
    for command in ["PING", "GET a", "MGET a b c d", "NOPE", "GET"] { #expect(redis(command) == "") }
    #expect(redis("CLIENT REPLY ON") == "+OK\r\n")
    #expect(redis("GET a") == "$1\r\n1\r\n")
  }

  @Test func `a shard that fails is told for each of its commands`() {
    var redis = Harness()
    redis.core.receive(Array("GET a\nPING\nGET b\n".utf8).span)
    for batch in redis.core.nextRound(facts: { ServerFacts() }) { redis.core.fail(batch, "ERR too late") }
    #expect(redis.core.takeOutput() == Array("-ERR too late\r\n+PONG\r\n-ERR too late\r\n".utf8))
    #expect(redis.core.isIdle && redis.core.wantsInput)
  }

  @Test func `INFO tells the sections asked for, with the keys of all shards`() {
    var redis = Harness(shards: 3)
    _ = redis("MSET a 1 b 2 c 3")
    _ = redis("EXPIRE a 100")
    #expect(redis("INFO keyspace") == "$44\r\n# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n\r\n")
    #expect(redis("INFO nosuchsection") == "$0\r\n\r\n")
    let all = redis("INFO")
    for section in ["# Server\r\n", "# Clients\r\n", "# Memory\r\n", "redis_version:7.0.15\r\n", "used_memory:192\r\n"]
    {
      #expect(all.contains(section))
    }
  }
}
