// RedisServer: Debian's redis-server as the reference.

/// A running redis-server that keeps nothing on disk.
struct RedisServer {
  let process: ChildProcess
  let port: UInt16

  /// Starts one on a free port. The port is found, then bound by the server; should another process take it in
  /// between, the next one is used.
  init() throws {
    for _ in 0..<10 {
      let port = try FreePort.find()
      let process = try ChildProcess("redis-server", ["--port", "\(port)", "--save", "", "--appendonly", "no"])
      var line = try process.readLine()
      while !line.contains("Ready to accept connections"), !line.contains("Failed listening") {
        line = try process.readLine()
      }
      if line.contains("Ready to accept connections") {
        self.process = process
        self.port = port
        return
      }
    }
    throw Failure("redis-server found no free port")
  }
}
