// Serve: `skein serve`: options, start, the ready line, and the end by signal.

internal import ArgumentParser
internal import Glibc
internal import Logging
internal import Skein
internal import SkeinCluster
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
  @Option(help: "Address and port for other nodes, Skein's or Skynet's; the keys are exported as simpledb.")
  var cluster: String?
  @Option(help: "Another node over which the keys are spread, as NAME=ADDR:PORT; once for each.")
  var peer: [String] = []
  @Option(help: "Seconds for which a request waits for a node that has not been up yet.") var peerWait = 1.0
  @Flag(help: "Take part in a cluster off loopback: whoever can connect can read and write every key.")
  var insecureCluster = false
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
    guard peerWait > 0, peerWait <= 1e6 else { throw ValidationError("--peer-wait takes more than 0.") }
    guard peer.isEmpty || cluster != nil else {
      throw ValidationError("--peer needs --cluster: the peers have to reach this node's keys.")
    }
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
    let place = try clusterPlace()
    let node: SkeinNode
    do { node = try SkeinNode(nodeOptions()) } catch { throw failure("cannot start: \(error)") }
    let started = Waiting<Result<Addresses, any Error>> { [self] in
      do { return .success(try await start(node, address, place)) } catch { return .failure(error) }
    }.value
    switch started {
    case .success(let real):
      let own = real.cluster.map { " cluster=\($0)" } ?? ""
      print("ready name=\(name) resp=\(real.resp)\(own) io=\(node.socketBackend?.rawValue ?? "none")")
      fflush(nil)
    case .failure(let error):
      throw failure("cannot listen: \(error)")
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

  /// Where other nodes reach this one, and which there are.
  private struct ClusterPlace {
    let address: SocketEndpoint
    let ring: NodeRing
    let directory: [String: PeerAddress]
  }

  /// What a node listens on.
  private struct Addresses {
    let resp: SocketEndpoint
    let cluster: SocketEndpoint?
  }

  private func clusterPlace() throws -> ClusterPlace? {
    guard let cluster else { return nil }
    let address = try endpoint("--cluster", cluster)
    var directory: [String: PeerAddress] = [:]
    for text in peer {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw failure("--peer \(text): give NAME=ADDR:PORT")
      }
      let place = try endpoint("--peer", String(text[text.index(after: equals)...]))
      directory[String(text[..<equals])] = .address("\(place)")
    }
    guard directory.count == peer.count, let ring = NodeRing(own: name, peers: Array(directory.keys)) else {
      throw failure(
        "--peer: each node has another name, none is called \(name) as this one is, and no name is empty or has a comma or"
          + " a control character in it; there are at most 1,024 nodes.")
    }
    return ClusterPlace(address: address, ring: ring, directory: directory)
  }

  /// An address of the cluster; off loopback only when that is wanted.
  private func endpoint(_ option: String, _ text: String) throws -> SocketEndpoint {
    let address: SocketEndpoint
    do throws(SocketError) { address = try SocketEndpoint(text) } catch { throw failure("\(option) \(text): \(error)") }
    if !address.isLoopback && !insecureCluster {
      throw failure(
        "\(option) \(text) is off loopback, and the cluster's wire has neither password nor encryption: give"
          + " --insecure-cluster if only nodes can reach that network.")
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

  private func start(
    _ node: SkeinNode, _ address: SocketEndpoint, _ place: ClusterPlace?
  ) async throws -> Addresses {
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
    configuration.ring = place?.ring
    configuration.peerWait = .seconds(peerWait)
    // Peers are let in when everything is there that they may ask for.
    if let place { node.cluster.reload(place.directory) }
    let server: RESPServer
    let real: SocketEndpoint
    do {
      (server, real) = try await RESPServer.start(on: node, at: address, configuration, exports: place != nil)
    } catch {
      throw StartFailure(description: "--resp \(address): \(error)")
    }
    let own = try place.map { place throws(StartFailure) in
      do { return try node.cluster.open(on: place.address) } catch {
        throw StartFailure(description: "--cluster \(place.address): \(error)")
      }
    }
    server.dialPeers()
    for _ in 0..<blocker {
      let service = try await node.spawn { Blocker($0) }
      service.send(Blocker.block)
    }
    node.log(.info, "sockets", ["backend": node.socketBackendExplanation ?? "none"])
    return Addresses(resp: real, cluster: own)
  }

  /// Which address cannot be had, and why.
  private struct StartFailure: Error, CustomStringConvertible {
    let description: String
  }

  /// An error that ends the command with a sentence and status 1.
  private func failure(_ sentence: String) -> any Error {
    var text = "skein: \(sentence)\n"
    _ = text.withUTF8 { bytes in unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    return ExitCode(1)
  }
}
