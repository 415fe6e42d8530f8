// Serve: `skein serve`: options, start, the ready line, and the end by signal.

internal import ArgumentParser
internal import Glibc
internal import Logging
internal import Skein
internal import SkeinPlatform
internal import SkeinRESP
internal import SkeinServe
internal import SkeinSocketIO

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a node with a key-value service that speaks Redis' protocol (RESP2).",
    discussion: """
      Prints one line that begins with "ready" once everything listens. SIGINT and SIGTERM stop accepting, answer \
      what was received, close idle connections at once and the rest after at most 5 s, and exit with status 0; a \
      second signal ends the process at once. Commands of one connection take effect in the order sent; MSET over \
      several service instances is not atomic for other clients.
      """)

  @Option(help: "The node's name.") var name = "skein"
  @Option(help: "Address and port for Redis clients; port 0 takes a free one.") var resp = "127.0.0.1:6380"
  @Option(help: "Password that clients must give with AUTH (default: none).") var requirepass: String?
  @Flag(help: "Listen on an address off loopback without a password.") var insecure = false
  @Option(help: "Worker threads, 1 to 64 (default: one for each core).") var workers: Int?
  @Option(help: "Service instances over which the keys are split, 1 to 1024.") var services = 4
  @Option(help: "The kernel's interface for sockets: auto, epoll or io_uring (default: SKEIN_IO, else auto).")
  var io: String?
  @Option(help: "Greatest number of clients.") var maxClients = 10_000
  @Option(help: "Most bytes for keys and values, split evenly over the instances (default: no limit).")
  var maxmemory: Int?
  @Option(help: "Longest argument in bytes.") var maxBulkLength = 512 << 20
  @Option(help: "Greatest number of arguments of a command.") var maxArguments = 1_048_576
  @Option(help: "Bytes of answers that a client may leave unread, beyond the one in progress; then it is not read.")
  var maxUnreadOutput = 8 << 20
  @Option(help: "Seconds after which a call between services fails.") var callDeadline = 5.0
  @Option(help: .hidden) var blocker = 0

  func validate() throws {
    if let workers, !(1...64).contains(workers) { throw ValidationError("--workers takes 1 to 64.") }
    guard (1...1_024).contains(services) else { throw ValidationError("--services takes 1 to 1024.") }
    guard maxClients > 0 else { throw ValidationError("--max-clients takes 1 or more.") }
    if let maxmemory, maxmemory <= 0 { throw ValidationError("--maxmemory takes 1 or more.") }
    guard maxBulkLength > 0 && maxArguments > 0 && maxUnreadOutput > 0 else {
      throw ValidationError("--max-bulk-length, --max-arguments and --max-unread-output take 1 or more.")
    }
    guard callDeadline > 0 else { throw ValidationError("--call-deadline takes more than 0.") }
    if let io, Serve.backends[io] == nil { throw ValidationError("--io takes auto, epoll or io_uring.") }
  }

  private static let backends: [String: SocketBackend] = [
    "auto": .automatic, "epoll": .epoll, "io_uring": .ioUring,
  ]

  func run() throws {
    ProcessSignals.block()
    // Large values and answers go back to the system when they are freed, not only into the allocator's reserve.
    ProcessMemory.returnBlocks(from: 256 << 10)
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    let address = try listenAddress()
    let node: SkeinNode
    do { node = try SkeinNode(nodeOptions()) } catch { throw failure("cannot start: \(error)") }
    let started = Waiting<Result<SocketEndpoint, any Error>> { [self] in
      do { return .success(try await start(node, address)) } catch { return .failure(error) }
    }.value
    switch started {
    case .success(let real):
      print("ready name=\(name) resp=\(real) io=\(node.socketBackend?.rawValue ?? "none")")
      fflush(nil)
    case .failure(let error):
      throw failure("cannot listen on \(address): \(error)")
    }
    _ = ProcessSignals.wait()
    _ = try? PlatformThread.start(name: "second-signal") {
      _ = ProcessSignals.wait()
      _exit(1)
    }
    _ = Waiting<Void> { await node.shutDown() }.value
  }

  private func listenAddress() throws -> SocketEndpoint {
    let address: SocketEndpoint
    do throws(SocketError) { address = try SocketEndpoint(resp) } catch { throw failure("--resp \(resp): \(error)") }
    if !address.isLoopback && requirepass == nil && !insecure {
      throw failure(
        "--resp \(resp) can be reached from other machines: give --requirepass, or --insecure to let everybody in.")
    }
    return address
  }

  private func nodeOptions() -> NodeOptions {
    var options = NodeOptions()
    options.name = name
    if let workers { options.workers = workers }
    options.callDeadline = .seconds(callDeadline)
    var sockets = SocketOptions()
    if let io { sockets.backend = Serve.backends[io] }
    // One more client than the limit has to be let in to be told so.
    sockets.limits.maxConnections = max(sockets.limits.maxConnections, 2 * maxClients)
    sockets.limits.maxQueuedBytes = .max
    sockets.limits.highWatermark = min(sockets.limits.highWatermark, max(1, maxUnreadOutput / 2))
    sockets.limits.lowWatermark = min(sockets.limits.lowWatermark, sockets.limits.highWatermark / 2)
    options.sockets = sockets
    return options
  }

  private func start(_ node: SkeinNode, _ address: SocketEndpoint) async throws -> SocketEndpoint {
    var configuration = ServerConfiguration()
    configuration.password = requirepass.map { Array($0.utf8) }
    configuration.shardCount = services
    configuration.limits.bulkBytes = maxBulkLength
    configuration.limits.arguments = maxArguments
    configuration.replyLimitBytes = maxUnreadOutput
    configuration.maxMemoryBytes = maxmemory
    configuration.maxClients = maxClients
    configuration.port = Int(address.port)
    configuration.address = address.host
    configuration.nodeName = name
    configuration.backend = node.socketBackend?.rawValue ?? "none"
    configuration.processID = getpid()
    let real = try await RESPServer.start(on: node, at: address, configuration).address
    for _ in 0..<blocker {
      let service = try await node.spawn { Blocker($0) }
      service.send(Blocker.block)
    }
    node.log(.info, "sockets", ["backend": node.socketBackendExplanation ?? "none"])
    return real
  }

  /// An error that ends the command with a sentence and status 1.
  private func failure(_ sentence: String) -> any Error {
    var text = "skein: \(sentence)\n"
    _ = text.withUTF8 { bytes in unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    return ExitCode(1)
  }
}
