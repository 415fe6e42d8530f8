import CSkeinPlatform
import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("RingPoller closing") struct RingClosingTests {
  @Test func `the descriptor is closed after the last completion, and the peer sees the end`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    #expect(!harness.poller.close(token, resetting: false))
    harness.poller.flush()
    #expect(harness.run { harness.seen[token] == [.released] })
    #expect(peer.awaitInput() == nil)
    #expect(harness.input[token] == nil)
  }

  @Test func `a slot without requests is free at once`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    #expect(harness.poller.close(token, resetting: false))
    #expect(peer.awaitInput() == nil)
  }

  @Test func `a reset close drops the send in flight and resets the peer`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 20, alignment: 16)
    defer { unsafe bytes.deallocate() }
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 7)
    unsafe harness.poller.beginSend(UnsafeRawBufferPointer(bytes), to: token)
    harness.poller.flush()
    #expect(harness.run { harness.seen[token]?.isEmpty == false })
    // The peer's window is full now: this one stays in flight.
    unsafe harness.poller.beginSend(UnsafeRawBufferPointer(bytes), to: token)
    harness.poller.flush()
    let before = harness.seen[token]
    #expect(!harness.poller.close(token, resetting: true))
    harness.poller.flush()
    #expect(harness.run { harness.seen[token]?.last == .released })
    #expect(harness.seen[token] == before! + [.released])
    while let chunk = peer.awaitInput(), !chunk.isEmpty {}
    let again = unsafe withUnsafeBytes(of: UInt8(0)) { byte in
      unsafe skein_socket_send(peer.descriptor, byte.baseAddress!, 1)
    }
    #expect(again < 0)
  }

  @Test func `nothing of an old connection reaches the new one in its slot`() throws {
    let harness = try RingHarness(buffers: 4, bufferSize: 256)
    var token = harness.connect().token
    var oldPeer: TestPeer?
    for round in 1...200 {
      let pair = TestPeer.pair()
      let closed = harness.poller.close(token, resetting: round.isMultiple(of: 3))
      let old = token
      // What the old peer sends now meets the cancel.
      oldPeer?.send(upTo: 5_000)
      harness.poller.flush()
      if !closed { #expect(harness.run { harness.seen[old]?.last == .released }) }
      token = SlotToken(index: old.index, generation: old.generation + 1)
      harness.poller.adopt(pair.ours, as: token, kind: .connection)
      harness.poller.beginReceive(token)
      harness.poller.flush()
      pair.peer.send(upTo: 1_000)
      #expect(harness.run { harness.input[token] == 1_000 })
      #expect(harness.mismatches == 0)
      #expect(harness.seen[token] == nil)
      pair.peer.send(upTo: 3_000)
      oldPeer = pair.peer
    }
  }

  @Test func `a close from within an event ends the events of that slot`() throws {
    let harness = try RingHarness(buffers: 8, bufferSize: 256)
    let (token, peer) = harness.connect()
    var receivedAfterClose = 0
    var isClosed = false
    harness.onEvent = { _, event in
      guard case .received = event else { return }
      if isClosed { receivedAfterClose += 1 }
      if !isClosed { #expect(!harness.poller.close(token, resetting: false)) }
      isClosed = true
    }
    harness.poller.beginReceive(token)
    harness.poller.flush()
    peer.send(upTo: 10_000)
    #expect(harness.run { harness.seen[token]?.last == .released })
    #expect(receivedAfterClose == 0)
    #expect(harness.seen[token] == [.released])
  }

  @Test func `shutting down closes everything, also with a send in flight`() throws {
    let harness = try RingHarness()
    let connections = (0..<10).map { _ in harness.connect() }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 20, alignment: 16)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 7)
    for connection in connections {
      harness.poller.beginReceive(connection.token)
      unsafe harness.poller.beginSend(UnsafeRawBufferPointer(bytes), to: connection.token)
    }
    harness.poller.flush()
    harness.poller.shutDown()
    unsafe bytes.deallocate()
    harness.poller.flush()
    let before = harness.eventCount
    harness.poller.signal()
    harness.turn()
    harness.turn(until: .now)
    #expect(harness.eventCount == before)
    for connection in connections {
      while let chunk = connection.peer.awaitInput(), !chunk.isEmpty {}
    }
  }
}
#endif
