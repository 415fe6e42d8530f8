import CSkeinPlatform
import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("RingPoller receiving") struct RingReceiveTests {
  /// Small pools run dry all the time.
  @Test(arguments: [1, 2, 8, 64] as [UInt32])
  func `a client that only sends is read to its end with few buffers`(buffers: UInt32) throws {
    let harness = try RingHarness(buffers: buffers)
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    let total = 3 << 20
    #expect(pump(harness, [peer], total: total) { harness.input[token] == total })
    peer.endOutput()
    #expect(harness.run { harness.seen[token] == [.receivedEnd] })
    #expect(harness.input[token] == total)
    #expect(harness.mismatches == 0)
  }

  @Test(arguments: [1, 8, 256] as [UInt32])
  func `200 senders of 1 MiB are all read while half of them pause`(buffers: UInt32) throws {
    let harness = try RingHarness(submissions: 64, completions: 256, buffers: buffers)
    let total = 1 << 20
    let connections = (0..<200).map { _ in harness.connect() }
    for connection in connections { harness.poller.beginReceive(connection.token) }
    let reading = connections.indices.filter { $0.isMultiple(of: 2) }.map { connections[$0] }
    let pausing = connections.indices.filter { !$0.isMultiple(of: 2) }.map { connections[$0] }
    let toPause = Set(pausing.map(\.token))
    var paused: Set<SlotToken> = []
    var receivedWhilePaused = 0
    harness.onEvent = { token, event in
      guard case .received = event, toPause.contains(token) else { return }
      if paused.contains(token) { receivedWhilePaused += 1 }
      if paused.insert(token).inserted { harness.poller.pauseReceive(token) }
    }
    harness.poller.flush()
    let peers = connections.map(\.peer)
    #expect(pump(harness, peers, total: total) { reading.allSatisfy { harness.input[$0.token] == total } })
    #expect(receivedWhilePaused == 0)
    harness.onEvent = nil
    for connection in pausing { harness.poller.beginReceive(connection.token) }
    harness.poller.flush()
    #expect(pump(harness, peers, total: total) { pausing.allSatisfy { harness.input[$0.token] == total } })
    for connection in connections { #expect(harness.input[connection.token] == total) }
    #expect(harness.mismatches == 0)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `pauses and resumptions at any moment lose nothing and keep the order`(seed: UInt64) throws {
    let harness = try RingHarness(buffers: 4, bufferSize: 512)
    var random = seed
    func draw(_ below: UInt64) -> UInt64 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (random >> 33) % below
    }
    let total = 64 << 10
    let (token, peer) = harness.connect()
    var isReading = false
    func toggle() {
      if isReading { harness.poller.pauseReceive(token) } else { harness.poller.beginReceive(token) }
      isReading.toggle()
    }
    var receivedWhilePaused = 0
    harness.onEvent = { _, event in
      guard case .received = event else { return }
      if !isReading { receivedWhilePaused += 1 }
      if draw(3) == 0 { toggle() }
      if draw(3) == 0 { toggle() }
    }
    var turns = 0
    while turns < 100_000, harness.input[token, default: 0] < total {
      peer.send(upTo: min(total, peer.sentCount + Int(draw(3000))))
      for _ in 0..<draw(4) { toggle() }
      harness.poller.flush()
      if draw(2) == 0 { harness.collect(afterWait: false) } else { harness.turn(until: .now) }
      turns += 1
    }
    #expect(receivedWhilePaused == 0)
    harness.onEvent = nil
    if !isReading { toggle() }
    peer.endOutput()
    harness.poller.flush()
    #expect(harness.run { harness.seen[token] == [.receivedEnd] })
    #expect(harness.input[token] == total)
    #expect(harness.mismatches == 0)
  }

  @Test func `bytes and end that arrived before a pause took effect come after the resumption, in order`() throws {
    let harness = try RingHarness()
    let (token, peer) = try keptInput(harness)
    peer.endOutput()
    harness.poller.signal()
    harness.turn()
    #expect(harness.input[token] == nil && harness.seen[token] == nil)
    harness.poller.beginReceive(token)
    harness.poller.flush()
    #expect(harness.run { harness.seen[token] == [.receivedEnd] })
    #expect(harness.input[token] == 100)
    #expect(harness.mismatches == 0)
  }

  @Test func `a resumption by another thread wakes the owner for what was kept`() throws {
    let harness = try RingHarness()
    let (token, _) = try keptInput(harness)
    let poller = harness.poller
    let thread = try PlatformThread.start(name: "resumer") {
      poller.beginReceive(token)
      poller.flush()
    }
    thread.join()
    #expect(harness.run { harness.input[token] == 100 })
  }

  @Test(arguments: [8, 16] as [UInt32])
  func `a completion queue that is far too small loses nothing`(completions: UInt32) throws {
    let harness = try RingHarness(submissions: 4, completions: completions, buffers: 256, bufferSize: 256)
    let connections = (0..<100).map { _ in harness.connect() }
    for connection in connections { harness.poller.beginReceive(connection.token) }
    harness.poller.flush()
    let total = 20_000
    // All at once before anything is collected.
    for connection in connections { connection.peer.send(upTo: total) }
    for connection in connections { connection.peer.endOutput() }
    #expect(harness.run { connections.allSatisfy { harness.seen[$0.token] == [.receivedEnd] } })
    for connection in connections { #expect(harness.input[connection.token] == total) }
    #expect(harness.mismatches == 0)
  }

  /// A connection that is paused when 100 bytes are already a completion; they are kept.
  private func keptInput(_ harness: RingHarness) throws -> (SlotToken, TestPeer) {
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    harness.turn()
    peer.send(upTo: 100)
    while !harness.poller.queue.isReady { _ = harness.poller.waitInKernel(until: nil) }
    harness.poller.pauseReceive(token)
    harness.poller.flush()
    harness.collect(afterWait: true)
    try #require(harness.poller.used(token)?.kept?.bytes.count == 100)
    return (token, peer)
  }

  /// Lets all peers send up to `total` and turns until `condition` holds, or nothing happens for 20 s.
  private func pump(_ harness: RingHarness, _ peers: [TestPeer], total: Int, until condition: () -> Bool) -> Bool {
    while !condition() {
      var hasSent = false
      for peer in peers where peer.sentCount < total { hasSent = peer.send(upTo: total) || hasSent }
      if hasSent { harness.turn(until: .now) } else if !harness.turn() { return condition() }
    }
    return true
  }
}
#endif
