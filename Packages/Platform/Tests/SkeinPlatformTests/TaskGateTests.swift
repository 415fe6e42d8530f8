import SkeinPlatform
import Testing

@Suite("TaskGate") struct TaskGateTests {
  @Test func `a gate opened before the wait lets the task through with its reason`() async {
    let gate = TaskGate()
    #expect(!gate.isOpen)
    #expect(gate.open(7))
    #expect(gate.isOpen)
    #expect(await gate.wait() == 7)
  }

  @Test func `only the first opening counts`() async {
    let gate = TaskGate()
    #expect(gate.open(3))
    #expect(!gate.open(4))
    #expect(await gate.wait() == 3)
  }

  @Test func `a task that waits goes on however the opening falls`() async throws {
    for round in 0..<2_000 {
      let gate = TaskGate()
      let thread = try PlatformThread.start(name: "opener") {
        for _ in 0..<(round % 50) { PlatformThread.relax() }
        gate.open(5)
      }
      #expect(await gate.wait() == 5)
      thread.join()
    }
  }
}
