import SkeinPlatform
import SkeinTimer
import Testing

@Suite("TimerThread") struct TimerThreadTests {
  @Test func `it fires timers by itself, in order and never early`() async throws {
    let timers = try TimerThread(capacity: 8)
    let log = Log<Int>()
    let start = MonotonicInstant.now
    let early = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
      do {
        // What the thread waits for when the others come.
        try timers.queue.arm(at: start.advanced(by: .seconds(3_600))) { log.append(3) }
        // In this order: a thread that is held up between the two does not change theirs.
        try timers.queue.arm(at: start.advanced(by: .milliseconds(2))) { log.append(1) }
        try timers.queue.arm(at: start.advanced(by: .milliseconds(4))) {
          continuation.resume(returning: MonotonicInstant.now < start.advanced(by: .milliseconds(4)))
        }
      } catch { Issue.record(error) }
    }
    #expect(!early)
    #expect(log.all == [1])
    timers.shutDown()
  }

  @Test func `shutting down drops timers, wakes sleepers and joins the thread`() async throws {
    let timers = try TimerThread(capacity: 8)
    let target = RecordingTarget()
    try timers.queue.arm(at: .distantFuture, target: target, token: 5)
    let clock = timers.clock
    let sleeper = Task { try await clock.sleep(for: .seconds(3_600)) }
    #expect(timers.shutDown() >= 1)
    #expect(target.dropped.all == [5])
    await #expect(throws: TimerError.shutDown) { try await sleeper.value }
    #expect(timers.shutDown() == 0)
  }

  @Test func `a handler may shut it down`() async throws {
    let timers = try TimerThread(capacity: 8)
    let dropped = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
      do {
        try timers.queue.arm(at: .distantFuture) {}
        try timers.queue.arm(at: .now) { continuation.resume(returning: timers.shutDown()) }
      } catch { Issue.record(error) }
    }
    #expect(dropped == 1)
    // Joins the thread, which the handler could not.
    #expect(timers.shutDown() == 0)
  }
}
