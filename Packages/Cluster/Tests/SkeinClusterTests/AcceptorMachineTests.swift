import SkeinPlatform
import Testing

@testable import SkeinCluster

/// An acceptor and what it asked for.
private struct Harness {
  var acceptor: AcceptorMachine
  var now = start
  var log: [AcceptorAction] = []
  var handsOver = true
  var output: [UInt8] = []
  var kernelTakesAll = true
  var armed: MonotonicInstant?

  init(_ change: (inout AcceptorConfiguration) -> Void = { _ in }) {
    var configuration = AcceptorConfiguration()
    change(&configuration)
    acceptor = AcceptorMachine(configuration: configuration)
  }

  mutating func step(_ event: (inout AcceptorMachine, MonotonicInstant) -> Void) {
    event(&acceptor, now)
    while true {
      let actions = acceptor.takeActions()
      if actions.isEmpty { return }
      log += actions
      for action in actions {
        switch action {
        case .deliver: if handsOver { acceptor.handedOver(now: now) }
        case .write:
          output += acceptor.takeOutput()
          acceptor.queuedBytes(kernelTakesAll ? 0 : output.count, now: now)
        case .arm(let time): armed = time
        case .disarm: armed = nil
        default: break
        }
      }
    }
  }

  mutating func advance(_ seconds: Double) {
    let end = now.advanced(by: .nanoseconds(Int64(seconds * 1e9)))
    while let time = armed, time <= end {
      armed = nil
      now = max(now, time)
      step { $0.timerFired(now: $1) }
    }
    now = end
  }

  mutating func receive(_ bytes: [UInt8]) {
    step { acceptor, now in bytes.withRawSpan { acceptor.received($0, now: now) } }
  }

  var delivered: [ClusterRequest] { log.compactMap { if case .deliver(let request) = $0 { request } else { nil } } }
  var end: AcceptorAction? {
    log.first {
      switch $0 {
      case .close, .abort: true
      default: false
      }
    }
  }
  var isAborted: Bool { if case .abort = end { true } else { false } }
  var isClosed: Bool { if case .close = end { true } else { false } }
  func answers() throws -> [ArrivedAnswer] { try SkeinClusterTests.answers(in: packets(of: output)) }
}

private func small(_ session: UInt32, to address: ClusterAddress = .number(1_024), _ body: [UInt8] = [1]) -> [UInt8] {
  var output: [UInt8] = []
  RequestPacket.appendSmall(to: address, session: session, body: body, into: &output)
  return output
}

private func begin(_ session: UInt32, total: Int, isPush: Bool = false) -> [UInt8] {
  var output: [UInt8] = []
  RequestPacket.appendBegin(
    to: .number(1_024), session: session, isPush: isPush, total: UInt32(total), into: &output)
  return output
}

private func part(_ session: UInt32, _ count: Int, isLast: Bool) -> [UInt8] {
  var output: [UInt8] = []
  RequestPacket.appendPart(
    session: session, isLast: isLast, bytes: [UInt8](repeating: 3, count: count)[...], into: &output)
  return output
}

private func trace(_ tag: [UInt8]) throws -> [UInt8] {
  var output: [UInt8] = []
  try RequestPacket.appendTrace(tag: tag, into: &output)
  return output
}

@Suite("AcceptorMachine") struct AcceptorMachineTests {
  @Test func `calls, pushes and name queries are delivered, and answers come in the order of completion`() throws {
    var harness = Harness()
    harness.receive(small(5) + small(0) + small(6, to: .nameQuery, [4]))
    #expect(harness.delivered.map(\.kind) == [.call, .push, .nameQuery])
    harness.step { $0.answer(3, body: [9], now: $1) }
    harness.step { $0.fail(1, text: "no", now: $1) }
    #expect(
      try harness.answers() == [
        ArrivedAnswer(isError: false, session: 6, body: [9]),
        ArrivedAnswer(isError: true, session: 5, body: Array("no".utf8)),
      ])
  }

  @Test func `a push is never answered, and no request twice`() throws {
    var harness = Harness()
    harness.receive(small(0) + small(7))
    for id in [1, 2, 2, 3] as [UInt64] { harness.step { $0.answer(id, body: [], now: $1) } }
    for id in [1, 2] as [UInt64] { harness.step { $0.fail(id, text: "", now: $1) } }
    #expect(try harness.answers().map(\.session) == [7])
  }

  @Test func `a peer that uses a session twice gets each answer once`() throws {
    var harness = Harness()
    harness.receive(small(7, [1]) + small(7, [2]))
    harness.step { $0.answer(2, body: [2], now: $1) }
    harness.step { $0.answer(1, body: [1], now: $1) }
    #expect(try harness.answers().map(\.body) == [[2], [1]])
  }

  @Test func `large answers are cut, and small ones pass between the parts`() throws {
    var harness = Harness { $0.window = 40_000 }
    harness.kernelTakesAll = false
    harness.receive(small(1) + small(2))
    harness.step { $0.answer(1, body: [UInt8](repeating: 1, count: 200_000), now: $1) }
    harness.step { $0.answer(2, body: [2], now: $1) }
    harness.kernelTakesAll = true
    harness.step { $0.queuedBytes(0, now: $1) }
    #expect(try harness.answers().map(\.body.count) == [1, 200_000])
  }

  @Test func `more calls in work than the limit wait unread, and each answer lets one in`() throws {
    var harness = Harness { $0.maxRequestsInWork = 4 }
    harness.receive((1...10).flatMap { small(UInt32($0), [UInt8($0)]) })
    #expect(harness.delivered.count == 4)
    #expect(harness.log.filter { $0 == .pauseReading }.count == 1)
    harness.receive(small(11, [11]))
    for id in 1...7 {
      harness.step { $0.answer(UInt64(id), body: [], now: $1) }
      #expect(harness.delivered.count == 4 + id)
      #expect(harness.acceptor.isPaused)
    }
    harness.step { $0.answer(8, body: [], now: $1) }
    #expect(!harness.acceptor.isPaused && harness.log.last == .resumeReading)
    #expect(harness.delivered.map(\.body) == (1...11).map { [UInt8($0)] })
  }

  @Test func `a cut in the middle of a packet does not matter when reading pauses there`() throws {
    let stream = (1...40).flatMap { small(UInt32($0), [UInt8](repeating: UInt8($0), count: $0)) }
    for cut in 1..<stream.count {
      var harness = Harness { $0.maxRequestsInWork = 3 }
      harness.receive(Array(stream[..<cut]))
      harness.receive(Array(stream[cut...]))
      for id in 1...40 { harness.step { $0.answer(UInt64(id), body: [], now: $1) } }
      if harness.delivered.map(\.body.count) != Array(1...40) { Issue.record("cut at \(cut)") }
    }
  }

  @Test func `unread answers above the limit stop the reading until the peer reads`() throws {
    var harness = Harness { $0.maxUnreadAnswerBytes = 1_000 }
    harness.kernelTakesAll = false
    harness.receive(small(1) + small(2))
    harness.step { $0.answer(1, body: [UInt8](repeating: 0, count: 2_000), now: $1) }
    #expect(harness.acceptor.isPaused)
    harness.receive(small(3))
    #expect(harness.delivered.count == 2)
    harness.kernelTakesAll = true
    harness.step { $0.queuedBytes(0, now: $1) }
    #expect(!harness.acceptor.isPaused && harness.delivered.count == 3)
  }

  @Test func `a peer that never reads its answers is cut off`() {
    var harness = Harness { $0.maxAnswerBytes = 100_000 }
    harness.kernelTakesAll = false
    harness.receive((1...100).flatMap { small(UInt32($0)) })
    for id in 1...100 { harness.step { $0.answer(UInt64(id), body: [UInt8](repeating: 0, count: 5_000), now: $1) } }
    #expect(harness.isAborted)
  }

  @Test func `a flood that does not stop when reading is paused ends the connection`() {
    var harness = Harness {
      $0.maxRequestsInWork = 1
      $0.maxBacklogBytes = 10_000
    }
    for _ in 1...1_000 { harness.receive(small(1, [UInt8](repeating: 0, count: 100))) }
    #expect(harness.isAborted)
    #expect(harness.delivered.count == 1)
  }

  @Test func `an answer above the limit becomes an error`() throws {
    var harness = Harness { $0.maxAnswerBodyBytes = 100 }
    harness.receive(small(1))
    harness.step { $0.answer(1, body: [UInt8](repeating: 0, count: 101), now: $1) }
    #expect(try harness.answers().map(\.isError) == [true])
  }

  // MARK: The end

  @Test func `after the peer's FIN the answers that are owed are written, and then it closes`() throws {
    var harness = Harness()
    harness.receive(small(1) + small(2))
    harness.step { $0.inputEnded(now: $1) }
    #expect(harness.end == nil)
    harness.step { $0.answer(1, body: [1], now: $1) }
    #expect(harness.end == nil)
    harness.step { $0.answer(2, body: [UInt8](repeating: 0, count: 100_000), now: $1) }
    #expect(harness.isClosed)
    #expect(try harness.answers().map(\.body.count) == [1, 100_000])
  }

  @Test func `requests that wait unread at the peer's FIN are still done`() throws {
    var harness = Harness { $0.maxRequestsInWork = 1 }
    harness.receive(small(1) + small(2) + small(3))
    harness.step { $0.inputEnded(now: $1) }
    for id in 1...3 { harness.step { $0.answer(UInt64(id), body: [], now: $1) } }
    #expect(harness.isClosed)
    #expect(try harness.answers().count == 3)
  }

  @Test func `a FIN with nothing owed closes at once`() {
    var harness = Harness()
    harness.step { $0.inputEnded(now: $1) }
    #expect(harness.isClosed)
  }

  @Test func `a request that is never answered does not keep a half-closed connection for ever`() {
    var harness = Harness { $0.halfClosedTime = .seconds(2) }
    harness.receive(small(1))
    harness.step { $0.inputEnded(now: $1) }
    harness.advance(1.9)
    #expect(harness.end == nil)
    harness.advance(0.2)
    #expect(harness.isAborted)
  }

  @Test func `by default 256 calls are in work and 1 MiB of answers unread, and no more`() throws {
    var harness = Harness()
    harness.receive((1...300).flatMap { small(UInt32($0)) })
    #expect(harness.delivered.count == 256 && harness.log.contains(.pauseReading))
    var slow = Harness()
    slow.kernelTakesAll = false
    let body = [UInt8](repeating: 1, count: 30_000)
    while slow.acceptor.isReady && slow.delivered.count < 100 {
      slow.receive(small(UInt32(slow.delivered.count + 1)))
      slow.step { $0.answer($0.lastID, body: body, now: $1) }
    }
    // The 35th answer is the first beyond.
    #expect(slow.delivered.count == 35 && slow.log.contains(.pauseReading))
  }

  @Test func `pushes that the driver has not handed over are bounded, too`() {
    var harness = Harness { $0.maxRequestsInWork = 4 }
    harness.handsOver = false
    harness.receive((1...10).flatMap { _ in small(0) })
    #expect(harness.delivered.count == 4 && harness.acceptor.isPaused)
    harness.step { $0.handedOver(now: $1) }
    #expect(harness.delivered.count == 5)
    harness.handsOver = true
    for _ in 1...4 { harness.step { $0.handedOver(now: $1) } }
    #expect(harness.delivered.count == 10 && !harness.acceptor.isPaused)
  }

  @Test func `a connection that has ended keeps no timer`() {
    for end in [{ $0.ended() }, { $0.disconnect(reason: "enough") }] as [(inout AcceptorMachine) -> Void] {
      var harness = Harness()
      harness.receive(begin(1, total: 100))
      #expect(harness.armed != nil)
      harness.step { acceptor, _ in end(&acceptor) }
      #expect(harness.armed == nil)
    }
  }

  @Test func `nothing follows the end`() {
    var harness = Harness()
    harness.receive(small(1))
    harness.step { acceptor, _ in acceptor.disconnect(reason: "maintenance") }
    #expect(harness.end == .close(reason: "maintenance"))
    let count = harness.log.count
    harness.receive(small(2))
    harness.step { $0.answer(1, body: [], now: $1) }
    harness.step { $0.inputEnded(now: $1) }
    harness.step { $0.timerFired(now: $1) }
    harness.step { $0.queuedBytes(5, now: $1) }
    harness.step { acceptor, _ in acceptor.disconnect(reason: "again") }
    #expect(harness.log.count == count && harness.output.isEmpty)
  }

  @Test(
    arguments: [
      [0, 0], [0, 1, 0x77], [0, 8, 0, 1, 0, 0, 0, 1, 0, 0], [0, 4, 2, 1, 0, 0], [0, 3, 0x80, 9, 64],
      [0, 12, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0], [0, 6, 0x80, 0, 1, 0, 0, 0],
    ] as [[UInt8]])
  func `what is no request ends the connection with a reason`(bytes: [UInt8]) {
    var harness = Harness()
    harness.receive(small(1) + bytes + small(2))
    #expect(harness.delivered.count == 1)
    #expect(harness.isAborted)
  }

  // MARK: Large requests

  @Test func `parts of several large requests and small ones may be interleaved`() throws {
    var harness = Harness()
    harness.receive(
      begin(1, total: 100) + begin(2, total: 50, isPush: true) + part(1, 60, isLast: false) + small(3)
        + part(2, 50, isLast: true) + part(1, 40, isLast: true))
    #expect(harness.delivered.map(\.body.count) == [1, 50, 100])
    #expect(harness.delivered.map(\.kind) == [.call, .push, .call])
    harness.receive(begin(4, total: 0) + part(4, 0, isLast: true))
    #expect(harness.delivered.last?.body == [])
  }

  @Test func `a large call that does not add up is answered with an error once, a push not at all`() throws {
    let wrong: [(String, (Bool) -> [UInt8])] = [
      ("short", { begin(1, total: 100, isPush: $0) + part(1, 60, isLast: true) }),
      ("long", { begin(1, total: 100, isPush: $0) + part(1, 101, isLast: false) + part(1, 5, isLast: true) }),
      (
        "twice begun",
        { begin(1, total: 100, isPush: $0) + begin(1, total: 100, isPush: $0) + part(1, 100, isLast: true) }
      ),
      (
        "above the limit",
        { begin(1, total: 1 << 30, isPush: $0) + part(1, 9, isLast: false) + part(1, 9, isLast: true) }
      ),
    ]
    for (name, bytes) in wrong {
      for isPush in [false, true] {
        var harness = Harness()
        harness.receive(bytes(isPush) + small(2))
        #expect(harness.delivered.map(\.body.count) == [1], "\(name)")
        #expect(try harness.answers().map(\.session) == (isPush ? [] : [1]), "\(name)")
        #expect(harness.end == nil, "\(name)")
        // The session can be used again.
        harness.receive(begin(1, total: 5) + part(1, 5, isLast: true))
        #expect(harness.delivered.last?.body.count == 5, "\(name)")
      }
    }
  }

  @Test func `a last part without a beginning is answered with an error`() throws {
    var harness = Harness()
    harness.receive(part(9, 5, isLast: false) + part(9, 5, isLast: true))
    let answers = try harness.answers()
    #expect(answers.map(\.session) == [9] && answers[0].isError)
    #expect(String(decoding: answers[0].body, as: UTF8.self).hasPrefix("Invalid large req"))
  }

  @Test func `a small request with the session of an open large one leaves it alone`() throws {
    var harness = Harness()
    harness.receive(begin(1, total: 10) + small(1) + part(1, 10, isLast: true))
    #expect(harness.delivered.map(\.body.count) == [1, 10])
  }

  @Test func `an unfinished large call is answered with an error when its time is over, and not again`() throws {
    var harness = Harness { $0.requests.timeLimit = .seconds(10) }
    harness.receive(begin(1, total: 100) + part(1, 10, isLast: false))
    harness.advance(10.1)
    #expect(try harness.answers().map(\.session) == [1])
    harness.receive(part(1, 90, isLast: true))
    #expect(try harness.answers().count == 1)
    #expect(harness.delivered.isEmpty)
  }

  @Test func `too many unfinished large requests end the connection`() {
    var harness = Harness { $0.requests.open = 5 }
    harness.receive((1...6).flatMap { begin(UInt32($0), total: 10) })
    #expect(harness.isAborted)
  }

  @Test func `unfinished large requests together have a limit of bytes`() throws {
    var harness = Harness { $0.requests.openBytes = 1_000 }
    harness.receive(begin(1, total: 600) + begin(2, total: 600))
    #expect(try harness.answers().map(\.session) == [2])
    harness.receive(part(1, 600, isLast: true) + part(2, 600, isLast: true) + begin(3, total: 1_000))
    #expect(harness.delivered.map(\.body.count) == [600])
    #expect(try harness.answers().count == 1)
  }

  // MARK: Traces

  @Test func `a trace tag goes with the next request and no other`() throws {
    var harness = Harness()
    harness.receive(begin(1, total: 4) + (try trace([7])) + part(1, 4, isLast: true) + small(2) + small(3))
    #expect(harness.delivered.map(\.trace) == [nil, [7], nil])
    harness.receive(try trace([8]) + begin(4, total: 4) + small(5) + part(4, 4, isLast: true))
    #expect(harness.delivered.suffix(2).map(\.trace) == [nil, [8]])
    harness.receive(try trace([9]) + small(0) + small(6))
    #expect(harness.delivered.suffix(2).map(\.trace) == [[9], nil])
  }

  @Test func `rubbish does not fill the log`() {
    var harness = Harness()
    for _ in 1...1_000 { harness.receive(part(1, 1, isLast: true)) }
    #expect(harness.log.filter { if case .log = $0 { true } else { false } }.count == 8)
    #expect(harness.acceptor.refusals == 1_000)
  }
}
