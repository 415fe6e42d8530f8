import SkeinPlatform
import SkeinTimer
import Testing

@Suite("PeriodicTimer") struct PeriodicTimerTests {
  @Test func `it keeps to its grid however late the queue is advanced`() throws {
    let queue = TimerQueue(capacity: 2)
    let log = Log<Int64>()
    let timer = PeriodicTimer(on: queue, first: .milliseconds(10), every: .milliseconds(10)) { _ in
      log.append(queue.lastAdvance.nanoseconds / 1_000_000)
    }
    try timer.start()
    for now in [10, 17, 23, 39, 40] as [Int64] { queue.advance(to: .milliseconds(now)) }
    #expect(log.all == [10, 23, 39, 40])
    #expect(queue.nextDeadline == .milliseconds(50))
  }

  @Test func `by default missed deadlines are skipped and counted`() throws {
    let queue = TimerQueue(capacity: 2)
    let log = Log<Int>()
    let timer = PeriodicTimer(on: queue, first: .milliseconds(10), every: .milliseconds(10)) { missed in
      log.append(missed)
    }
    try timer.start()
    for now in [10, 45, 50, 69] as [Int64] { queue.advance(to: .milliseconds(now)) }
    #expect(log.all == [0, 2, 0, 0])
    #expect(queue.nextDeadline == .milliseconds(70))
  }

  @Test func `missed deadlines are caught up in order when asked for`() throws {
    let queue = TimerQueue(capacity: 2)
    let log = Log<String>()
    let timer = PeriodicTimer(
      on: queue, first: .milliseconds(10), every: .milliseconds(10), missedTicks: .catchUp
    ) { missed in log.append("beat \(missed)") }
    try timer.start()
    try queue.arm(at: .milliseconds(25)) { log.append("other") }
    queue.advance(to: .milliseconds(39))
    #expect(log.all == ["beat 0", "beat 0", "other", "beat 0"])
  }

  @Test func `a cancelled timer does not come back, also when its handler cancels it`() throws {
    let queue = TimerQueue(capacity: 2)
    let log = Log<Int>()
    let timer = PeriodicTimer(on: queue, first: .milliseconds(1), every: .milliseconds(1)) { _ in log.append(1) }
    try timer.start()
    queue.advance(to: .milliseconds(1))
    #expect(timer.cancel())
    #expect(!timer.cancel())
    try timer.start()
    queue.advance(to: .milliseconds(10))
    #expect(log.all == [1])
    #expect(queue.count == 0)
  }

  @Test func `it keeps its place in a queue that was filled meanwhile`() throws {
    let queue = TimerQueue(capacity: 1)
    let log = Log<Int>()
    let target = RecordingTarget()
    let timer = PeriodicTimer(on: queue, first: .milliseconds(1), every: .milliseconds(1)) { _ in
      log.append(1)
      #expect(throws: TimerError.full(capacity: 1)) { try queue.arm(at: .milliseconds(9), target: target) }
    }
    try timer.start()
    for now in 1...3 { queue.advance(to: .milliseconds(Int64(now))) }
    #expect(log.all == [1, 1, 1])
  }

  @Test func `it ends with its queue`() throws {
    let queue = TimerQueue(capacity: 1)
    let timer = PeriodicTimer(on: queue, first: .milliseconds(1), every: .milliseconds(1)) { _ in queue.shutDown() }
    try timer.start()
    queue.advance(to: .milliseconds(5))
    #expect(queue.count == 0)
    let late = PeriodicTimer(on: queue, first: .now, every: .seconds(1)) { _ in }
    #expect(throws: TimerError.shutDown) { try late.start() }
  }
}
