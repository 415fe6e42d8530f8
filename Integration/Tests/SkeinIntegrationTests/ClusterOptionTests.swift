// ClusterOptionTests: what `skein serve` says of a cluster's options.

import Testing

extension Integration {
  @Suite("Cluster: options") struct ClusterOptionTests {
    @Test(arguments: IOBackend.allCases)
    func `the ready line names the cluster's address with its real port`(io: IOBackend) throws {
      try withNode(io, ["--cluster", "127.0.0.1:0"]) { node in
        let address = try #require(node.clusterAddress, "\(node.readyLine)")
        #expect(address.hasPrefix("127.0.0.1:"))
        let port = try #require(UInt16(address.dropFirst("127.0.0.1:".count)))
        #expect(port != 0 && port != node.port)
        let answer = try RawClient(port: port).call("@simpledb", session: 1, Wire.string("GET") + Wire.string("k"))
        #expect(answer.type == 1 && answer.body == [0])
      }
    }

    @Test func `without the option nothing listens for nodes, and INFO says that there is no cluster`() throws {
      try withNode(.epoll) { node in
        #expect(!node.readyLine.contains("cluster="))
        guard case .bulk(let bytes) = try node.client().ask("INFO", "cluster") else { throw Failure("no INFO") }
        #expect(String(decoding: bytes, as: UTF8.self).contains("cluster_enabled:0"))
      }
    }

    static let offLoopback: [(options: [String], names: String)] = [
      (["--cluster", "0.0.0.0:0"], "--cluster 0.0.0.0:0"),
      (["--cluster", "[::]:0"], "--cluster [::]:0"),
      (["--cluster", "127.0.0.1:0", "--peer", "db2=192.0.2.7:7000"], "192.0.2.7:7000"),
    ]

    @Test(arguments: offLoopback.indices)
    func `a cluster off loopback is refused with a sentence, unless it is meant`(index: Int) throws {
      let (options, names) = Self.offLoopback[index]
      let arguments = ["serve", "--resp", "127.0.0.1:0"] + options
      let refused = try runTool(Environment.skein(), arguments)
      #expect(refused.status == .code(1))
      #expect(refused.output.isEmpty, "no ready line")
      #expect(refused.errors.contains(names) && refused.errors.contains("--insecure-cluster"), "\(refused.errors)")
      #expect(refused.errors.hasPrefix("skein: ") && refused.errors.hasSuffix(".\n"), "\(refused.errors)")
      let allowed = try ChildProcess(Environment.skein(), arguments + ["--insecure-cluster"])
      try #expect(allowed.readLine().hasPrefix("ready "))
    }

    static let bad: [(options: [String], says: String)] = [
      (["--cluster", "nonsense"], "--cluster nonsense"),
      (["--cluster", "127.0.0.1:70000"], "--cluster 127.0.0.1:70000"),
      (["--cluster", "127.0.0.1:0", "--peer", "db2"], "--peer db2: give NAME=ADDR:PORT"),
      (["--cluster", "127.0.0.1:0", "--peer", "=127.0.0.1:7000"], "give NAME=ADDR:PORT"),
      (["--cluster", "127.0.0.1:0", "--peer", "db2=nowhere"], "--peer nowhere"),
      (["--cluster", "127.0.0.1:0", "--peer", "db2=127.0.0.1:x"], "--peer 127.0.0.1:x"),
      (
        ["--cluster", "127.0.0.1:0", "--peer", "db2=127.0.0.1:7000", "--peer", "db2=127.0.0.1:7001"],
        "each node has another name"
      ),
      (["--cluster", "127.0.0.1:0", "--name", "db1", "--peer", "db1=127.0.0.1:7000"], "called db1"),
      (["--peer", "db2=127.0.0.1:7000"], "--peer needs --cluster"),
      (["--cluster", "127.0.0.1:0", "--peer", "a,b=127.0.0.1:7000"], "a comma or a control character"),
      (["--cluster", "127.0.0.1:0", "--peer", "a\nb=127.0.0.1:7000"], "a comma or a control character"),
      (["--cluster", "127.0.0.1:0", "--name", "a\u{1}"], "a comma or a control character"),
      (["--cluster", "127.0.0.1:0", "--peer-wait", "0"], "--peer-wait takes more than 0"),
      (["--cluster", "127.0.0.1:0", "--peer-wait", "-1"], "--peer-wait"),
      (["--cluster", "127.0.0.1:0", "--peer-wait", "inf"], "--peer-wait takes more than 0"),
    ]

    @Test(arguments: bad.indices)
    func `options that cannot be are refused with a sentence that names them`(index: Int) throws {
      let (options, says) = Self.bad[index]
      let result = try runTool(Environment.skein(), ["serve", "--resp", "127.0.0.1:0"] + options)
      #expect(result.status != .code(0))
      if case .signal = result.status { Issue.record("no reason to crash: \(result.errors)") }
      #expect(result.output.isEmpty)
      #expect(result.errors.contains(says), "\(result.errors)")
    }

    @Test(arguments: IOBackend.allCases)
    func `a cluster port that another process holds is a clear error`(io: IOBackend) throws {
      let taken = try FreePort()
      let result = try runTool(
        Environment.skein(),
        ["serve", "--io", io.rawValue, "--resp", "127.0.0.1:0", "--cluster", "127.0.0.1:\(taken.port)"])
      #expect(result.status == .code(1))
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("\(taken.port)"), "\(result.errors)")
      #expect(result.errors.lowercased().contains("in use"), "\(result.errors)")
    }
  }
}
