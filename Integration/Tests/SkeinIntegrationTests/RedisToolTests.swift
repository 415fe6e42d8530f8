// RedisToolTests: Redis' own clients, unmodified, beside redis-server.

import Foundation
import Testing

extension Integration {
  @Suite("Redis tools") struct RedisToolTests {
    /// The script's command lines: what one would type into redis-cli.
    static func script() throws -> [String] {
      let file = Environment.repositoryFile("Packages/CLI/Tests/Fixtures/redis-script.txt")
      let text = try String(contentsOf: file, encoding: .utf8)
      return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    /// Lines that end the connection, which redis-cli would not send twice.
    static let lastLines = ["QUIT", "quit now", "SET key \"open", "GET 'open", "SET key \"closed\"early"]

    @Test func `the script has at least 150 lines and every command that the node knows`() throws {
      let lines = try Self.script()
      #expect(lines.count >= 150)
      let used = Set((lines + Self.lastLines).compactMap { $0.split(separator: " ").first?.uppercased() })
      let known = [
        "PING", "ECHO", "GET", "SET", "MGET", "MSET", "DEL", "EXISTS", "INCR", "INCRBY", "EXPIRE", "TTL", "PTTL",
        "DBSIZE", "FLUSHALL", "COMMAND", "CONFIG", "INFO", "AUTH", "SELECT", "QUIT",
      ]
      let missing = known.filter { !used.contains($0) }
      #expect(missing.isEmpty)
    }

    /// The bytes that the server on `port` answers to each line, typed in over a bare socket, and "closed" where it then closes.
    ///
    /// A request with a known answer follows each line, so that an answer too few or too many is seen.
    private func answers(of port: UInt16, to lines: [String]) throws -> [String] {
      var client = try RawClient(port: port)
      var answers: [String] = []
      for (index, line) in lines.enumerated() {
        let mark = "mark-\(index)"
        try client.send(Array("\(line)\r\n".utf8) + Request.bytes("ECHO", mark))
        let (bytes, closed) = try client.readUpTo(Array("$\(mark.utf8.count)\r\n\(mark)\r\n".utf8))
        answers.append(String(decoding: bytes, as: UTF8.self) + (closed ? "closed" : ""))
        if closed { client = try RawClient(port: port) }
      }
      return answers
    }

    @Test(arguments: IOBackend.allCases)
    func `every command of the script is answered byte for byte as redis-server answers it`(io: IOBackend) throws {
      let lines = try Self.script() + Self.lastLines
      let redis = try RedisServer()
      let expected = try answers(of: redis.port, to: lines)
      try withNode(io) { node in
        let actual = try answers(of: node.port, to: lines)
        for ((line, expected), actual) in zip(zip(lines, expected), actual) {
          #expect(actual == expected, "\(line)")
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `redis-cli prints for the script what it prints with redis-server`(io: IOBackend) throws {
      let lines = try Self.script()
      let redis = try RedisServer()
      let expected = try runTool("redis-cli", ["-p", "\(redis.port)", "--no-raw"], inputLines: lines)
      try withNode(io) { node in
        let actual = try runTool("redis-cli", ["-p", "\(node.port)", "--no-raw"], inputLines: lines)
        #expect(actual.status == expected.status)
        #expect(actual.errors == expected.errors)
        let printed = actual.output.split(separator: "\n", omittingEmptySubsequences: false)
        let reference = expected.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(printed.count == reference.count)
        for (index, pair) in zip(printed, reference).enumerated() where pair.0 != pair.1 {
          Issue.record("line \(index + 1) of redis-cli's output is “\(pair.0)”, with redis-server “\(pair.1)”")
          break
        }
        #expect(reference.count >= 150)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `redis-benchmark ends without an error`(io: IOBackend) throws {
      let requests = isSoak ? 200_000 : 20_000
      try withNode(io) { node in
        let arguments = ["-p", "\(node.port)", "-t", "get,set", "-n", "\(requests)", "-c", "50", "-P", "16", "-q"]
        let result = try runTool("redis-benchmark", arguments, withinSeconds: 60)
        #expect(result.status == .code(0))
        #expect(result.errors.isEmpty, "\(result.errors)")
        for name in ["SET", "GET"] {
          #expect(result.output.contains("\(name): "), "\(result.output)")
        }
        for trouble in ["rror", "WARN"] {
          #expect(!result.output.contains(trouble), "\(result.output)")
        }
        // 50 clients and this one: nobody was left behind.
        let client = try node.client()
        try #expect(client.ask("EXISTS", "key:__rand_int__") == .integer(1))
      }
    }
  }
}

extension RawClient {
  /// The bytes before `mark`, which is taken as well; or all bytes, and true, when the stream ends without it.
  func readUpTo(_ mark: [UInt8]) throws -> (bytes: [UInt8], closed: Bool) {
    var bytes: [UInt8] = []
    while !bytes.suffix(mark.count).elementsEqual(mark) {
      guard let byte = try readByte() else { return (bytes, true) }
      bytes.append(byte)
    }
    bytes.removeLast(mark.count)
    return (bytes, false)
  }
}
