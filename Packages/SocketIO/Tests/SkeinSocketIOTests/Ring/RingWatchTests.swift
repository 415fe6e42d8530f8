import CSkeinPlatform
import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("RingPoller watching") struct RingWatchTests {
  @Test func `a reset is seen before reading begins`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.flush()
    peer.reset()
    #expect(harness.run { harness.seen[token] == [.hangUp(ECONNRESET)] })
  }

  @Test func `a reset is seen while reading is paused`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    peer.send(upTo: 10)
    #expect(harness.run { harness.input[token] == 10 })
    harness.poller.pauseReceive(token)
    harness.poller.flush()
    peer.reset()
    #expect(harness.run { harness.seen[token] == [.hangUp(ECONNRESET)] })
  }

  @Test func `a reset that crosses the pause is seen once`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    peer.reset()
    harness.poller.pauseReceive(token)
    harness.poller.flush()
    #expect(harness.run { harness.seen[token]?.isEmpty == false })
    harness.poller.signal()
    harness.turn()
    #expect(harness.seen[token] == [.hangUp(ECONNRESET)])
  }

  @Test func `a reset after the peer's end of input is seen`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    peer.endOutput()
    #expect(harness.run { harness.seen[token] == [.receivedEnd] })
    peer.reset()
    #expect(harness.run { harness.seen[token]?.count == 2 })
    #expect(harness.seen[token] == [.receivedEnd, .hangUp(EPIPE)])
  }

  @Test func `a reset while reading is an error of reading only`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.flush()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    peer.reset()
    #expect(harness.run { harness.seen[token]?.isEmpty == false })
    harness.poller.signal()
    harness.turn()
    #expect(harness.seen[token] == [.receiveFailed(ECONNRESET)])
  }

  @Test func `the peer's end is no hang-up, and both ends together cause no event and no wake-up`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.flush()
    peer.endOutput()
    harness.poller.shutdownWrite(token)
    harness.poller.flush()
    // Another connection's bytes come later than what these two ends may have caused.
    let other = harness.connect()
    harness.poller.beginReceive(other.token)
    harness.poller.flush()
    other.peer.send(upTo: 10)
    #expect(harness.run { harness.input[other.token] == 10 })
    while harness.turn(until: .now) {}
    #expect(harness.seen[token] == nil)
    #expect(!harness.turn(until: .now))
  }
}
#endif
