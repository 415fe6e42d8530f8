// Cases 30 to 54: paused and accepted connections, outgoing ones, the rest. 41 needs name resolution, which this layer
// has not; 52 is in DescriptorLimitTests.

import Glibc
import SkeinPlatform
import SkeinSocketIO
import Testing

@Suite("Half close, cases 30-54") struct HalfCloseCases30To54 {
  private static func isFailure(_ reason: CloseReason?, _ numbers: Int32...) -> Bool {
    if case .failed(let error) = reason { numbers.contains(error.errorNumber) } else { false }
  }

  @Test(arguments: Setting.all)
  func `case 30: a paused connection tells of data and FIN when it resumes`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.send(pattern(100))
    session.peer.close()
    try session.pass()
    #expect(session.log.events == [.data(1)])
    session.connection.resume()
    try session.wait(.data(101), .inputEnded)
    session.connection.close()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 31: a paused connection tells of a reset`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.reset()
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, ECONNRESET))
    try session.finish()
    #expect(session.log.events.count == 2)
  }

  @Test(arguments: Setting.all)
  func `case 32: a paused connection tells that its peer is gone when we send`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.close()
    #expect(session.connection.send([1]).isAccepted)
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    #expect(session.connection.send([1]) == .closed)
    session.connection.resume()
    try session.finish()
    #expect(session.log.events.count == 2)
  }

  @Test(arguments: Setting.all)
  func `case 33: what came before the start is delivered`(setting: Setting) throws {
    let session = try Session(setting, starts: false)
    session.peer.send(pattern(10))
    session.peer.close()
    try session.pass()
    session.connection.start(handler: session.log)
    try session.wait(.data(10), .inputEnded)
    session.connection.close()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 34: a connection whose peer sent FIN before the start can answer`(setting: Setting) throws {
    let session = try Session(setting, starts: false)
    session.peer.shutdownWrite()
    try session.pass()
    session.connection.start(handler: session.log)
    #expect(session.connection.send(pattern(7)).isAccepted)
    try session.wait(.inputEnded)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(7) && wire.end == .fin)
    try session.finish()
    #expect(session.log.events == [.inputEnded, .closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 35: who starts a connection that was reset is told so`(setting: Setting) throws {
    let session = try Session(setting, starts: false)
    session.peer.reset()
    try session.pass()
    session.connection.start(handler: session.log)
    try session.wait(.closed(.failed(SystemCallError(call: "recv", errorNumber: ECONNRESET))))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 36: a connection that was not started can be closed`(setting: Setting) throws {
    let session = try Session(setting, starts: false)
    session.connection.close()
    #expect(try session.peerReadsAll().end == .fin)
    try session.finish()
    #expect(session.connection.closeReason == .closed)
  }

  @Test(arguments: Setting.all)
  func `case 37: a send before the start is refused`(setting: Setting) throws {
    let session = try Session(setting, starts: false)
    #expect(session.connection.send(pattern(5)) == .notStarted)
    session.connection.start(handler: session.log)
    #expect(session.connection.send(pattern(5)).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(5) && wire.end == .fin)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 38: who takes over a half-closed connection is told that its input has ended`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.shutdownWrite()
    try session.wait(.inputEnded)
    let second = EventLog(noted: session.bed.noted)
    session.connection.start(handler: second)
    try session.bed.wait(for: "the second handler") { second.events == [.inputEnded] }
    session.connection.abort()
    try session.bed.wait(for: "the end") { second.events == [.inputEnded, .closed(.aborted)] }
    #expect(try session.peerReadsAll().end == .fin)
    try session.finish()
    #expect(session.log.events == [.inputEnded])
  }

  @Test(arguments: Setting.all)
  func `case 39: a second handler takes over all later events`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.send(pattern(3))
    try session.wait(.data(3))
    let second = EventLog(noted: session.bed.noted)
    session.connection.start(handler: second)
    try session.pass()
    session.peer.send(pattern(4))
    try session.bed.wait(for: "the second handler") { second.events == [.data(4)] }
    session.connection.close()
    try session.bed.wait(for: "the end") { second.events == [.data(4), .closed(.closed)] }
    try session.finish()
    #expect(session.log.events == [.data(3)])
  }

  @Test(arguments: Setting.all)
  func `case 40: a refused connection is told as such, once`(setting: Setting) throws {
    let bed = try Bed(setting)
    var closed: RawListener? = RawListener()
    let port = closed!.port
    closed = nil
    let log = EventLog(noted: bed.noted)
    let connection = try bed.loop.connect(to: .loopback(port: port), handler: log)
    try bed.wait(for: "the refusal") { !log.events.isEmpty }
    #expect(log.events == [.closed(.connectFailed(SystemCallError(call: "connect", errorNumber: ECONNREFUSED)))])
    #expect(connection.send([1]) == .closed)
    try bed.waitUntilEmpty()
  }

  @Test(arguments: Setting.all)
  func `case 42: bytes sent while connecting go out`(setting: Setting) throws {
    let bed = try Bed(setting)
    let listener = RawListener()
    let log = EventLog(noted: bed.noted)
    let connection = try bed.loop.connect(to: .loopback(port: listener.port), handler: log)
    #expect(connection.send(pattern(20)).isAccepted)
    try bed.wait(for: "the connection") { log.events == [.connected] }
    if setting.driver == .owner { try bed.wait(for: "a write") { connection.bytesSent == 20 } }
    let peer = listener.accept()
    #expect(peer.read(20).bytes == pattern(20))
    connection.close()
    let reading = try peer.readAllInBackground(done: bed.noted)
    try bed.wait(for: "the peer's end of input") { reading.result?.end == .fin }
    peer.close()
    try bed.waitUntilEmpty()
    #expect(log.events == [.connected, .closed(.closed)])
  }

  @Test(arguments: Setting.owned)
  func `case 43: a connection closed while connecting never comes about`(setting: Setting) throws {
    let bed = try Bed(setting)
    let listener = RawListener()
    let log = EventLog(noted: bed.noted)
    let connection = try bed.loop.connect(to: .loopback(port: listener.port), handler: log)
    connection.close()
    try bed.waitUntilEmpty()
    #expect(log.events == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 44: a peer that shuts its reading down is not noticed`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.shutdownRead()
    #expect(session.connection.send(pattern(10)).isAccepted)
    session.peer.send(pattern(10))
    try session.wait(.data(10))
    #expect(session.connection.send(pattern(10)).isAccepted)
    session.connection.close()
    try session.wait(.data(10), .closed(.closed))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 45: 100,000 bytes and FIN are delivered in order`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.send(pattern(100_000))
    session.peer.shutdownWrite()
    try session.wait(.data(100_000), .inputEnded)
    #expect(session.log.bytes == pattern(100_000))
    session.connection.close()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 46: both ends close at once and the end is told once`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.shutdownWrite()
    session.connection.close()
    try session.waitUntilClosed()
    #expect(try session.peerReadsAll().end == .fin)
    try session.finish()
    #expect(session.log.events.last == .closed(.closed))
  }

  @Test(arguments: Setting.all)
  func `case 47: the watermarks are told, and all arrives in order`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.maxQueuedBytes = 16 << 20
    let session = try Session(setting, limits: limits, receiveBuffer: 32_768)
    for block in 0..<16 {
      let bytes = Array(big[(block << 19)..<((block + 1) << 19)])
      #expect(session.connection.send(bytes).isAccepted)
    }
    try session.bed.wait(for: "the high watermark") { session.log.events.last == .writable(false) }
    let reading = try session.peer.readAllInBackground(done: session.bed.noted)
    try session.bed.wait(for: "the low watermark") { session.log.events.last == .writable(true) }
    for (index, event) in session.log.events.enumerated() { #expect(event == .writable(index % 2 == 1)) }
    session.connection.close()
    try session.bed.wait(for: "the peer's end of input") { reading.result != nil }
    #expect(reading.result?.bytes == big)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 48: high goes before low, each in order, and no block is torn`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    let first = [UInt8](repeating: 65, count: 4 << 20)
    let parts = "LHMI".utf8.map { [UInt8](repeating: $0, count: 1_000) }
    #expect(session.connection.send(first).isAccepted)
    #expect(session.connection.sendLow(parts[0]).isAccepted)
    #expect(session.connection.send(parts[1]).isAccepted)
    #expect(session.connection.sendLow(parts[2]).isAccepted)
    #expect(session.connection.send(parts[3]).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == first + parts[1] + parts[3] + parts[0] + parts[2])
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 49: a low block that has begun is finished first`(setting: Setting) throws {
    let session = try Session(setting, limits: Self.roomy, receiveBuffer: 32_768)
    let low = "LM".utf8.map { [UInt8](repeating: $0, count: 4 << 20) }
    let high = [UInt8](repeating: 72, count: 1_000)
    #expect(session.connection.sendLow(low[0]).isAccepted)
    if setting.driver == .owner { try session.bed.wait(for: "a write") { session.connection.bytesSent > 0 } }
    let begun = session.peer.read(1)
    #expect(begun.bytes.count == 1)
    #expect(session.connection.sendLow(low[1]).isAccepted)
    #expect(session.connection.send(high).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(begun.bytes + wire.bytes == low[0] + high + low[1])
    try session.finish()
  }

  private static var roomy: SocketLimits {
    var limits = SocketLimits()
    limits.maxQueuedBytes = 64 << 20
    return limits
  }

  @Test(arguments: Setting.all)
  func `case 50: an abort of a half-closed connection drops its queue`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    session.peer.shutdownWrite()
    try session.wait(.inputEnded)
    #expect(session.connection.send(big).isAccepted)
    session.connection.abort()
    // An abort by another thread than the loop's takes effect when the loop gets to it: the peer reads only then.
    try session.bed.waitUntilEmpty()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.count < big.count && wire.end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.inputEnded, .closed(.aborted)])
  }

  @Test(arguments: Setting.owned)
  func `case 51: a thousand half-closed connections cause no wake-up`(setting: Setting) throws {
    let bed = try Bed(setting)
    let log = EndCounter(noted: bed.noted)
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: log)
        return true
      }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    var peers: [RawPeer] = []
    for _ in 0..<1_000 {
      let peer = RawPeer.make()
      peer.connect(port: listener.localAddress.port)
      peer.shutdownWrite()
      peers.append(peer)
    }
    try bed.wait(for: "a thousand ends of input") { log.inputEnds == 1_000 }
    // What is left to settle of the last turn, until a wait lasts.
    var settling = 0
    var isSettled = false
    while !isSettled && settling < 100 {
      let pause = MonotonicInstant.now.advanced(by: .milliseconds(20))
      bed.loop.wait(until: pause)
      isSettled = MonotonicInstant.now >= pause
      settling += 1
    }
    let turns = bed.loop.statistics.turns
    let deadline = MonotonicInstant.now.advanced(by: .milliseconds(200))
    var waits = 0
    while MonotonicInstant.now < deadline {
      bed.loop.wait(until: deadline)
      waits += 1
    }
    #expect(bed.loop.statistics.turns == turns)
    #expect(waits <= 2)
    for connection in acceptor.connections { connection.close() }
    try bed.waitUntilEmpty()
    #expect(log.ends == 1_000)
  }

  @Test(arguments: Setting.all)
  func `case 53: what was sent before a close while connecting still arrives`(setting: Setting) throws {
    let bed = try Bed(setting)
    let listener = RawListener()
    let log = EventLog(noted: bed.noted)
    let connection = try bed.loop.connect(to: .loopback(port: listener.port), handler: log)
    #expect(connection.send(pattern(20)).isAccepted)
    connection.close()
    try bed.wait(for: "the end") { log.closeReason == .closed }
    let peer = listener.accept()
    let reading = try peer.readAllInBackground(done: bed.noted)
    try bed.wait(for: "the peer's end of input") { reading.result != nil }
    #expect(reading.result?.bytes == pattern(20) && reading.result?.end == .fin)
    peer.close()
    try bed.waitUntilEmpty()
  }

  @Test(arguments: Setting.all)
  func `case 54: a connection that nobody starts and nobody keeps is closed`(setting: Setting) throws {
    let bed = try Bed(setting)
    let acceptor = Acceptor(onAccept: { _ in false }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    let peer = RawPeer.make()
    peer.connect(port: listener.localAddress.port)
    peer.send(pattern(10))
    let reading = try peer.readAllInBackground(done: bed.noted)
    try bed.wait(for: "the peer's end of input") { reading.result != nil }
    #expect(reading.result?.end == .fin)
    peer.close()
    try bed.waitUntilEmpty()
  }
}

/// Counts ends.
final class EndCounter: ConnectionHandler {
  private let counts = Lock<(inputs: Int, all: Int)>((0, 0))
  private let noted: @Sendable () -> Void
  init(noted: @escaping @Sendable () -> Void) { self.noted = noted }
  var inputEnds: Int { counts.withLock { $0.inputs } }
  var ends: Int { counts.withLock { $0.all } }
  func received(_ connection: Connection, _ bytes: RawSpan) {}
  func inputEnded(_ connection: Connection) {
    counts.withLock { $0.inputs += 1 }
    noted()
  }
  func closed(_ connection: Connection, reason: CloseReason) {
    counts.withLock { $0.all += 1 }
    noted()
  }
}
