// RequestCommandTests: `skein call` and `skein send` against our nodes and against a port that plays Skynet.

import Testing

extension Integration {
  @Suite("Commands: call and send") struct RequestCommandTests {
    private static func skein(_ words: String...) throws -> ToolResult { try runTool(Environment.skein(), words) }

    private static func withPort(_ io: IOBackend, _ body: (Node, String) throws -> Void) throws {
      try withNode(io, ["--cluster", "127.0.0.1:0"]) { node in
        try body(node, try #require(node.clusterAddress, "\(node.readyLine)"))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `the keys are Skynet's simpledb: SET answers the value before, in upper and lower case`(
      io: IOBackend
    ) throws {
      try Self.withPort(io) { node, address in
        let steps: [(words: [String], answer: String)] = [
          (["SET", "hello", "world"], "nil"), (["GET", "hello"], "\"world\""), (["set", "hello", "7"], "\"world\""),
          (["get", "hello"], "\"7\""), (["SET", "5", "1.5"], "nil"), (["GET", "s:5"], "\"1.5\""),
          (["GET", "nobody"], "nil"), (["DEL", "hello"], "1"), (["DEL", "hello"], "0"),
        ]
        for (words, answer) in steps {
          let result = try runTool(Environment.skein(), ["call", address, "@simpledb"] + words)
          #expect(result.output == "\(answer)\n" && result.status == .code(0), "\(words): \(result)")
          #expect(result.errors.isEmpty, "\(result.errors)")
        }
        try #expect(node.client().ask("GET", "5") == .text("1.5"), "the same keys as Redis clients have")
      }
    }

    @Test(arguments: backendPairs)
    func `every node answers for every key under simpledb`(backends: [IOBackend]) throws {
      try withCluster(backends) { cluster in
        try cluster.start(0)
        try cluster.start(1)
        for (index, key) in [cluster.key(of: 1), cluster.key(of: 0)].enumerated() {
          let ports = cluster.ports.map { "127.0.0.1:\($0)" }
          let set = try Self.skein("call", ports[index], "@simpledb", "SET", key, "far")
          #expect(set.output == "nil\n", "\(set)")
          let get = try Self.skein("call", ports[1 - index], "@simpledb", "get", key)
          #expect(get.output == "\"far\"\n", "\(get)")
        }
        try #expect(cluster.keysHeld(0) == 1 && cluster.keysHeld(1) == 1)
        let direct = try Self.skein("call", "127.0.0.1:\(cluster.ports[0])", "@simpledb.0", "EXECUTE")
        #expect(direct.status == .code(1), "the shards are not exported: \(direct)")
      }
    }

    /// Words of the command line after the command's name, and what the service gets, in Skynet's encoding.
    static let forms: [(words: [String], hex: String)] = [
      (["1", "0", "-1", "255", "70000"], "0a01 02 22ffffffff 0aff 2270110100"),
      (["9223372036854775807", "-9223372036854775808"], "32ffffffffffffff7f 320000000000000080"),
      (["1.5", "-0.25", "1e3"], "42000000000000f83f 42000000000000d0bf 420000000000408f40"),
      (["true", "false", "nil"], "09 01 00"),
      (["word", "s:123", "s:", "s:s:x", "s:true"], "24776f7264 1c313233 04 1c733a78 2474727565"),
      (["inf", "nan", "0x10", "+5", "1e", ""], "1c696e66 1c6e616e 2430783130 142b35 143165 04"),
      (["-5", "--timeout", "9", "-1.5"], "22fbffffff 42000000000000f8bf"),
      (["--", "-5", "--timeout", "-x"], "22fbffffff 4c2d2d74696d656f7574 142d78"),
      (["é"], "14c3a9"),
      (["\u{1}", "\u{1}-5", "\u{1}\u{1}x"], "0c01 1c012d35 1c010178"),
      (["--", "\u{1}-5", "-5"], "1c012d35 22fbffffff"),
      ([], ""),
    ]

    @Test(arguments: forms.indices, ["call", "send"])
    func `words of the command line become values`(index: Int, command: String) throws {
      let (words, hex) = Self.forms[index]
      let peer = try FakePeer { _ in (1, []) }
      let result = try runTool(
        Environment.skein(), [command, "127.0.0.1:\(peer.port)", "@any", "DO"] + words)
      #expect(result.status == .code(0), "\(result)")
      #expect(result.output == (command == "call" ? "\n" : ""), "an answer without values is an empty line")
      let bodies = try Poll.until("the request has come") { peer.bodies.isEmpty ? nil : peer.bodies }
      #expect(bodies.map { Wire.hex($0) } == [Wire.hex(Wire.string("DO") + Wire.bytes(hex))])
    }

    @Test(arguments: [
      ["--timeout", "3", "PORT", "@any", "DO", "-7"], ["PORT", "--timeout", "3", "@any", "DO", "-7"],
      ["PORT", "@any", "--timeout=3", "DO", "-7"], ["PORT", "@any", "DO", "-7", "--timeout", "3"],
      ["--timeout", "3", "--", "PORT", "@any", "DO", "-7"], ["PORT", "5", "DO", "-7"],
    ])
    func `options may stand anywhere, and the name may be a number`(words: [String]) throws {
      let peer = try FakePeer { _ in (1, [0x0A, 1]) }
      let real = words.map { $0 == "PORT" ? "127.0.0.1:\(peer.port)" : $0 }
      let result = try runTool(Environment.skein(), ["call"] + real)
      #expect(result.output == "1\n" && result.status == .code(0), "\(result)")
      #expect(peer.bodies == [Wire.string("DO") + Wire.bytes("22f9ffffff")])
    }

    /// Answers in Skynet's encoding, and their line.
    static let answers: [(hex: String, line: String)] = [
      ("", ""), ("00", "nil"), ("0a01 22ffffffff", "1, -1"), ("09 01", "true, false"),
      ("42000000000000f83f", "1.5"), ("42000000000000f0bf", "-1.0"), ("42000000000000f07f", "1/0"),
      ("320000000000000080", "-9223372036854775808"),
      ("04", "\"\""), ("346122625c6e63", "\"a\\\"b\\\\nc\""), ("1c610a62", "\"a\\nb\""),
      ("24000d097f", "\"\\x00\\r\\t\\x7f\""),
      ("14c3a9", "\"é\""), ("14c328", "\"\\xc3(\""), ("1ce280a8", "\"\\u{2028}\""),
      ("06 00", "{}"), ("16 0a01 00 00", "{1, nil}"), ("06 0c78 0c79 00", "{x = \"y\"}"),
      ("0e 0a01 0c78 0c79 00, 09", "{1, x = \"y\"}, true"), ("06 1c612062 0a01 00", "{[\"a b\"] = 1}"),
      ("06 1c656e64 0a01 00", "{[\"end\"] = 1}"), ("06 22ffffffff 09 00", "{[-1] = true}"),
      ("0e 0e 06 00 00 00", "{{{}}}"),
    ]

    @Test func `an answer is one line of Lua's literals`() throws {
      for (hex, line) in Self.answers {
        let peer = try FakePeer { _ in (1, Wire.bytes(hex)) }
        let result = try Self.skein("call", "127.0.0.1:\(peer.port)", "@any", "DO")
        #expect(result.output == "\(line)\n" && result.status == .code(0), "\(hex): \(result)")
      }
    }

    @Test func `four failures have four messages, each with the address and what to look at`() throws {
      let nobody = "127.0.0.1:\(try FreePort.find())"
      let refused = try Self.skein("call", nobody, "@simpledb", "GET", "x")
      #expect(refused.status == .code(1))
      #expect(refused.errors.contains("cannot connect to \(nobody)") && refused.errors.contains("cluster port open"))

      try Self.withPort(.epoll) { _, address in
        for name in ["@nobody", "4242", ".simpledb.0", "0"] {
          let unknown = try Self.skein("call", address, name, "GET", "x")
          #expect(unknown.status == .code(1))
          if name != "0" {
            #expect(unknown.errors.contains("\(address) exports nothing as \(name)"), "\(unknown.errors)")
            #expect(unknown.errors.contains("look at the names"), "\(unknown.errors)")
          }
        }
        for words in [["GET", "nil"], ["SET", "x", "true"], ["NONE", "x"], ["GET"]] {
          let thrown = try runTool(Environment.skein(), ["call", address, "@simpledb"] + words)
          #expect(thrown.status == .code(1))
          #expect(thrown.errors.contains("\(words[0]) of @simpledb at \(address) failed: "), "\(thrown.errors)")
          #expect(thrown.errors.contains("look at that node's log"), "\(thrown.errors)")
        }
      }

      let silent = try FakePeer { _ in nil }
      let began = ContinuousClock.now
      let late = try Self.skein("call", "127.0.0.1:\(silent.port)", "@any", "DO", "--timeout", "0.3")
      #expect(late.status == .code(2))
      #expect(late.errors.contains("no answer from @any at 127.0.0.1:\(silent.port) within 0.3 s"), "\(late.errors)")
      #expect(late.errors.contains("may have been executed: look at the service"), "\(late.errors)")
      #expect(ContinuousClock.now - began < .seconds(2))

      let failing = try FakePeer { _ in (0, Array("boom\nand more".utf8)) }
      let failed = try Self.skein("call", "127.0.0.1:\(failing.port)", "@any", "DO")
      #expect(failed.status == .code(1))
      #expect(failed.errors.contains("DO of @any at 127.0.0.1:\(failing.port) failed: boom"), "\(failed.errors)")

      for result in [refused, late, failed] {
        #expect(result.output.isEmpty && result.errors.hasPrefix("skein: "), "\(result)")
      }
    }

    @Test(arguments: ["call", "send"])
    func `an address that does not answer costs the time-out, and status 2`(command: String) throws {
      let mute = try MutePort()
      let result = try Self.skein(command, "127.0.0.1:\(mute.port)", "@any", "DO", "--timeout", "0.3")
      #expect(result.status == .code(2) && result.output.isEmpty, "\(result)")
      #expect(
        result.errors.contains("127.0.0.1:\(mute.port) has not taken the request to @any within 0.3 s"),
        "\(result.errors)")
      #expect(result.errors.contains("is a node's cluster port reachable there?"), "\(result.errors)")
    }

    @Test(arguments: ["0.3", "4"])
    func `a message that the peer does not take before the time is over is a failure, with status 2`(
      timeout: String
    ) throws {
      // It connects, and nobody reads; after 3 s a link may give up closing by itself.
      let port = try FreePort()
      let result = try Self.skein("send", "127.0.0.1:\(port.port)", "@any", "DO", "--timeout", timeout)
      #expect(result.status == .code(2) && result.output.isEmpty, "\(result)")
      #expect(result.errors.contains("127.0.0.1:\(port.port) has not taken the request to @any"), "\(result.errors)")
    }

    @Test func `a name that reads as a negative number, or begins with a control character, is that name`() throws {
      try Self.withPort(.epoll) { _, address in
        for name in ["-5", "\u{1}x", "\u{1}-5"] {
          let unknown = try Self.skein("call", address, name, "GET", "x")
          #expect(unknown.status == .code(1))
          #expect(unknown.errors.contains("exports nothing as \(name) "), "\(unknown.errors)")
        }
      }
      let refused = try Self.skein("call", "-5", "@x", "DO")
      #expect(refused.status == .code(1) && refused.errors.hasPrefix("skein: -5: "), "\(refused)")
      let late = try Self.skein("call", "127.0.0.1:1", "@x", "DO", "--timeout", "-1")
      #expect(!late.errors.contains("\u{1}") && late.errors.contains("--timeout"), "\(late)")
    }

    @Test(arguments: [
      ["127.0.0.1", "@x", "DO"], ["127.0.0.1:1", "", "DO"], ["127.0.0.1:1", "@x"], ["127.0.0.1:1", "@x", "DO", "-x"],
      ["127.0.0.1:1", "@x", "DO", "--timeout", "0"], ["127.0.0.1:1", "@x", "DO", "--timeout", "-1"],
    ])
    func `a command that cannot be made is refused before anything is sent`(words: [String]) throws {
      for command in ["call", "send"] {
        let result = try runTool(Environment.skein(), [command] + words)
        #expect(result.status != .code(0) && result.output.isEmpty)
        if case .signal = result.status { Issue.record("no reason to crash: \(result)") }
        #expect(!result.errors.isEmpty)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a message that is sent arrives, and nobody listening is an error`(io: IOBackend) throws {
      try Self.withPort(io) { node, address in
        let sent = try Self.skein("send", address, "@simpledb", "SET", "by", "send")
        #expect(sent.status == .code(0) && sent.output.isEmpty && sent.errors.isEmpty, "\(sent)")
        let client = try node.client()
        try Poll.until("the message has come") { try client.ask("GET", "by") == .text("send") }
      }
      let nobody = "127.0.0.1:\(try FreePort.find())"
      let refused = try Self.skein("send", nobody, "@simpledb", "SET", "a", "b")
      #expect(refused.status == .code(1) && refused.output.isEmpty)
      #expect(refused.errors.contains(nobody), "\(refused.errors)")
    }

    @Test func `large messages are sent whole, and large answers are printed whole`() throws {
      try Self.withPort(.epoll) { node, address in
        // The kernel limits one word to 128 KiB: the message has many.
        let words = (0..<16).map { _ in String(repeating: "x", count: 100_000) }
        let refusal = try runTool(Environment.skein(), ["call", address, "@simpledb", "GET"] + words)
        #expect(refusal.status == .code(1))
        #expect(refusal.errors.contains("GET of @simpledb"), "\(refusal.errors.prefix(300))")
        let set = try runTool(Environment.skein(), ["call", address, "@simpledb", "SET", "large", words[0]])
        #expect(set.output == "nil\n")
        try #expect(node.client().ask("GET", "large") == .text(words[0]))
        let get = try Self.skein("call", address, "@simpledb", "GET", "large")
        #expect(get.output == "\"\(words[0])\"\n")
        let client = try node.client()
        for round in 0..<10 {
          let value = "\(round)" + words[1]
          let sent = try Self.skein("send", address, "@simpledb", "SET", "sent", value)
          #expect(sent.status == .code(0), "\(sent.errors)")
          try Poll.until("the message has come") { try client.ask("GET", "sent") == .text(value) }
        }
      }
    }
  }
}
