// Session: a loop with a listener, one connection on it, and a raw peer.

import SkeinPlatform
import SkeinSocketIO
import Testing

/// A loop under test and somebody who dispatches it.
final class Bed: Sendable {
  static let hangGuard = Duration.seconds(10)

  let loop: SocketLoop
  let waiter = FutexWaiter()
  private let thread: LoopThread?

  init(_ setting: Setting, limits: SocketLimits = SocketLimits()) throws {
    loop = try SocketLoop(backend: setting.backend, limits: limits)
    #expect(loop.backend == setting.backend)
    thread = setting.driver == .thread ? try LoopThread(loop) : nil
  }

  deinit {
    thread?.stop()
    loop.shutDown()
  }

  /// Tells whoever waits in `wait` to look again.
  var noted: @Sendable () -> Void {
    { [loop, waiter, isDriven = thread != nil] in isDriven ? waiter.wake() : loop.wake() }
  }

  /// Waits until `predicate` is true, dispatching events if nobody else does.
  func wait(for what: String, _ predicate: () -> Bool) throws {
    let end = MonotonicInstant.now.advanced(by: Self.hangGuard)
    while !predicate() {
      guard MonotonicInstant.now < end else {
        Issue.record("hangs: \(what)")
        throw Hang(waitingFor: what)
      }
      if thread != nil { waiter.wait(until: end) } else { loop.wait(until: end) }
    }
  }

  /// Waits until no connection holds a descriptor, of which there is no event.
  func waitUntilEmpty() throws {
    let end = MonotonicInstant.now.advanced(by: Self.hangGuard)
    while loop.statistics.connections > 0 {
      guard MonotonicInstant.now < end else {
        Issue.record("\(loop.statistics.connections) connections stay")
        throw Hang(waitingFor: "no connections")
      }
      if thread != nil { PlatformThread.yield() } else { loop.wait(until: .now.advanced(by: .milliseconds(5))) }
    }
  }
}

final class Session: Sendable {
  let bed: Bed
  let acceptor: Acceptor
  let listener: Listener
  let peer: RawPeer
  let connection: Connection
  let log: EventLog

  /// - Parameter onData: called before the log notes the bytes.
  init(
    _ setting: Setting, limits: SocketLimits = SocketLimits(), starts: Bool = true, receiveBuffer: Int32? = nil,
    onData: @escaping @Sendable (Connection, RawSpan) -> Void = { _, _ in }
  ) throws {
    bed = try Bed(setting, limits: limits)
    let log = EventLog(onData: onData, noted: bed.noted)
    self.log = log
    acceptor = Acceptor(noted: bed.noted)
    listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    peer = RawPeer.make(receiveBuffer: receiveBuffer)
    peer.connect(port: listener.localAddress.port)
    let acceptor = acceptor
    try bed.wait(for: "an accepted connection") { !acceptor.connections.isEmpty }
    connection = acceptor.connections[0]
    acceptor.forget()
    if starts { connection.start(handler: log) }
  }

  /// A session whose connection stopped reading, from within its handler, after one byte.
  static func paused(_ setting: Setting) throws -> Session {
    let session = try Session(setting) { connection, _ in
      if connection.bytesReceived == 1 { connection.pause() }
    }
    session.peer.send([0])
    try session.wait(.data(1))
    try session.pass()
    return session
  }

  func wait(_ events: Event...) throws {
    try bed.wait(for: "\(events), have \(log.events)") { log.mainEvents == events }
  }

  func waitUntilClosed() throws {
    try bed.wait(for: "the end, have \(log.events)") { log.closeReason != nil }
  }

  /// Reads all that the peer gets, while the loop goes on.
  func peerReadsAll(pieceSize: Int = 65_536) throws -> Wire {
    let reading = try peer.readAllInBackground(pieceSize: pieceSize, done: bed.noted)
    try bed.wait(for: "the peer's end of input") { reading.result != nil }
    return reading.result!
  }

  /// Lets the loop handle everything that happened before: another client comes and goes.
  func pass() throws {
    let other = RawPeer.make()
    other.connect(port: listener.localAddress.port)
    try bed.wait(for: "another client") { !acceptor.connections.isEmpty }
    let second = acceptor.connections[0]
    acceptor.forget()
    second.abort()
  }

  /// Waits until the descriptor is closed; its connection must have been told of exactly once, or, without a handler,
  /// be over.
  func finish() throws {
    peer.close()
    try bed.waitUntilEmpty()
    #expect(connection.closeReason != nil)
  }
}

/// 8 MiB that are not all alike.
let big = pattern(8 << 20)

func pattern(_ count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  for index in 0..<count { bytes[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 11) }
  return bytes
}
