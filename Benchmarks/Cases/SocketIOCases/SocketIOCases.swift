// SocketIOCases: an echo server on each backend. The client is the same for all: this layer on epoll, on another thread.

public import CaseSupport
internal import SkeinPlatform
internal import SkeinSocketIO

/// The socket layer's cases, for the backends that run on this machine.
public let socketIOCases: [LayerCase] =
  [SocketBackend.epoll, .ioUring].filter { $0.unavailability() == nil }.flatMap { backend in
    [
      LayerCase("SocketIO/echo/64B-100-connections-\(backend.rawValue)", count: 20_000) { count, meter in
        try echo(count, connections: 100, backend, meter)
      },
      LayerCase("SocketIO/ping-pong/64B-1-connection-\(backend.rawValue)", count: 1_000) { count, meter in
        try echo(count, connections: 1, backend, meter)
      },
    ]
  }

/// Messages of 64 bytes go to the server and back, one at a time on each connection; each carries a number.
private func echo(_ count: Int, connections: Int, _ backend: SocketBackend, _ meter: any Meter) throws -> UInt64 {
  let serverLoop = try SocketLoop(backend: backend)
  let clientLoop = try SocketLoop(backend: .epoll)
  let server = EchoServer()
  let listener = try serverLoop.listen(on: .loopback(port: 0), handler: server)
  let serverThread = try LoopThread(serverLoop, name: "server")
  let clientThread = try LoopThread(clientLoop, name: "client")
  let client = Client(count: count, connections: connections)
  for _ in 0..<connections {
    _ = try clientLoop.connect(to: listener.localAddress, handler: ClientConnection(client))
  }
  client.connected.wait(connections)
  meter.start()
  client.begin()
  client.done.wait()
  meter.stop()
  clientThread.stop()
  serverThread.stop()
  clientLoop.shutDown()
  serverLoop.shutDown()
  if connections == 1 { for latency in client.latencies { meter.latency(nanoseconds: latency) } }
  return client.sum
}

/// Sends back what it gets.
private final class EchoServer: ListenerHandler, ConnectionHandler {
  func accepted(_ connection: Connection) { connection.start(handler: self) }
  func received(_ connection: Connection, _ bytes: RawSpan) {
    precondition(connection.send(bytes).isAccepted)
  }
  func closed(_ connection: Connection, reason: CloseReason) {}
}

/// What the client's connections share.
private final class Client: @unchecked Sendable {
  // @unchecked: touched on the loop's thread, save `begin`, which starts it, and after `done`.
  static let messageBytes = 64
  let connected = Event()
  let done = Event()
  private(set) var sum: UInt64 = 0
  private(set) var latencies: [Int64] = []
  private let keepsLatencies: Bool
  private let count: Int
  private var next = 0
  private var left: Int
  private let connections: Lock<[(Connection, ClientConnection)]> = Lock([])

  init(count: Int, connections: Int) {
    self.count = count
    left = count
    keepsLatencies = connections == 1
    if keepsLatencies { latencies.reserveCapacity(count) }
  }

  func add(_ connection: Connection, _ handler: ClientConnection) {
    connections.withLock { $0.append((connection, handler)) }
    connected.signal()
  }

  /// The first message of each connection carries no number that counts, and starts the connection's turn-taking.
  func begin() {
    let all = connections.withLock { $0 }
    for (connection, _) in all { precondition(connection.send(Client.message(.max)).isAccepted) }
  }

  /// A message has come back; returns the next one to send.
  func took(_ number: UInt64, sentAt: MonotonicInstant) -> UInt64? {
    if number != .max {
      sum &+= number
      left -= 1
      if keepsLatencies { latencies.append(sentAt.duration(to: .now).nanosecondsClamped) }
      if left == 0 { done.signal() }
    }
    guard next < count else { return nil }
    defer { next += 1 }
    return UInt64(next)
  }

  static func message(_ number: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: messageBytes)
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
    return bytes
  }
}

private final class ClientConnection: ConnectionHandler, @unchecked Sendable {
  // @unchecked: touched on the loop's thread.
  private let client: Client
  private var received = 0
  private var number: UInt64 = 0
  private var sentAt = MonotonicInstant(nanoseconds: 0)

  init(_ client: Client) { self.client = client }

  func connected(_ connection: Connection) { client.add(connection, self) }

  func received(_ connection: Connection, _ bytes: RawSpan) {
    for offset in 0..<bytes.byteCount {
      if received < 8 {
        let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        number |= UInt64(byte) << UInt64(8 * received)
      }
      received += 1
      if received == Client.messageBytes { answered(connection) }
    }
  }

  private func answered(_ connection: Connection) {
    let next = client.took(number, sentAt: sentAt)
    received = 0
    number = 0
    guard let next else { return }
    sentAt = .now
    precondition(connection.send(Client.message(next)).isAccepted)
  }

  func closed(_ connection: Connection, reason: CloseReason) {}
}
