import SkeinPlatform
import SkeinTimer
import Testing

@Suite("withTimeout") struct WithTimeoutTests {
  private struct Failure: Error {}

  @Test func `an operation that ends in time gives its result, and its timer is taken back`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      let value = try? await withTimeout(.milliseconds(10), clock: clock) {
        try await clock.sleep(for: .milliseconds(4))
        // The operation runs on the caller's actor.
        actor.note("works")
        return 7
      }
      actor.note("\(value ?? 0)")
    }
    #expect(stage.queue.count == 2)
    stage.advance(to: 4)
    #expect(stage.notes == ["works", "7"])
    #expect(stage.queue.count == 0)
  }

  @Test func `an operation that is late is cancelled and reported with its limit`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      do {
        try await withTimeout(.milliseconds(10), clock: clock) { try await clock.sleep(for: .seconds(60)) }
        actor.note("ended")
      } catch let error as TimeoutError {
        actor.note("timeout \(error.duration == .milliseconds(10))")
      } catch { actor.note("\(error)") }
    }
    stage.advance(to: 9)
    #expect(stage.notes.isEmpty)
    stage.advance(to: 10)
    #expect(stage.notes == ["timeout true"])
    #expect(stage.queue.count == 0)
  }

  @Test func `an operation that ignores cancellation is awaited, and its value wins`() async {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      // A task of its own is not cancelled with the operation.
      let other = Task {
        actor.note("other")
        try? await clock.sleep(until: .milliseconds(30))
      }
      let value = try? await withTimeout(.milliseconds(10), clock: clock) {
        await other.value
        return Task.isCancelled ? "cancelled, still a value" : "a value"
      }
      actor.note(value ?? "none")
    }
    stage.advance(to: 10)
    #expect(stage.notes == ["other"])
    stage.advance(to: 30)
    await stage.settle(until: 2)
    #expect(stage.notes == ["other", "cancelled, still a value"])
  }

  @Test func `an error before the deadline is the operation's own`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      do {
        try await withTimeout(.milliseconds(10), clock: clock) { throw Failure() }
      } catch { actor.note("\(type(of: error))") }
    }
    #expect(stage.notes == ["Failure"])
    #expect(stage.queue.count == 0)
  }

  @Test func `cancelling the caller cancels the operation`() {
    let stage = Stage()
    let clock = stage.clock
    let task = stage.start { actor in
      do {
        try await withTimeout(.seconds(10), clock: clock) { try await clock.sleep(for: .seconds(5)) }
      } catch { actor.note("\(type(of: error))") }
    }
    task.cancel()
    stage.executor.run()
    #expect(stage.notes == ["CancellationError"])
    #expect(stage.queue.count == 0)
  }

  @Test func `a limit of zero cancels the operation before it begins`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      do {
        try await withTimeout(.zero, clock: clock) {
          actor.note("begins cancelled \(Task.isCancelled)")
          try Task.checkCancellation()
        }
      } catch { actor.note("\(type(of: error))") }
    }
    #expect(stage.notes == ["begins cancelled true", "TimeoutError"])
  }

  @Test func `shutting the queue down cancels the operation`() {
    let stage = Stage()
    let clock = stage.clock
    stage.start { actor in
      do {
        try await withTimeout(.seconds(10), clock: clock) { try await clock.sleep(for: .seconds(5)) }
      } catch { actor.note("\(error)") }
    }
    #expect(stage.queue.shutDown() == 2)
    stage.executor.run()
    #expect(stage.notes == ["the timer queue was shut down"])
  }

  @Test func `it works outside of actors too, and task-locals reach the operation`() async throws {
    let timers = try TimerThread(capacity: 8)
    let value = try await Locals.$name.withValue("here") {
      try await withTimeout(.seconds(60), clock: timers.clock) { Locals.name }
    }
    #expect(value == "here")
    await #expect(throws: TimeoutError(duration: .milliseconds(2))) {
      try await withTimeout(.milliseconds(2), clock: timers.clock) {
        try await timers.clock.sleep(for: .seconds(60))
      }
    }
    timers.shutDown()
  }

  private enum Locals {
    @TaskLocal static var name = "nowhere"
  }
}
