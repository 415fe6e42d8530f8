import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

private func large(_ count: Int, _ byte: UInt8 = 1) -> [UInt8] { [UInt8](repeating: byte, count: count) }

private func largeAnswer(_ session: UInt32, total: Int, parts: [Int], isFinished: Bool = true) -> [UInt8] {
  var output: [UInt8] = []
  AnswerPacket.appendBegin(session: session, total: UInt32(total), into: &output)
  for (index, count) in parts.enumerated() {
    let isLast = isFinished && index == parts.count - 1
    AnswerPacket.appendPart(session: session, isLast: isLast, bytes: large(count, 7)[...], into: &output)
  }
  return output
}

@Suite("LinkMachine's requests") struct LinkRequestTests {
  // MARK: Limits

  @Test func `more pending calls than the limit are busy, and one more is taken when one ends`() throws {
    var harness = LinkHarness.up { $0.maxPendingCalls = 3 }
    for id in 1...4 { harness.call(UInt64(id)) }
    let error = try #require(harness.error(4))
    #expect(error.code == .busy && error.limit == 3 && !error.mayHaveExecuted)
    harness.answer(1, [])
    harness.call(5)
    #expect(harness.results[5] == nil)
  }

  @Test func `the introduction comes before all requests and takes no place among the callers' calls`() throws {
    var harness = LinkHarness(introduction: [7, 7]) { $0.maxPendingCalls = 1 }
    harness.call(1)
    harness.step { $0.connected(1, now: $1) }
    let written = try harness.written()
    #expect(written.map(\.address) == [.nameQuery, .number(1_024)])
    #expect(written.first?.body == [7, 7])
    harness.answer(2, [5])
    harness.call(2)
    #expect(harness.body(1) == [5] && harness.results[2] == nil && harness.link.statistics.pendingCalls == 1)
    // Its answer, or none, is no matter to anybody.
    harness.answer(1, [])
    #expect(harness.link.isUp && harness.link.unknownAnswers == 0 && harness.link.lateAnswers == 0)
  }

  @Test func `more queued bytes than the limit are busy, for calls and sends`() throws {
    var harness = LinkHarness { $0.maxQueuedBytes = 100_000 }
    harness.call(1, large(60_000))
    harness.call(2, large(60_000))
    #expect(harness.code(2) == .busy && harness.error(2)?.limit == 100_000)
    #expect(harness.send(large(60_000)) == .busy(limit: 100_000))
    harness.step { $0.connected(1, now: $1) }
    harness.call(3, large(60_000))
    #expect(harness.results[3] == nil)
  }

  @Test func `bytes that wait for the socket count, and the window bounds what it is given`() {
    var harness = LinkHarness.up {
      $0.maxQueuedBytes = 300_000
      $0.window = 100_000
    }
    harness.kernelTakesAll = false
    harness.call(1, large(300_000))
    #expect(harness.output.count >= 100_000 && harness.output.count <= 140_000)
    harness.call(2, large(200_000))
    #expect(harness.code(2) == .busy)
    let before = harness.output.count
    harness.step { link, _ in link.queuedBytes(1, 50_000) }
    #expect(harness.output.count > before && harness.output.count <= before + 90_000)
    harness.kernelTakesAll = true
    harness.step { link, _ in link.queuedBytes(1, 0) }
    #expect(harness.output.count == 300_000 + 15 + 10 * 7)
    // What the socket holds may be told late, or not at all: it makes nobody busy.
    harness.step { link, _ in link.queuedBytes(1, 90_000) }
    harness.call(3, large(299_000))
    #expect(harness.results[3] == nil)
  }

  @Test func `a request above the greatest size is refused for good`() {
    var harness = LinkHarness.up { $0.maxRequestBytes = 1_000 }
    harness.call(1, large(1_001))
    #expect(harness.code(1) == .tooLarge)
    harness.call(2, large(1_000))
    #expect(harness.results[2] == nil)
  }

  // MARK: Deadlines and cancelling

  @Test func `each call ends at its own deadline, in any order`() {
    var harness = LinkHarness.up()
    let seconds = [3.0, 1, 2, 5, 4, 1.5]
    for (index, limit) in seconds.enumerated() { harness.call(UInt64(index), seconds: limit) }
    harness.call(99, seconds: nil)
    for tenth in 1...60 {
      harness.advance(0.1)
      let now = Double(tenth) / 10
      for (index, limit) in seconds.enumerated() where abs(now - limit) > 0.05 {
        #expect((harness.results[UInt64(index)] != nil) == (limit < now))
      }
    }
    #expect(harness.error(0)?.code == .deadlineExceeded && harness.error(0)?.mayHaveExecuted == true)
    #expect(harness.results[99] == nil)
  }

  @Test func `a call whose deadline has passed is not begun`() {
    var harness = LinkHarness.up()
    harness.call(1, seconds: 0)
    #expect(harness.code(1) == .deadlineExceeded && harness.output.isEmpty)
  }

  @Test func `a late answer to an expired or cancelled call is ignored, and its session was reserved`() {
    var harness = LinkHarness.up()
    harness.call(1, seconds: 1)
    harness.call(2)
    harness.advance(2)
    harness.step { $0.cancel(2, now: $1) }
    #expect(harness.code(2) == .cancelled && harness.error(2)?.mayHaveExecuted == true)
    #expect(harness.link.sessions == [1: .abandoned, 2: .abandoned])
    harness.answer(1, [1])
    harness.answer(2, [1])
    harness.answer(2, [1])
    #expect(harness.link.sessions.isEmpty)
    #expect(harness.link.lateAnswers == 2 && harness.link.unknownAnswers == 1)
    #expect(harness.completions == [1: 1, 2: 1])
  }

  @Test func `abandoned sessions are bounded`() {
    var harness = LinkHarness.up { $0.maxPendingCalls = 10 }
    for id in 1...100 {
      harness.call(UInt64(id))
      harness.step { $0.cancel(UInt64(id), now: $1) }
    }
    #expect(harness.link.abandonedCount == 10 && harness.link.sessions.count == 10)
    #expect(harness.link.sessions.keys.min() == 91)
    #expect(harness.link.abandoned.count <= 100)
  }

  @Test func `a session that still waits is skipped when the numbers come round`() {
    var link = LinkMachine(peer: "p", directory: .address("a"), seed: 1, firstSession: 0x7FFF_FFFE)
    link.dial(now: start)
    link.connected(1, now: start)
    for id in 1...3 {
      link.call(UInt64(id), to: .number(1), body: [], deadline: nil, now: start)
      link.checked(1, peerHasEnded: false, now: start)
    }
    #expect(Set(link.sessions.keys) == [0x7FFF_FFFE, 0x7FFF_FFFF, 1])
    var counter = SessionCounter(first: 0x7FFF_FFFE)
    #expect(counter.next { link.sessions[$0] != nil } == 2)
  }

  @Test func `cancelling while connecting drops the request, and an unknown id is nothing`() throws {
    var harness = LinkHarness()
    harness.call(1)
    harness.call(2)
    harness.step { $0.cancel(1, now: $1) }
    harness.step { $0.cancel(55, now: $1) }
    #expect(harness.code(1) == .cancelled && harness.error(1)?.mayHaveExecuted == false)
    harness.step { $0.connected(1, now: $1) }
    #expect(try harness.written().count == 1)
    harness.step { $0.cancel(1, now: $1) }
    #expect(harness.completions == [1: 1])
  }

  @Test func `requests given up while nothing connects take no room`() {
    var harness = LinkHarness(.unknown)
    for id in 1...10_000 {
      harness.call(UInt64(id), large(1_000), seconds: nil, waits: true)
      harness.step { $0.cancel(UInt64(id), now: $1) }
    }
    #expect(harness.link.queue.bytes == 0 && harness.link.queue.isEmpty)
    #expect(harness.link.calls.isEmpty)
  }

  @Test func `many deadlines that are taken back leave no trace in the queue of deadlines`() {
    var harness = LinkHarness.up()
    for id in 1...2_000 {
      harness.call(UInt64(id))
      harness.answer(UInt32(id), [])
    }
    #expect(harness.link.deadlines.entryCount <= 66)
  }

  // MARK: Order

  @Test func `small requests pass between the parts of a large one`() throws {
    var harness = LinkHarness.up { $0.window = 40_000 }
    harness.kernelTakesAll = false
    harness.call(1, large(200_000))
    harness.call(2, [2])
    harness.kernelTakesAll = true
    harness.step { link, _ in link.queuedBytes(1, 0) }
    let arrived = try harness.written()
    #expect(arrived.map(\.body.count) == [1, 200_000])
  }

  @Test func `with the order kept, small requests wait for the large ones before them`() throws {
    var harness = LinkHarness.up {
      $0.window = 40_000
      $0.keepsOrder = true
    }
    harness.kernelTakesAll = false
    harness.call(1, large(200_000))
    harness.call(2, [2])
    harness.call(3, large(90_000))
    harness.call(4, [4])
    harness.kernelTakesAll = true
    harness.step { link, _ in link.queuedBytes(1, 0) }
    #expect(try harness.written().map(\.body.count) == [200_000, 1, 90_000, 1])
  }

  @Test func `a large request that has not begun is taken back with its call, and its followers stay`() throws {
    for keepsOrder in [false, true] {
      var harness = LinkHarness.up {
        $0.window = 40_000
        $0.keepsOrder = keepsOrder
      }
      harness.kernelTakesAll = false
      harness.call(1, large(100_000))
      harness.call(2, large(90_000))
      harness.call(3, [3])
      harness.step { $0.cancel(2, now: $1) }
      #expect(harness.error(2)?.mayHaveExecuted == false)
      harness.step { $0.cancel(1, now: $1) }
      // It has begun, so it goes on; its last part is not out, so it cannot have been executed.
      #expect(harness.error(1)?.mayHaveExecuted == false)
      harness.kernelTakesAll = true
      harness.step { link, _ in link.queuedBytes(1, 0) }
      #expect(try harness.written().map(\.body.count).sorted() == [1, 100_000])
      #expect(harness.link.writer.unsentBytes == 0)
    }
  }

  @Test func `a trace tag goes directly before its own request`() throws {
    var harness = LinkHarness.up { $0.window = 40_000 }
    harness.kernelTakesAll = false
    harness.call(1, large(100_000))
    harness.call(2, large(100_000), trace: [65])
    harness.call(3, [3], trace: [66])
    harness.call(4, [4])
    harness.kernelTakesAll = true
    harness.step { link, _ in link.queuedBytes(1, 0) }
    let tags = try harness.written().map { ($0.session, $0.trace) }.sorted { $0.0! < $1.0! }
    #expect(tags.map(\.1) == [nil, [65], [66], nil])
  }

  // MARK: Sends

  @Test func `sends that are lost with a connection are counted and logged once`() {
    var harness = LinkHarness.up()
    harness.kernelTakesAll = false
    for _ in 1...5 { #expect(harness.send() == .queued) }
    harness.step { link, _ in link.queuedBytes(1, 0) }
    for _ in 1...3 { #expect(harness.send() == .queued) }
    harness.step { $0.failed(1, SystemCallError(call: "send", errorNumber: EPIPE), now: $1) }
    #expect(harness.link.lostSends == 3)
    #expect(harness.log.filter { if case .log = $0 { true } else { false } }.count == 1)
  }

  @Test func `a small push has session 0, a large one a number`() throws {
    var harness = LinkHarness.up()
    #expect(harness.send([1]) == .queued)
    #expect(harness.send(large(32_768)) == .queued)
    harness.call(1)
    let arrived = try harness.written().sorted { $0.session! < $1.session! }
    #expect(arrived.map(\.session) == [0, 1, 2])
    #expect(arrived.map(\.kind) == [.push, .push, .call])
  }

  // MARK: Answers

  @Test func `a large answer is joined from parts of any length, with others between`() {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.call(2)
    harness.receive(1, largeAnswer(1, total: 50_000, parts: [20_000, 1_000], isFinished: false))
    harness.answer(2, [2])
    #expect(harness.body(2) == [2] && harness.results[1] == nil)
    var rest: [UInt8] = []
    AnswerPacket.appendPart(session: 1, isLast: true, bytes: large(29_000, 7)[...], into: &rest)
    harness.receive(1, rest)
    #expect(harness.body(1)?.count == 50_000)
  }

  @Test func `an answer that does not add up fails its call, once, and no other`() {
    let wrong: [(String, [UInt8])] = [
      ("short", largeAnswer(1, total: 100, parts: [40, 40])),
      ("long", largeAnswer(1, total: 100, parts: [60, 60, 60])),
      ("part without beginning", Array(largeAnswer(1, total: 100, parts: [50]).dropFirst(11))),
      (
        "twice begun",
        largeAnswer(1, total: 100, parts: [50], isFinished: false) + largeAnswer(1, total: 100, parts: [100])
      ),
      ("above the limit", largeAnswer(1, total: 20_000_000, parts: [10_000])),
      ("whole after begun", largeAnswer(1, total: 100, parts: [50], isFinished: false) + smallAnswer(1)),
    ]
    for (name, bytes) in wrong {
      var harness = LinkHarness.up()
      harness.call(1)
      harness.call(2)
      harness.receive(1, bytes)
      harness.answer(2, [2])
      #expect(harness.code(1) == .invalidAnswer, "\(name)")
      #expect(harness.body(2) == [2], "\(name)")
      #expect(harness.completions == [1: 1, 2: 1], "\(name)")
      #expect(harness.link.isUp && harness.link.joiner.isEmpty, "\(name)")
    }
  }

  private func smallAnswer(_ session: UInt32) -> [UInt8] {
    var output: [UInt8] = []
    AnswerPacket.appendSmall(session: session, body: [1], into: &output)
    return output
  }

  @Test func `a large answer that stays unfinished fails its call`() {
    var harness = LinkHarness.up { $0.answers.timeLimit = .seconds(10) }
    harness.call(1, seconds: nil)
    harness.receive(1, largeAnswer(1, total: 100, parts: [40], isFinished: false))
    harness.advance(9.9)
    #expect(harness.results.isEmpty)
    harness.advance(0.2)
    #expect(harness.code(1) == .invalidAnswer)
  }

  @Test func `an error answer carries the peer's text`() {
    var harness = LinkHarness.up()
    harness.call(1)
    var packet: [UInt8] = []
    AnswerPacket.appendError(session: 1, text: Array("Invalid name".utf8), into: &packet)
    harness.receive(1, packet)
    #expect(harness.code(1) == .remoteError && harness.error(1)?.text == "Invalid name")
    #expect("\(harness.error(1)!)" == "peer db2 (h:1) answered with an error: Invalid name")
  }

  @Test func `an answer with session 0 or another unknown one is ignored and counted`() {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.answer(0, [1])
    harness.answer(77, [1])
    #expect(harness.link.unknownAnswers == 2 && harness.results.isEmpty && harness.link.isUp)
  }

  @Test(
    arguments: [
      [0x00, 0x00], [0x00, 0x04, 1, 0, 0, 0], [0x00, 0x05, 1, 0, 0, 0, 9], [0x00, 0x06, 1, 0, 0, 0, 2, 0],
    ] as [[UInt8]])
  func `what is no answer ends the connection with a logged reason, and pending calls fail`(bytes: [UInt8]) throws {
    var harness = LinkHarness.up()
    harness.call(1)
    harness.receive(1, bytes)
    #expect(harness.code(1) == .answerLost && harness.error(1)?.mayHaveExecuted == true)
    #expect(harness.log.contains(.abort(attempt: 1)))
    #expect(harness.log.contains { if case .log(.warning, _) = $0 { true } else { false } })
    harness.step { $0.connectionClosed(1, now: $1) }
    harness.call(2)
    #expect(harness.connects == [2])
  }
}
