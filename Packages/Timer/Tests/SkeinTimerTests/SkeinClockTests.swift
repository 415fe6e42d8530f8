import SkeinPlatform
import SkeinTimer
import Testing

@Suite("SkeinClock") struct SkeinClockTests {
  @Test func `a sleeper goes on at its deadline and not before`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      do {
        try await clock.sleep(for: .milliseconds(10))
        actor.note("awake at \(clock.now.nanoseconds)")
      } catch { actor.note("\(error)") }
    }
    stage.advance(to: 9)
    #expect(stage.notes.isEmpty)
    #expect(stage.queue.nextDeadline == .milliseconds(10))
    stage.advance(to: 10)
    #expect(stage.notes == ["awake at 10000000"])
  }

  @Test func `a past deadline does not suspend`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      try? await clock.sleep(until: .milliseconds(0))
      actor.note("awake")
    }
    #expect(stage.notes == ["awake"])
  }

  @Test func `sleepers of one tick go on in the order in which they fell asleep`() {
    let stage = Stage()
    let clock = stage.clock
    for number in 0..<5 {
      stage.start { actor in
        try? await clock.sleep(for: .milliseconds(3))
        actor.note("\(number)")
      }
    }
    stage.advance(to: 3)
    #expect(stage.notes.suffix(5) == ["0", "1", "2", "3", "4"])
  }

  @Test func `cancelling the task ends the sleep at once and takes the timer back`() {
    let stage = Stage()
    let clock = stage.clock
    let task = stage.start { actor in
      do {
        try await clock.sleep(for: .seconds(1))
        actor.note("slept")
      } catch { actor.note("\(type(of: error))") }
    }
    #expect(stage.queue.count == 1)
    task.cancel()
    stage.executor.run()
    #expect(stage.notes == ["CancellationError"])
    #expect(stage.queue.count == 0)
  }

  @Test func `a task that is cancelled already does not fall asleep`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
      do {
        try await clock.sleep(for: .seconds(1))
      } catch { actor.note("\(type(of: error))") }
    }
    #expect(stage.notes == ["CancellationError"])
    #expect(stage.queue.count == 0)
  }

  @Test func `a full queue and a queue that is shut down are told to the sleeper`() {
    let stage = Stage(capacity: 1)
    let clock = stage.clock
    for _ in 0..<2 {
      stage.start { actor in
        do {
          try await clock.sleep(for: .seconds(1))
        } catch { actor.note("\(error)") }
      }
    }
    #expect(stage.notes.last == "all 1 timers of the queue are armed")
    #expect(stage.queue.shutDown() == 1)
    stage.executor.run()
    #expect(stage.notes.last == "the timer queue was shut down")
  }

  @Test func `it is a Clock like any other`() async throws {
    let timers = try TimerThread(capacity: 8)
    let clock = timers.clock
    let start = clock.now
    let measured = try await clock.measure { try await Task.sleep(for: .milliseconds(2), clock: clock) }
    #expect(measured >= .milliseconds(2))
    #expect(start.duration(to: clock.now) >= .milliseconds(2))
    #expect(clock.minimumResolution == .milliseconds(1))
    timers.shutDown()
  }

  @Test(arguments: 0..<20)
  func `a cancellation that races with the timer ends the sleep once`(round: Int) async throws {
    let timers = try TimerThread(capacity: 256, tick: .microseconds(10))
    let clock = timers.clock
    let ended = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<100 {
        group.addTask {
          do {
            try await clock.sleep(for: .microseconds(10 * number))
            return true
          } catch { return error is CancellationError }
        }
      }
      try? await clock.sleep(for: .microseconds(500))
      group.cancelAll()
      var ended = 0
      for await asExpected in group where asExpected { ended += 1 }
      return ended
    }
    #expect(ended == 100)
    #expect(timers.queue.count == 0)
    timers.shutDown()
  }
}
