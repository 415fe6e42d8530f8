import SkeinPlatform
import Testing

@Suite("Platform") struct PlatformTests {
  @Test func `the clock never goes back`() {
    var last = MonotonicInstant.now
    for _ in 0..<1_000 {
      let next = MonotonicInstant.now
      #expect(next >= last)
      last = next
    }
  }

  @Test func `the approximate clock never goes back and keeps to the clock`() {
    var last = MonotonicInstant.approximateNow
    let end = MonotonicInstant.now.advanced(by: .milliseconds(50))
    var greatest = Duration.zero
    while true {
      let before = MonotonicInstant.now
      let next = MonotonicInstant.approximateNow
      let after = MonotonicInstant.now
      #expect(next >= last)
      last = next
      // What lies outside of the two readings of the clock is an error.
      greatest = max(greatest, next.duration(to: before), after.duration(to: next))
      if after >= end { break }
    }
    #expect(greatest < .microseconds(100), "an error of \(greatest)")
  }

  @Test func `instants beyond the clock's range stay at its end`() {
    #expect(MonotonicInstant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
    #expect(MonotonicInstant(nanoseconds: 5).advanced(by: .seconds(Int64.max)) == .distantFuture)
    #expect(MonotonicInstant(nanoseconds: 5).duration(to: MonotonicInstant(nanoseconds: 12)) == .nanoseconds(7))
  }

  static let roundings: [(Duration, Int64)] = [
    (.nanoseconds(1), 1), (.seconds(2), 2_000_000_000), (.zero, 0),
    (Duration(secondsComponent: 0, attosecondsComponent: 1), 1), (.milliseconds(-3), -3_000_000),
  ]

  @Test(arguments: roundings)
  func `durations become nanoseconds, rounded up`(duration: Duration, nanoseconds: Int64) {
    #expect(duration.nanosecondsClamped == nanoseconds)
  }

  @Test func `a failed call names itself and its errno`() {
    let error = SystemCallError(call: "bind", errorNumber: 98)
    #expect(error.description == "bind: Address already in use (errno 98)")
  }

  @Test func `only a thread that says so outlives the loops`() throws {
    final class Answers: Sendable { let list = Lock<[Bool]>([]) }
    let answers = Answers()
    try PlatformThread.start(name: "worker", outlivesLoops: true) {
      answers.list.withLock { $0.append(PlatformThread.currentOutlivesLoops) }
    }.join()
    try PlatformThread.start(name: "other") {
      answers.list.withLock { $0.append(PlatformThread.currentOutlivesLoops) }
    }.join()
    #expect(answers.list.withLock { $0 } == [true, false])
  }

  @Test func `a thread that joins itself is let go, and runs on`() throws {
    final class Box: Sendable { let thread = Lock<ThreadHolder?>(nil) }
    final class ThreadHolder: @unchecked Sendable {
      // @unchecked: taken once, by the thread itself.
      var thread: PlatformThread?
      init(_ thread: consuming PlatformThread) { self.thread = consume thread }
    }
    let box = Box()
    let stored = FutexWaiter()
    let joined = FutexWaiter()
    let thread = try PlatformThread.start(name: "self") {
      stored.wait(until: nil)
      let own = box.thread.withLock { held in held.take() }
      own?.thread.take()?.join()
      joined.wake()
    }
    let holder = ThreadHolder(thread)
    box.thread.withLock { $0 = holder }
    stored.wake()
    joined.wait(until: nil)
    let isTaken = box.thread.withLock { $0 == nil }
    #expect(isTaken)
  }
}
