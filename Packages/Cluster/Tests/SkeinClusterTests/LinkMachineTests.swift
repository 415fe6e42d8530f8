import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

private let refused = SystemCallError(call: "connect", errorNumber: ECONNREFUSED)
private let reset = SystemCallError(call: "recv", errorNumber: ECONNRESET)

@Suite("LinkMachine") struct LinkMachineTests {
  // MARK: Connecting

  @Test func `the first call connects, is written once connected, and gets its answer`() throws {
    var harness = LinkHarness()
    harness.call(7, [1, 2])
    #expect(harness.link.state == .connecting)
    #expect(harness.connects == [1])
    #expect(harness.output.isEmpty)
    harness.step { $0.connected(1, now: $1) }
    let request = try #require(harness.written().first)
    #expect(request.session == 1 && request.body == [1, 2] && request.kind == .call)
    harness.answer(1, [5])
    #expect(harness.body(7) == [5])
    #expect(harness.link.sessions.isEmpty && harness.link.calls.isEmpty)
  }

  @Test func `calls made while connecting are written in their order`() throws {
    var harness = LinkHarness()
    for id in 0..<20 { harness.call(UInt64(id), [UInt8(id)]) }
    #expect(harness.connects == [1])
    harness.step { $0.connected(1, now: $1) }
    #expect(try harness.written().map(\.body) == (0..<20).map { [UInt8($0)] })
  }

  @Test func `a refused connection fails what waits, with errno, attempts and the next attempt`() throws {
    var harness = LinkHarness()
    harness.call(1)
    harness.call(2, waits: true)
    #expect(harness.send() == .queued)
    harness.step { $0.connectFailed(1, refused, now: $1) }
    let error = try #require(harness.error(1))
    #expect(error.code == .connectFailed && error.systemError == refused && error.attempts == 1)
    #expect(!error.mayHaveExecuted && error.peer == "db2" && error.address == "h:1")
    let delay = harness.now.duration(to: try #require(error.nextAttempt))
    #expect(delay >= .milliseconds(50) && delay <= .milliseconds(100))
    #expect(harness.results[2] == nil)
    #expect(harness.link.lostSends == 1)
    // And so do calls that come now, at once; sends are refused with the same error.
    harness.call(3)
    #expect(harness.code(3) == .connectFailed)
    guard case .refused(let refusal) = harness.send() else { throw Unexpected() }
    #expect(refusal.code == .connectFailed)
  }

  @Test func `a call that waits for a connection outlasts failed attempts`() throws {
    var harness = LinkHarness()
    harness.call(1, seconds: 60, waits: true)
    for attempt in 1...3 {
      harness.step { $0.connectFailed(UInt64(attempt), refused, now: $1) }
      #expect(harness.connects.count == attempt)
      harness.advance(1)
      #expect(harness.connects.count == attempt + 1)
    }
    harness.step { $0.connected(4, now: $1) }
    harness.answer(1, [1], attempt: 4)
    #expect(harness.body(1) == [1])
  }

  @Test func `a call that waits for a connection ends at its deadline`() {
    var harness = LinkHarness()
    harness.call(1, seconds: 2, waits: true)
    harness.step { $0.connectFailed(1, refused, now: $1) }
    harness.advance(0.2)
    harness.step { $0.connectFailed(2, refused, now: $1) }
    harness.advance(1.79)
    #expect(harness.results[1] == nil)
    harness.advance(0.02)
    #expect(harness.code(1) == .deadlineExceeded)
    #expect(harness.error(1)?.mayHaveExecuted == false)
  }

  @Test func `delays double from 100 ms to 30 s, with jitter of a half`() {
    var harness = LinkHarness()
    var delays: [Duration] = []
    for attempt in 1...14 {
      harness.step { $0.dial(now: $1) }
      harness.step { $0.connectFailed(UInt64(attempt), refused, now: $1) }
      guard case .backingOff(let until, let attempts, let error) = harness.link.state else { return }
      #expect(attempts == attempt && error == refused)
      delays.append(harness.now.duration(to: until))
      harness.advance(31)
    }
    for (index, delay) in delays.enumerated() {
      let full = min(Duration.milliseconds(100) * (1 << index), .seconds(30))
      #expect(delay <= full && delay >= full / 2)
    }
    #expect(Set(delays).count == delays.count)
  }

  @Test func `a stable connection ends the count of failures, a short one does not`() throws {
    for (upSeconds, expected) in [(29.0, 4), (30.0, 1)] {
      var harness = LinkHarness()
      for attempt in 1...3 {
        harness.step { $0.dial(now: $1) }
        harness.step { $0.connectFailed(UInt64(attempt), refused, now: $1) }
        harness.advance(1)
      }
      harness.step { $0.dial(now: $1) }
      harness.step { $0.connected(4, now: $1) }
      harness.advance(upSeconds)
      harness.step { $0.inputEnded(4, now: $1) }
      harness.step { $0.connectionClosed(4, now: $1) }
      harness.call(1)
      harness.step { $0.connectFailed(5, refused, now: $1) }
      #expect(harness.error(1)?.attempts == expected)
    }
  }

  @Test func `connecting that takes too long is given up, and a late connection is not used`() {
    var harness = LinkHarness()
    harness.call(1, seconds: 60)
    harness.advance(4.9)
    #expect(harness.results.isEmpty)
    harness.advance(0.2)
    #expect(harness.error(1)?.systemError == SystemCallError(call: "connect", errorNumber: ETIMEDOUT))
    #expect(harness.log.contains(.abort(attempt: 1)))
    harness.step { $0.connected(1, now: $1) }
    #expect(harness.link.state == .closing)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.link.failures == 1)
  }

  @Test func `a hello from the peer ends the back-off`() {
    var harness = LinkHarness()
    harness.call(1, seconds: 60, waits: true)
    harness.step { $0.connectFailed(1, refused, now: $1) }
    #expect(harness.connects == [1])
    harness.step { $0.peerSaidHello(now: $1) }
    #expect(harness.connects == [1, 2])
    // Without anybody waiting, the next call connects at once.
    var idle = LinkHarness()
    idle.call(1)
    idle.step { $0.connectFailed(1, refused, now: $1) }
    idle.step { $0.peerSaidHello(now: $1) }
    #expect(idle.link.state == .idle)
    idle.call(2)
    #expect(idle.connects == [1, 2])
  }

  @Test func `dialing keeps trying until there was a connection`() {
    var harness = LinkHarness()
    harness.step { $0.dial(now: $1) }
    harness.step { $0.connectFailed(1, refused, now: $1) }
    harness.advance(1)
    #expect(harness.connects == [1, 2])
    harness.step { $0.connected(2, now: $1) }
    harness.step { $0.inputEnded(2, now: $1) }
    harness.step { $0.connectionClosed(2, now: $1) }
    #expect(harness.link.state == .idle && harness.connects == [1, 2])
  }

  // MARK: The end of a connection

  @Test func `the peer's FIN fails each pending call once, and says that it may have been executed`() throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.call(2)
    harness.answer(1, [])
    harness.step { $0.inputEnded(1, now: $1) }
    #expect(harness.body(1) == [])
    let error = try #require(harness.error(2))
    #expect(error.code == .answerLost && error.mayHaveExecuted)
    #expect(harness.completions == [1: 1, 2: 1])
    #expect(harness.log.contains(.close(attempt: 1)))
  }

  @Test func `a call after the FIN waits until the old connection is gone, and succeeds over a new one`() throws {
    var harness = LinkHarness.up()
    harness.step { $0.inputEnded(1, now: $1) }
    harness.call(1)
    #expect(harness.connects.isEmpty && harness.output.isEmpty)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.connects == [2])
    harness.step { $0.connected(2, now: $1) }
    harness.answer(1, [4], attempt: 2)
    #expect(harness.body(1) == [4])
  }

  @Test func `a FIN in the kernel that nobody has told yet is found by the check, and the call is not written`() throws
  {
    var harness = LinkHarness.up()
    harness.answersChecks = false
    harness.call(1)
    harness.call(2)
    #expect(harness.log.filter { $0 == .checkConnection(attempt: 1) }.count == 1)
    #expect(harness.output.isEmpty)
    harness.step { $0.checked(1, peerHasEnded: true, now: $1) }
    harness.call(3)
    #expect(harness.output.isEmpty)
    harness.step { $0.inputEnded(1, now: $1) }
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.answersChecks = true
    harness.step { $0.connected(2, now: $1) }
    #expect(try harness.written().count == 3)
    for session in 1...3 { harness.answer(UInt32(session), [UInt8(session)], attempt: 2) }
    #expect(harness.body(3) == [3] && harness.completions == [1: 1, 2: 1, 3: 1])
  }

  @Test func `answers before a FIN that the check found still arrive`() {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.answersChecks = false
    harness.call(2)
    harness.step { $0.checked(1, peerHasEnded: true, now: $1) }
    harness.answer(1, [8])
    #expect(harness.body(1) == [8])
  }

  @Test func `a check that finds the end, of which nothing is told, ends the connection after a while`() {
    var harness = LinkHarness.up()
    harness.answersChecks = false
    harness.call(1)
    harness.step { $0.checked(1, peerHasEnded: true, now: $1) }
    harness.advance(3)
    #expect(harness.link.state == .closing)
    #expect(harness.log.contains(.abort(attempt: 1)))
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.connects == [2])
  }

  @Test func `a reset fails pending calls with its errno`() throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.step { $0.failed(1, reset, now: $1) }
    let error = try #require(harness.error(1))
    #expect(error.code == .answerLost && error.systemError == reset && error.mayHaveExecuted)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.link.state == .idle)
  }

  @Test func `a connection that does not close in time is aborted`() {
    var harness = LinkHarness.up()
    harness.step { $0.disconnect(reason: "maintenance", now: $1) }
    #expect(harness.log.contains(.close(attempt: 1)))
    harness.call(1, seconds: 60)
    harness.advance(0.9)
    #expect(!harness.log.contains(.abort(attempt: 1)))
    harness.advance(0.2)
    #expect(harness.log.contains(.abort(attempt: 1)))
    #expect(harness.connects.isEmpty)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.connects == [2])
  }

  @Test func `a connection that closes slowly, but does, is not aborted`() {
    for end in [
      { (link, now) in link.disconnect(reason: "maintenance", now: now) }, { (link, now) in link.shutDown(now: now) },
    ]
      as [(inout LinkMachine, MonotonicInstant) -> Void]
    {
      var harness = LinkHarness.up()
      harness.step(end)
      for _ in 1...20 {
        harness.sentWhileClosing += 1
        harness.advance(1)
      }
      #expect(!harness.log.contains(.abort(attempt: 1)))
      harness.advance(1.1)
      #expect(harness.log.contains(.abort(attempt: 1)))
    }
  }

  @Test func `a node that shuts down while a connection closes lets it`() {
    var harness = LinkHarness.up()
    harness.step { $0.disconnect(reason: "maintenance", now: $1) }
    harness.step { $0.shutDown(now: $1) }
    #expect(!harness.log.contains(.abort(attempt: 1)))
    harness.advance(1.1)
    #expect(harness.log.contains(.abort(attempt: 1)))
  }

  @Test func `without a timer calls fail at once with the reason, and later ones are taken again`() throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.step { $0.timerFailed("all 8 timers of the queue are armed", now: $1) }
    let error = try #require(harness.error(1))
    #expect(error.code == .disconnected && error.text == "no timer: all 8 timers of the queue are armed")
    #expect(error.mayHaveExecuted && harness.log.contains(.abort(attempt: 1)))
    harness.armed = nil
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.call(2)
    #expect(harness.connects == [2] && harness.armed != nil)
  }

  @Test func `a peer that answers the introduction and closes is backed off from after the third time`() {
    var harness = LinkHarness(.address("h:1"), introduction: [7])
    for attempt in 1...3 as ClosedRange<UInt64> {
      harness.step { $0.dial(now: $1) }
      harness.step { $0.connected(attempt, now: $1) }
      harness.answer(UInt32(attempt), [7], attempt: attempt)
      harness.step { $0.inputEnded(attempt, now: $1) }
      harness.step { $0.connectionClosed(attempt, now: $1) }
    }
    let isBackingOff = if case .backingOff = harness.link.state { true } else { false }
    #expect(isBackingOff, "\(harness.link.state)")
  }

  @Test func `a peer that accepts and closes at once is backed off from after the third time`() throws {
    var harness = LinkHarness()
    harness.call(1)
    for attempt in 1...3 {
      #expect(harness.connects.count == attempt)
      harness.answersChecks = false
      harness.step { $0.connected(UInt64(attempt), now: $1) }
      harness.step { $0.checked(UInt64(attempt), peerHasEnded: true, now: $1) }
      #expect(harness.results.isEmpty)
      harness.step { $0.inputEnded(UInt64(attempt), now: $1) }
      harness.step { $0.connectionClosed(UInt64(attempt), now: $1) }
    }
    #expect(harness.code(1) == .connectFailed)
    #expect(harness.error(1)?.mayHaveExecuted == false)
    guard case .backingOff = harness.link.state else { throw Unexpected() }
  }

  @Test func `events of an earlier connection do nothing`() {
    var harness = LinkHarness.up()
    harness.step { $0.inputEnded(1, now: $1) }
    harness.call(1)
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.step { $0.connected(2, now: $1) }
    let before = harness.log.count
    harness.step { $0.inputEnded(1, now: $1) }
    harness.step { $0.failed(1, reset, now: $1) }
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.step { $0.connectFailed(1, refused, now: $1) }
    harness.answer(1, [1], attempt: 1)
    #expect(harness.log.count == before)
    #expect(harness.link.isUp && harness.results.isEmpty)
  }

  // MARK: What our side wants

  @Test func `disconnecting fails every pending call with the reason, and the next call connects again`() throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.answersChecks = false
    harness.call(2)
    harness.step { $0.disconnect(reason: "maintenance", now: $1) }
    #expect(harness.code(1) == .disconnected && harness.error(1)?.text == "maintenance")
    #expect(harness.error(1)?.mayHaveExecuted == true && harness.error(2)?.mayHaveExecuted == false)
    harness.call(3)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.connects == [2] && harness.results[3] == nil)
  }

  @Test func `another address ends the connection, and what was not written goes there`() throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.answersChecks = false
    harness.call(2)
    harness.step { $0.setAddress("h:1", now: $1) }
    #expect(harness.link.isUp)
    harness.step { $0.setAddress("h:2", now: $1) }
    #expect(harness.code(1) == .disconnected && harness.results[2] == nil)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.log.contains(.connect(address: "h:2", attempt: 2)))
  }

  @Test func `a peer that the directory calls down fails calls at once, until it has an address again`() {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.step { $0.setDown(now: $1) }
    #expect(harness.code(1) == .peerDown && harness.error(1)?.mayHaveExecuted == true)
    harness.call(2, waits: true)
    #expect(harness.code(2) == .peerDown && harness.error(2)?.mayHaveExecuted == false)
    harness.step { $0.connectionClosed(1, now: $1) }
    #expect(harness.link.state == .down)
    harness.step { $0.setAddress("h:1", now: $1) }
    harness.call(3)
    #expect(harness.connects == [2])
    // The session counter goes on.
    harness.step { $0.connected(2, now: $1) }
    #expect(harness.link.sessions.keys.sorted() == [2])
  }

  @Test func `an unknown peer fails calls at once, save those that wait`() {
    var harness = LinkHarness(.unknown)
    harness.call(1)
    #expect(harness.code(1) == .unknownPeer)
    harness.call(2, waits: true)
    #expect(harness.send() == .refused(harness.error(1)!))
    harness.step { $0.setAddress("h:3", now: $1) }
    #expect(harness.log.contains(.connect(address: "h:3", attempt: 1)))
    harness.step { $0.connected(1, now: $1) }
    harness.answer(1, [])
    #expect(harness.body(2) == [])
  }

  @Test func `shutting down fails everything and takes nothing more`() {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.step { $0.shutDown(now: $1) }
    #expect(harness.code(1) == .shuttingDown)
    #expect(harness.log.contains(.close(attempt: 1)))
    harness.call(2)
    #expect(harness.code(2) == .shuttingDown)
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.step { $0.setAddress("h:9", now: $1) }
    #expect(harness.link.state == .shutDown && harness.connects.isEmpty && harness.armed == nil)
  }

  @Test func `a connection that does not close in time when the node shuts down is aborted`() {
    var harness = LinkHarness.up()
    harness.step { $0.shutDown(now: $1) }
    harness.advance(0.9)
    #expect(!harness.log.contains(.abort(attempt: 1)))
    harness.advance(0.2)
    #expect(harness.log.contains(.abort(attempt: 1)))
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.advance(100)
    #expect(harness.log.filter { $0 == .abort(attempt: 1) }.count == 1)
  }

  @Test func `each change of state is told once, with its reason`() {
    var harness = LinkHarness()
    harness.call(1)
    harness.step { $0.connected(1, now: $1) }
    harness.step { $0.inputEnded(1, now: $1) }
    harness.step { $0.connectionClosed(1, now: $1) }
    let changes = harness.log.compactMap { action -> String? in
      if case .stateChanged(let from, let to, let reason) = action { "\(from) > \(to): \(reason)" } else { nil }
    }
    #expect(
      changes == [
        "idle > connecting: a request", "connecting > up: connected",
        "up > closing: the peer closed the connection", "closing > idle: closed",
      ])
  }

  @Test func `the statistics say what waits and what failed`() {
    var harness = LinkHarness()
    harness.call(1, [UInt8](repeating: 0, count: 936))
    _ = harness.send([UInt8](repeating: 0, count: 936))
    #expect(harness.link.statistics.pendingCalls == 1 && harness.link.statistics.queuedBytes == 2_000)
    harness.step { $0.connectFailed(1, refused, now: $1) }
    let statistics = harness.link.statistics
    #expect(statistics.pendingCalls == 0 && statistics.queuedBytes == 0 && statistics.lostSends == 1)
    #expect(statistics.failedAttempts == 1 && statistics.lastFailure == refused && statistics.address == "h:1")
    #expect(statistics.state == harness.link.state)
  }
}

struct Unexpected: Error {}
