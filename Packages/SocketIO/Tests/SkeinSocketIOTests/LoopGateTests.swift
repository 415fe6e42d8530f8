import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinSocketIO

@Suite("LoopGate") struct LoopGateTests {
  private final class Shared: Sendable {
    let gate = LoopGate()
    let list = Lock<[Int]>([])
    let inside = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)

    func tryEnter() -> Bool { gate.tryEnter() }
    func tryLeave() -> Bool { gate.tryLeave() }
    func enterOrMark() -> Bool { gate.enterOrMark() }
    func mark() -> Bool { gate.mark() }
    func takeMark() -> Bool { gate.takeMark() }

    func work() {
      if inside.wrappingAdd(1, ordering: .relaxed).newValue != 1 { overlaps.wrappingAdd(1, ordering: .relaxed) }
      let count = list.withLock { list in
        defer { list = [] }
        return list.count
      }
      done.wrappingAdd(count, ordering: .relaxed)
      inside.wrappingSubtract(1, ordering: .relaxed)
    }

    func leave() {
      repeat {
        if gate.takeMark() { work() }
      } while !gate.tryLeave()
    }
  }

  @Test func `a held gate cannot be entered`() {
    let shared = Shared()
    #expect(shared.tryEnter())
    #expect(!shared.tryEnter())
    #expect(shared.tryLeave())
    #expect(shared.tryEnter())
  }

  @Test func `a marked gate does not open`() {
    let shared = Shared()
    #expect(shared.tryEnter())
    #expect(!shared.enterOrMark())
    #expect(!shared.tryLeave())
    #expect(shared.takeMark())
    #expect(!shared.takeMark())
    #expect(shared.tryLeave())
  }

  @Test func `a mark on an open gate waits for who enters`() {
    let shared = Shared()
    #expect(!shared.mark())
    #expect(shared.tryEnter())
    #expect(shared.takeMark())
    #expect(shared.tryLeave())
  }

  @Test func `no work is left lying, and no two threads are inside`() throws {
    let shared = Shared()
    let rounds = 20_000
    func start(_ body: @escaping @Sendable () -> Void) throws -> PlatformThread {
      try PlatformThread.start(name: "gate", body)
    }
    let leave: @Sendable () -> Void = {
      for number in 0..<rounds {
        shared.list.withLock { $0.append(number) }
        if shared.gate.enterOrMark() {
          shared.work()
          shared.leave()
        }
      }
    }
    let wait: @Sendable () -> Void = {
      for _ in 0..<rounds {
        shared.gate.enter()
        shared.work()
        shared.leave()
      }
    }
    let first = try start(leave)
    let second = try start(leave)
    let third = try start(wait)
    let fourth = try start(wait)
    first.join()
    second.join()
    third.join()
    fourth.join()
    #expect(shared.done.load(ordering: .relaxed) == 2 * rounds)
    #expect(shared.overlaps.load(ordering: .relaxed) == 0)
    #expect(shared.tryEnter() && shared.tryLeave())
  }
}
