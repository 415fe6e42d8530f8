// StartTests: what `skein serve` says when it starts, and what it refuses.

import Glibc
import Testing

extension Integration {
  @Suite("Start") struct StartTests {
    @Test(arguments: IOBackend.allCases)
    func `the first line says that the node is ready, where it listens and with which backend`(io: IOBackend) throws {
      try withNode(io, ["--name", "blackbird"]) { node in
        #expect(node.readyLine.contains("name=blackbird"))
        try #expect(node.client().ask("PING") == .pong)
      }
    }

    @Test(arguments: [["--version"], ["serve", "--version"]])
    func `the version is one line`(arguments: [String]) throws {
      let result = try runTool(Environment.skein(), arguments)
      #expect(result.status == .code(0))
      #expect(result.output.wholeMatch(of: /(skein )?\d+\.\d+\.\d+[^\n]*\n/) != nil, "\(result.output)")
      #expect(result.errors.isEmpty)
    }

    /// Each option of `skein serve`, and a word of its default where it has one.
    static let options: [(name: String, fallback: String)] = [
      ("--name", "default: skein"), ("--resp", "default: 127.0.0.1:6380"), ("--requirepass", "default: none"),
      ("--insecure", ""), ("--workers", "default: one for each core"), ("--services", "default: 4"),
      ("--io", "default: SKEIN_IO, else auto"), ("--max-clients", "default: 10000"),
      ("--maxmemory", "default: no limit"), ("--max-bulk-length", "default: 536870912"),
      ("--max-arguments", "default: 1048576"), ("--max-unread-output", "default: 8388608"),
      ("--call-deadline", "default: 5.0"), ("--cluster", ""), ("--peer", ""), ("--insecure-cluster", ""),
      ("--version", ""), ("--help", ""),
    ]

    @Test func `the help names every option and its default`() throws {
      let result = try runTool(Environment.skein(), ["serve", "--help"])
      #expect(result.status == .code(0))
      for option in Self.options {
        // An option's paragraph goes from its name to the next line that begins with one.
        let lines = result.output.split(separator: "\n")
        let start = lines.firstIndex {
          $0.drop(while: \.isWhitespace).split(whereSeparator: { " ,".contains($0) })
            .contains { $0 == option.name }
        }
        let first = try #require(start, "\(option.name) is missing in \(result.output)")
        let rest = lines[(first + 1)...].prefix { !$0.drop(while: \.isWhitespace).hasPrefix("-") }
        // Long lines are folded: words, whatever stands between them.
        let paragraph = ([lines[first]] + rest).flatMap { $0.split(separator: " ") }.joined(separator: " ")
        #expect(paragraph.contains(option.fallback), "\(paragraph)")
      }
    }

    @Test(arguments: ["0.0.0.0:0", "[::]:0"])
    func `an address off loopback is refused without a password or a word that it is meant`(address: String) throws {
      let executable = try Environment.skein()
      let refused = try runTool(executable, ["serve", "--resp", address])
      #expect(refused.status != .code(0))
      #expect(refused.output.isEmpty, "no ready line")
      #expect(refused.errors.contains("--requirepass"), "\(refused.errors)")
      #expect(refused.errors.contains("--insecure"), "\(refused.errors)")
      for permission in [["--insecure"], ["--requirepass", "secret"]] {
        let allowed = try ChildProcess(executable, ["serve", "--resp", address] + permission)
        try #expect(allowed.readLine().hasPrefix("ready "))
        allowed.signal(SIGTERM)
        try #expect(allowed.waitForExit() == .code(0))
      }
    }

    @Test(arguments: ["127.0.0.2:0", "[::1]:0"])
    func `every loopback address needs no permission`(address: String) throws {
      let node = try ChildProcess(Environment.skein(), ["serve", "--resp", address])
      try #expect(node.readLine().hasPrefix("ready "))
      node.signal(SIGTERM)
      try #expect(node.waitForExit() == .code(0))
    }

    static let badArguments: [[String]] = [
      ["--io", "uring"], ["--resp", "nonsense"], ["--resp", "127.0.0.1:70000"], ["--resp", "127.0.0.1:"],
      ["--workers", "0"], ["--workers", "many"], ["--services", "0"], ["--maxmemory", "lots"],
      ["--max-clients", "0"], ["--max-bulk-length", "0"], ["--max-arguments", "-1"], ["--max-unread-output", "0"],
      ["--call-deadline", "0"], ["--workers", "65"], ["--services", "100000"], ["--unheard-of"],
    ]

    @Test(arguments: badArguments)
    func `an option that cannot be is refused by name`(arguments: [String]) throws {
      let result = try runTool(Environment.skein(), ["serve"] + arguments)
      #expect(result.status != .code(0))
      if case .signal = result.status { Issue.record("a bad option is no reason to crash: \(result.errors)") }
      #expect(result.output.isEmpty)
      #expect(result.errors.contains(arguments[0]), "\(result.errors)")
    }

    @Test(arguments: IOBackend.allCases)
    func `a port that another process holds is a clear error`(io: IOBackend) throws {
      let taken = try FreePort()
      let result = try runTool(
        Environment.skein(), ["serve", "--io", io.rawValue, "--resp", "127.0.0.1:\(taken.port)"])
      #expect(result.status != .code(0))
      if case .signal = result.status { Issue.record("a taken port is no reason to crash: \(result.errors)") }
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("\(taken.port)"), "\(result.errors)")
      #expect(result.errors.lowercased().contains("in use"), "\(result.errors)")
    }

    @Test(arguments: IOBackend.allCases)
    func `SKEIN_IO chooses the backend where no option does`(io: IOBackend) throws {
      let arguments = ["SKEIN_IO=\(io.rawValue)", try Environment.skein(), "serve", "--resp", "127.0.0.1:0"]
      let node = try ChildProcess("env", arguments)
      let line = try node.readLine()
      #expect(line.hasPrefix("ready ") && line.contains("io=\(io.rawValue)"), "\(line)")
    }

    @Test func `auto takes io_uring here, and epoll with an explanation where io_uring is forbidden`() throws {
      let arguments = [try Environment.skein(), "serve", "--resp", "127.0.0.1:0", "--io"]
      let free = try ChildProcess(arguments[0], arguments.dropFirst() + ["auto"])
      try #expect(free.readLine().contains("io=io_uring"))

      let wrapper = Environment.program("without_io_uring.py")
      let confined = try ChildProcess("python3", [wrapper] + arguments + ["auto"])
      try #expect(confined.readLine().contains("io=epoll"))
      #expect(confined.log.contains("io_uring"), "\(confined.log)")

      let insisting = try runTool("python3", [wrapper] + arguments + ["io_uring"])
      #expect(insisting.status != .code(0))
      #expect(insisting.output.isEmpty)
      #expect(insisting.errors.contains("io_uring"), "\(insisting.errors)")
    }
  }
}
