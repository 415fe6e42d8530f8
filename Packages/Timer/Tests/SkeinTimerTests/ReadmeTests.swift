import SkeinTimer
import Testing

@Suite("README") struct ReadmeTests {
  @Test func `the example runs`() async throws {
    // README: begin
    let timers = try TimerThread(capacity: 100_000)

    // A callback, and taking it back.
    let handle = try timers.queue.arm(after: .seconds(30)) { print("nobody answered") }
    let isTakenBack = timers.queue.cancel(handle)

    // Ordinary Swift: sleep, and a limit on anything that is cancellable.
    try await timers.clock.sleep(for: .milliseconds(2))
    let answer = try await withTimeout(.seconds(5), clock: timers.clock) {
      try await timers.clock.sleep(for: .milliseconds(1))
      return 42
    }

    timers.shutDown()
    // README: end
    #expect(isTakenBack)
    #expect(answer == 42)
  }
}
