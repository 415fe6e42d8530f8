// SocketLoopTests: limits, listeners, waiting, shutting down.

import Glibc
import SkeinPlatform
import SkeinSocketIO
import Synchronization
import Testing

@Suite("SocketLoop") struct SocketLoopTests {
  @Test func `both backends ran, unless io_uring says why it cannot`() throws {
    let asked = try SocketBackend.fromEnvironment
    if let reason = SocketBackend.ioUring.unavailability() {
      #expect(!reason.isEmpty)
      #expect(!Setting.backends.contains(.ioUring))
    } else if asked == .automatic {
      #expect(Setting.backends == [.epoll, .ioUring])
    }
    let loop = try SocketLoop()
    #expect(loop.backend == (SocketBackend.ioUring.unavailability() == nil ? .ioUring : .epoll))
    #expect(loop.backendExplanation.hasPrefix(loop.backend.rawValue))
  }

  @Test(arguments: Setting.all)
  func `a client over IPv6 is served`(setting: Setting) throws {
    let bed = try Bed(setting)
    let log = EventLog(onData: { connection, bytes in _ = connection.send(bytes) }, noted: bed.noted)
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: log)
        return true
      }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopbackIPv6(port: 0), handler: acceptor)
    #expect(listener.localAddress.isIPv6 && listener.localAddress.port != 0)
    let peer = RawPeer.make(isIPv6: true)
    peer.connect(port: listener.localAddress.port, isIPv6: true)
    peer.send(pattern(100))
    peer.shutdownWrite()
    try bed.wait(for: "the end of input") { log.events == [.data(100), .inputEnded] }
    #expect(acceptor.connections[0].peerAddress.host == "::1")
    #expect(peer.read(100).bytes == pattern(100))
    acceptor.connections[0].close()
    try bed.waitUntilEmpty()
  }

  @Test(arguments: Setting.all)
  func `an address in use is refused with errno`(setting: Setting) throws {
    let session = try Session(setting)
    let address = session.listener.localAddress
    #expect(throws: SocketError.system(SystemCallError(call: "bind", errorNumber: EADDRINUSE))) {
      try session.bed.loop.listen(on: address, handler: session.acceptor)
    }
  }

  @Test(arguments: Setting.backends)
  func `two loops share an address, and every client comes to one of them`(backend: SocketBackend) throws {
    let setting = Setting(backend: backend, driver: .owner)
    let beds = [try Bed(setting), try Bed(setting)]
    let acceptors = beds.map { Acceptor(noted: $0.noted) }
    let options = ListenOptions(reusePort: true)
    let one = try beds[0].loop.listen(on: .loopback(port: 0), options: options, handler: acceptors[0])
    let two = try beds[1].loop.listen(on: one.localAddress, options: options, handler: acceptors[1])
    #expect(one.localAddress == two.localAddress)
    let peers = (0..<64).map { _ in RawPeer.make() }
    for peer in peers { peer.connect(port: one.localAddress.port) }
    let end = MonotonicInstant.now.advanced(by: Bed.hangGuard)
    while acceptors[0].connections.count + acceptors[1].connections.count < 64, MonotonicInstant.now < end {
      for bed in beds { bed.loop.wait(until: .now.advanced(by: .milliseconds(1))) }
    }
    // The kernel deals clients out by their ports: 64 on one side are a chance of 2^-63.
    #expect(acceptors.allSatisfy { !$0.connections.isEmpty })
    #expect(acceptors[0].connections.count + acceptors[1].connections.count == 64)
  }

  @Test(arguments: Setting.all)
  func `a client over the limit is reset at once`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.maxConnections = 2
    let session = try Session(setting, limits: limits)
    let loop = session.bed.loop
    let listener = RawListener()
    let log = EventLog(noted: session.bed.noted)
    let outgoing = try loop.connect(to: .loopback(port: listener.port), handler: log)
    #expect(throws: SocketError.tooManyConnections(limit: 2)) {
      try loop.connect(to: .loopback(port: listener.port), handler: log)
    }
    let refused = RawPeer.make()
    refused.connect(port: session.listener.localAddress.port)
    let reading = try refused.readAllInBackground(done: session.bed.noted)
    try session.bed.wait(for: "the refusal") { reading.result != nil }
    #expect(reading.result?.end == .reset)
    #expect(loop.statistics.refused == 1)
    outgoing.abort()
    session.connection.abort()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `a full queue hands bytes back, and an empty one takes a block of any size`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.maxQueuedBytes = 1_000
    let session = try Session(setting, limits: limits, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    #expect(session.connection.queuedBytes > 1_000)
    #expect(session.connection.send([1]) == .full(limit: 1_000))
    #expect(session.connection.sendLow([1]) == .full(limit: 1_000))
    #expect(session.connection.send([]).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `shutdownWrite ends our direction only`(setting: Setting) throws {
    let session = try Session(setting)
    #expect(session.connection.send(pattern(10)).isAccepted)
    session.connection.shutdownWrite()
    #expect(session.connection.send([1]) == .closed)
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(10) && wire.end == .fin)
    session.peer.send(pattern(20))
    try session.wait(.data(20))
    session.peer.shutdownWrite()
    try session.wait(.data(20), .inputEnded, .closed(.ended))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `a lingering connection ends at the time limit`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.lingerTime = .milliseconds(30)
    let session = try Session(setting, limits: limits)
    session.connection.close()
    // The peer keeps its end open.
    try session.bed.waitUntilEmpty()
    #expect(session.log.events == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `a handler may close and send within its calls`(setting: Setting) throws {
    let session = try Session(setting) { connection, bytes in
      #expect(connection.send(bytes).isAccepted)
      connection.close()
      #expect(connection.send(bytes) == .closed)
    }
    session.peer.send(pattern(10))
    session.peer.send(pattern(10))
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(10) || wire.bytes == pattern(10) + pattern(10))
    #expect(wire.end == .fin)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `shutting down ends everything, once`(setting: Setting) throws {
    let session = try Session(setting)
    session.bed.loop.shutDown()
    try session.waitUntilClosed()
    #expect(session.log.events == [.closed(.loopShutDown)])
    #expect(try session.peerReadsAll().end == .fin)
    #expect(throws: SocketError.shutDown) {
      try session.bed.loop.listen(on: .loopback(port: 0), handler: session.acceptor)
    }
    #expect(throws: SocketError.shutDown) {
      try session.bed.loop.connect(to: session.listener.localAddress, handler: session.log)
    }
    #expect(session.connection.send([1]) == .closed)
    session.bed.loop.shutDown()
    session.listener.close()
    session.connection.close()
    #expect(session.log.events == [.closed(.loopShutDown)])
  }

  @Test(arguments: Setting.backends)
  func `nothing outlives a loop: handlers, connections, descriptors`(backend: SocketBackend) throws {
    for driver in Setting.Driver.allCases {
      weak var handler: EventLog?
      weak var acceptor: Acceptor?
      weak var connection: Connection?
      weak var loop: SocketLoop?
      func live() throws {
        let session = try Session(Setting(backend: backend, driver: driver), receiveBuffer: 32_768)
        handler = session.log
        acceptor = session.acceptor
        connection = session.connection
        loop = session.bed.loop
        session.peer.send(pattern(10))
        try session.wait(.data(10))
        #expect(session.connection.send(big).isAccepted)
        session.connection.close()
      }
      try live()
      #expect(handler == nil && acceptor == nil && connection == nil && loop == nil)
    }
  }

  private struct WeakLog {
    weak var log: EventLog?
  }

  @Test(arguments: Setting.backends)
  func `a handler is let go when its connection is closed`(backend: SocketBackend) throws {
    let bed = try Bed(Setting(backend: backend, driver: .owner))
    let made = Lock(WeakLog())
    let acceptor = Acceptor(
      onAccept: { connection in
        let log = EventLog(noted: bed.noted)
        made.withLock { $0.log = log }
        connection.start(handler: log)
        return false
      }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    let peer = RawPeer.make()
    peer.connect(port: listener.localAddress.port)
    try bed.wait(for: "the client") { bed.loop.statistics.accepted == 1 }
    let isKept = made.withLock { $0.log != nil }
    #expect(isKept)
    peer.reset()
    try bed.waitUntilEmpty()
    let isLetGo = made.withLock { $0.log == nil }
    #expect(isLetGo)
    listener.close()
  }

  // MARK: Waiting

  @Test(arguments: Setting.backends)
  func `a wake before a wait ends it`(backend: SocketBackend) throws {
    let loop = try SocketLoop(backend: backend)
    loop.wake()
    loop.wait(until: nil)
    loop.wake()
    loop.wake()
    loop.wait(until: nil)
  }

  @Test(arguments: Setting.backends)
  func `a wake from another thread ends a wait`(backend: SocketBackend) throws {
    let loop = try SocketLoop(backend: backend)
    let turns = Atomic<Int>(0)
    for round in 1...200 {
      let thread = try PlatformThread.start(name: "waker") { loop.wake() }
      loop.wait(until: nil)
      thread.join()
      turns.store(round, ordering: .relaxed)
    }
    #expect(turns.load(ordering: .relaxed) == 200)
  }

  @Test(arguments: Setting.backends)
  func `a wait ends at its deadline, or at an earlier one that is asked for`(backend: SocketBackend) throws {
    let loop = try SocketLoop(backend: backend)
    let deadline = MonotonicInstant.now.advanced(by: .milliseconds(20))
    while MonotonicInstant.now < deadline { loop.wait(until: deadline) }
    let soon = MonotonicInstant.now.advanced(by: .milliseconds(20))
    loop.wake(at: soon)
    while MonotonicInstant.now < soon { loop.wait(until: nil) }
    let late = MonotonicInstant.now.advanced(by: .milliseconds(60))
    let thread = try PlatformThread.start(name: "waker") { loop.wake(at: late) }
    while MonotonicInstant.now < late { loop.wait(until: .now.advanced(by: Bed.hangGuard)) }
    #expect(MonotonicInstant.now < late.advanced(by: Bed.hangGuard))
    thread.join()
  }

  @Test(arguments: Setting.all)
  func `the peer's end is known although bytes before it are unread`(setting: Setting) throws {
    let session = try Session.paused(setting)
    #expect(!session.connection.peerHasEnded)
    session.peer.send(pattern(100))
    #expect(!session.connection.peerHasEnded)
    session.peer.shutdownWrite()
    // Loopback hands a FIN over within the call.
    #expect(session.connection.peerHasEnded)
    #expect(session.log.mainEvents == [.data(1)])
    session.connection.resume()
    try session.wait(.data(101), .inputEnded)
    session.connection.close()
    #expect(session.connection.peerHasEnded)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `a reset is the peer's end, too`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.reset()
    #expect(session.connection.peerHasEnded)
    try session.waitUntilClosed()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `a queue that reaches the high watermark and drains is told of, however fast it drains`(
    setting: Setting
  ) throws {
    var limits = SocketLimits()
    limits.highWatermark = 1_000
    limits.lowWatermark = 100
    let session = try Session(setting, limits: limits)
    for round in 1...100 {
      #expect(session.connection.send(pattern(1_500)).isAccepted)
      try session.bed.wait(for: "the drain of round \(round)") {
        session.log.events.count { $0 == .writable(true) } >= round
      }
      #expect(session.connection.queuedBytes == 0)
    }
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.count == 150_000 && wire.end == .fin)
    session.peer.shutdownWrite()
    try session.finish()
  }

  @Test func `a backend of another name is an error that names the right ones`() {
    #expect("\(SocketError.unknownBackend("kqueue"))" == "'kqueue' is none of auto, epoll and io_uring")
    #expect(SocketBackend(rawValue: "auto") == .automatic)
  }
}
