// Request: `skein call` and `skein send`: one request to any cluster port, from the shell.

internal import ArgumentParser
internal import Glibc
internal import SkeinCluster
internal import SkeinPlatform
internal import SkeinSerialization
internal import SkeinSocketIO
internal import SkeinTimer

struct RequestArguments: ParsableArguments {
  @Argument(help: "Address and port of a cluster port, Skein's or Skynet's.", transform: ArgumentText.unescaped)
  var address: String
  @Argument(help: "The service: @name, another of Skynet's names, or a number.", transform: ArgumentText.unescaped)
  var name: String
  @Argument(help: "The command's name.", transform: ArgumentText.unescaped) var command: String
  @Argument(
    help: "Its arguments: integers, reals, true, false and nil as such, all else as strings; s:123 is a string.",
    transform: ArgumentText.unescaped)
  var arguments: [String] = []
  @Option(help: "Seconds after which to give up, with status 2.") var timeout = 5.0

  func validate() throws {
    guard timeout > 0, timeout <= 1e6 else { throw ValidationError("--timeout takes more than 0.") }
  }
}

struct Call: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Call a service of a Skein or Skynet node and print its answer.",
    discussion: """
      The answer is one line of Lua's literals. An error goes to standard error, with status 1, or 2 when the time is \
      over. Negative numbers are arguments; -- ends the options.
      """)

  @OptionGroup var request: RequestArguments

  func run() throws {
    let line = try OneRequest(request).perform { cluster, address, body, deadline in
      let answer = try await cluster.call(
        OneRequest.peer, address, body, ClusterCallOptions(deadline: deadline))
      return LuaText.line(try Seri.decode(answer))
    }
    print(line)
  }
}

struct Send: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send a one-way message to a service of a Skein or Skynet node.",
    discussion: """
      Nobody answers a message: status 0 says that it was handed to a connection, and that the peer has closed that \
      connection afterwards; status 2 that the time was over before.
      """)

  @OptionGroup var request: RequestArguments

  func run() throws {
    _ = try OneRequest(request).perform(isSend: true) { cluster, address, body, deadline in
      try await OneRequest.connect(cluster, deadline)
      switch cluster.send(OneRequest.peer, address, body) {
      case .queued: break
      case .busy(let limit): throw OneRequest.Failure("too much waits: the limit is \(limit)")
      case .refused(let error): throw error
      }
      return ""
    }
  }
}

/// One request on a connection of its own.
struct OneRequest {
  static let peer = "peer"

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// What ends a message before it has gone out.
  enum Undelivered: Error {
    /// There is no connection, and why.
    case notConnected(SystemCallError)
    /// The deadline has passed.
    case late
    /// The connection ended.
    case cut
  }

  private let arguments: RequestArguments
  private let address: ClusterAddress
  private let body: [UInt8]

  init(_ arguments: RequestArguments) throws {
    self.arguments = arguments
    do {
      _ = try SocketEndpoint(arguments.address)
      address =
        if let number = UInt32(arguments.name) { .number(number) } else { .name(try ClusterName(arguments.name)) }
      body = try Seri.encode(([arguments.command] + arguments.arguments).map(ArgumentText.value))
    } catch {
      throw Self.end("\(arguments.address): \(error)", status: 1)
    }
  }

  /// Nobody asks this program anything.
  private final class Nobody: ClusterRequestHandler {
    func handle(_ request: ClusterInboundRequest) {}
    func id(exportedAs name: [UInt8]) -> UInt32? { nil }
  }

  /// The size of a one-way request on the wire.
  private var wireBytes: Int {
    var head: [UInt8] = []
    if body.count < ClusterWire.largeRequestBytes {
      RequestPacket.appendSmall(to: address, session: 0, body: body, into: &head)
      return head.count
    }
    RequestPacket.appendBegin(to: address, session: 1, isPush: true, total: UInt32(body.count), into: &head)
    let parts = (body.count + ClusterWire.partBytes - 1) / ClusterWire.partBytes
    // Size, type and session of each part.
    return head.count + body.count + 7 * parts
  }

  func perform(
    isSend: Bool = false,
    _ work: @escaping @Sendable (Cluster, ClusterAddress, [UInt8], MonotonicInstant) async throws -> String
  ) throws -> String {
    let loop: SocketLoop
    let thread: LoopThread
    let timers: TimerThread
    do {
      loop = try SocketLoop(backend: .epoll)
      thread = try LoopThread(loop)
      timers = try TimerThread(capacity: 1_024)
    } catch { throw Self.end("cannot start: \(error)", status: 1) }
    var options = ClusterOptions()
    options.saysHello = false
    // The deadline is before either, so that nothing else ends what is under way.
    options.link.connectTimeout = .seconds(arguments.timeout + 1)
    options.link.closeTimeout = .seconds(arguments.timeout + 1)
    let cluster = Cluster(options, loops: [loop], timers: timers.queue, handler: Nobody())
    cluster.reload([Self.peer: .address(arguments.address)])
    let (address, body) = (address, body)
    let deadline = MonotonicInstant.now.advanced(by: .seconds(arguments.timeout))
    let size = isSend ? wireBytes : 0
    let result = Waiting<Result<String, any Error>> {
      let outcome: Result<String, any Error>
      do { outcome = .success(try await work(cluster, address, body, deadline)) } catch { outcome = .failure(error) }
      guard isSend, case .success = outcome else {
        await Self.close(cluster, loop, until: deadline)
        return outcome
      }
      // What the kernel does not have when the connection ends would be lost.
      await Self.look(until: deadline) { loop.statistics.bytesSent >= size || loop.statistics.connections == 0 }
      let isWhole = loop.statistics.bytesSent >= size
      await Self.close(cluster, loop, until: deadline)
      if loop.statistics.connections > 0 { return .failure(Undelivered.late) }
      return isWhole ? outcome : .failure(Undelivered.cut)
    }.value
    cluster.shutDown()
    thread.stop()
    loop.shutDown()
    timers.shutDown()
    switch result {
    case .success(let line): return line
    case .failure(let error as ClusterError): throw explain(error)
    case .failure(let error as Undelivered): throw explain(error)
    case .failure(let error): throw Self.end("\(arguments.address): \(error)", status: 1)
    }
  }

  /// Closes the connection, and waits for the peer, which ends its direction when it has read everything.
  private static func close(_ cluster: Cluster, _ loop: SocketLoop, until deadline: MonotonicInstant) async {
    cluster.disconnect(peer: peer, reason: "done")
    await look(until: deadline) { loop.statistics.connections == 0 }
  }

  /// Looks every millisecond until `isOver` holds or the deadline has passed: neither sockets nor links tell when.
  private static func look(until deadline: MonotonicInstant, _ isOver: () -> Bool) async {
    while !isOver() && MonotonicInstant.now < deadline { try? await Task.sleep(for: .milliseconds(1)) }
  }

  /// Waits until the connection is there.
  static func connect(_ cluster: Cluster, _ deadline: MonotonicInstant) async throws(Undelivered) {
    cluster.dial(peer)
    var failure: SystemCallError?
    var isUp = false
    await look(until: deadline) {
      switch cluster.state(of: peer) {
      case .up: isUp = true
      case .backingOff(_, _, let error): failure = error
      default: break
      }
      return isUp || failure != nil
    }
    if let failure { throw .notConnected(failure) }
    if !isUp { throw .late }
  }

  /// What went wrong, and what to look at.
  private func explain(_ error: ClusterError) -> any Error {
    let who = "\(arguments.name) at \(arguments.address)"
    switch error.code {
    case .connectFailed: return notConnected("\(error.systemError.map { "\($0)" } ?? "\(error)")")
    case .deadlineExceeded where !error.mayHaveExecuted: return explain(.late)
    case .deadlineExceeded:
      return Self.end(
        "no answer from \(who) within \(arguments.timeout) s; the request may have been executed: look at the service",
        status: 2)
    case .remoteError where error.text == "Invalid name" || error.text?.hasSuffix("call to invalid address") == true:
      return Self.end(
        "\(arguments.address) exports nothing as \(arguments.name) (it answered: \(error.text ?? "")); look at the names"
          + " that the node registers", status: 1)
    case .remoteError:
      return Self.end(
        "\(arguments.command) of \(who) failed: \(error.text ?? "no reason given"); look at that node's log",
        status: 1)
    default: return Self.end("\(arguments.address): \(error)", status: 1)
    }
  }

  private func explain(_ error: Undelivered) -> any Error {
    switch error {
    case .notConnected(let error): notConnected("\(error)")
    case .late:
      Self.end(
        "\(arguments.address) has not taken the request to \(arguments.name) within \(arguments.timeout) s;"
          + " is a node's cluster port reachable there?", status: 2)
    case .cut:
      Self.end(
        "the message to \(arguments.name) at \(arguments.address) was not sent whole: the connection ended", status: 1)
    }
  }

  private func notConnected(_ reason: String) -> any Error {
    Self.end(
      "cannot connect to \(arguments.address): \(reason); is a node's cluster port open there?", status: 1)
  }

  static func end(_ sentence: String, status: Int32) -> any Error {
    var text = "skein: \(sentence)\n"
    _ = text.withUTF8 { bytes in unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    return ExitCode(status)
  }
}
