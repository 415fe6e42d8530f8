// IdleClients: many connections that say nothing, in a process of their own.

/// Connections held by `Programs/idle_clients.py`.
struct IdleClients {
  private let process: ChildProcess

  init(port: UInt16) throws {
    process = try ChildProcess("python3", [Environment.program("idle_clients.py"), "\(port)"])
  }

  /// Connects `count` clients, each of which is served one PING.
  func open(_ count: Int) throws { try ask("open \(count)", expecting: "open \(count)") }

  /// Has client `index` served one PING.
  func ping(_ index: Int) throws { try ask("ping \(index)", expecting: "pong \(index)") }

  /// Waits until the server has closed all `count` clients.
  func awaitEnd(of count: Int) throws { try ask("ended", expecting: "ended \(count)") }

  /// Closes all `count` clients.
  func close(_ count: Int) throws { try ask("close", expecting: "closed \(count)") }

  private func ask(_ command: String, expecting answer: String) throws {
    try process.writeLine(command)
    let line = try process.readLine(withinSeconds: 3 * Environment.hangGuardSeconds)
    guard line == answer else { throw Failure("the idle clients answered “\(line)”, not “\(answer)”") }
  }
}
