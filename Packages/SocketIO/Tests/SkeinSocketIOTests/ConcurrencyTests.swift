// ConcurrencyTests: several threads on one loop.

import SkeinPlatform
import SkeinSocketIO
import Synchronization
import Testing

@Suite("SocketLoop with several threads") struct ConcurrencyTests {
  @Test(arguments: Setting.all)
  func `strangers write while the owner polls, in order and whole`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.maxQueuedBytes = 64 << 20
    let bed = try Bed(setting, limits: limits)
    let acceptor = Acceptor(noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    let peers = (0..<2).map { _ in RawPeer.make() }
    for peer in peers { peer.connect(port: listener.localAddress.port) }
    try bed.wait(for: "two clients") { acceptor.connections.count == 2 }
    let logs = peers.map { _ in EventLog(noted: bed.noted) }
    let readings = try peers.map { try $0.readAllInBackground(done: bed.noted) }
    let blocks = 20_000
    for (connection, log) in zip(acceptor.connections, logs) { connection.start(handler: log) }
    func write(_ connection: Connection) throws -> PlatformThread {
      try PlatformThread.start(name: "writer") {
        for block in 0..<blocks {
          let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: block), count: 100 + block % 7)
          #expect(connection.send(bytes).isAccepted)
        }
        connection.close()
      }
    }
    let first = try write(acceptor.connections[0])
    let second = try write(acceptor.connections[1])
    try bed.wait(for: "both ends of input") { readings.allSatisfy { $0.result != nil } }
    first.join()
    second.join()
    var expected: [UInt8] = []
    for block in 0..<blocks {
      expected += [UInt8](repeating: UInt8(truncatingIfNeeded: block), count: 100 + block % 7)
    }
    for reading in readings {
      #expect(reading.result?.bytes == expected)
      #expect(reading.result?.end == .fin)
    }
    for peer in peers { peer.close() }
    try bed.waitUntilEmpty()
  }

  @Test(arguments: Setting.all)
  func `64 MiB go both ways while the server pauses and resumes`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.maxQueuedBytes = 1 << 20
    limits.highWatermark = 256 << 10
    limits.lowWatermark = 64 << 10
    let bed = try Bed(setting, limits: limits)
    let echo = EchoWithBackPressure(noted: bed.noted)
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: echo)
        return true
      }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    let peer = RawPeer.make()
    peer.connect(port: listener.localAddress.port)
    let reading = try peer.readAllInBackground(done: bed.noted)
    let sender = try PlatformThread.start(name: "sender") {
      for _ in 0..<8 { peer.send(big) }
      peer.shutdownWrite()
    }
    try bed.wait(for: "the echo of 64 MiB") { reading.result != nil }
    sender.join()
    let wire = reading.result!
    #expect(wire.bytes.count == 64 << 20 && wire.end == .fin)
    for part in 0..<8 where wire.bytes.count == 64 << 20 {
      #expect(Array(wire.bytes[(part << 23)..<((part + 1) << 23)]) == big)
    }
    #expect(echo.refusals == 0)
    peer.close()
    try bed.waitUntilEmpty()
  }

  @Test(arguments: Setting.backends)
  func `another thread takes over while the owner is stuck`(backend: SocketBackend) throws {
    let loop = try SocketLoop(backend: backend)
    let isStuck = Atomic<Bool>(false)
    let echoed = Atomic<Int>(0)
    let arrived = FutexWaiter()
    let release = FutexWaiter()
    let log = EventLog(
      onData: { connection, bytes in
        #expect(connection.send(bytes).isAccepted)
        echoed.wrappingAdd(bytes.byteCount, ordering: .relaxed)
      }, noted: {})
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: log)
        return true
      }, noted: {})
    let listener = try loop.listen(on: .loopback(port: 0), handler: acceptor)
    let peer = RawPeer.make()
    peer.connect(port: listener.localAddress.port)
    peer.send(pattern(10))
    let owner = try PlatformThread.start(name: "owner") {
      while echoed.load(ordering: .relaxed) < 10 { loop.wait(until: .now.advanced(by: Bed.hangGuard)) }
      // A handler of a worker that takes its time, outside of the loop.
      isStuck.store(true, ordering: .releasing)
      arrived.wake()
      release.wait(until: .now.advanced(by: Bed.hangGuard))
    }
    while !isStuck.load(ordering: .acquiring) { arrived.wait(until: .now.advanced(by: Bed.hangGuard)) }
    let looker = try PlatformThread.start(name: "looker", outlivesLoops: true) {
      let end = MonotonicInstant.now.advanced(by: Bed.hangGuard)
      for round in 2...100 {
        peer.send(pattern(10))
        while echoed.load(ordering: .relaxed) < round * 10, MonotonicInstant.now < end { _ = loop.look() }
      }
    }
    #expect(peer.read(1_000).bytes.count == 1_000)
    looker.join()
    release.wake()
    owner.join()
    loop.shutDown()
    listener.close()
  }

  @Test(arguments: Setting.backends)
  func `the owner, two lookers and strangers keep one loop whole`(backend: SocketBackend) throws {
    let loop = try SocketLoop(backend: backend)
    let clients = 20
    let ended = Atomic<Int>(0)
    let waiter = FutexWaiter()
    let echo = EchoWithBackPressure(noted: {})
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: echo)
        return false
      }, noted: {})
    let listener = try loop.listen(on: .loopback(port: 0), handler: acceptor)
    let isOver = Atomic<Bool>(false)
    let owner = try PlatformThread.start(name: "owner") {
      while !isOver.load(ordering: .acquiring) { loop.wait(until: .now.advanced(by: .milliseconds(10))) }
    }
    func look() throws -> PlatformThread {
      try PlatformThread.start(name: "looker", outlivesLoops: true) {
        while !isOver.load(ordering: .acquiring) { if !loop.look() { PlatformThread.yield() } }
      }
    }
    let first = try look()
    let second = try look()
    var readings: [RawPeer.Reading] = []
    var peers: [RawPeer] = []
    for _ in 0..<clients {
      let peer = RawPeer.make()
      peer.connect(port: listener.localAddress.port)
      peers.append(peer)
      readings.append(
        try peer.readAllInBackground {
          ended.wrappingAdd(1, ordering: .releasing)
          waiter.wake()
        })
      for part in 0..<50 { peer.send(Array(big[(part * 1_000)..<((part + 1) * 1_000)])) }
      peer.shutdownWrite()
    }
    let end = MonotonicInstant.now.advanced(by: Bed.hangGuard)
    while ended.load(ordering: .acquiring) < clients, MonotonicInstant.now < end { waiter.wait(until: end) }
    isOver.store(true, ordering: .releasing)
    loop.wake()
    owner.join()
    first.join()
    second.join()
    for reading in readings { #expect(reading.result.map { $0.bytes == Array(big[..<50_000]) } == true) }
    loop.shutDown()
  }
}

/// Sends back what it receives; stops reading while the answer waits.
final class EchoWithBackPressure: ConnectionHandler {
  private let noted: @Sendable () -> Void
  private let refused = Atomic<Int>(0)
  init(noted: @escaping @Sendable () -> Void) { self.noted = noted }
  var refusals: Int { refused.load(ordering: .relaxed) }

  func received(_ connection: Connection, _ bytes: RawSpan) {
    if !connection.send(bytes).isAccepted { refused.wrappingAdd(1, ordering: .relaxed) }
  }
  func writabilityChanged(_ connection: Connection, isWritable: Bool) {
    if isWritable { connection.resume() } else { connection.pause() }
  }
  func closed(_ connection: Connection, reason: CloseReason) { noted() }
}
