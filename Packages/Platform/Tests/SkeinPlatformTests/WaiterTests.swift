import SkeinPlatform
import Synchronization
import Testing

@Suite("FutexWaiter") struct FutexWaiterTests {
  @Test func `a wake before the wait ends that wait at once`() {
    let waiter = FutexWaiter()
    waiter.wake()
    waiter.wait(until: nil)
  }

  @Test func `a past deadline only looks`() {
    FutexWaiter().wait(until: MonotonicInstant(nanoseconds: 0))
  }

  @Test func `a wait ends no earlier than its deadline when nobody wakes`() {
    let deadline = MonotonicInstant.now.advanced(by: .milliseconds(3))
    FutexWaiter().wait(until: deadline)
    #expect(MonotonicInstant.now >= deadline)
  }

  @Test func `wake(at:) ends a wait that has no deadline`() throws {
    let waiter = FutexWaiter()
    let deadline = MonotonicInstant.now.advanced(by: .milliseconds(3))
    let thread = try PlatformThread.start(name: "waker") { waiter.wake(at: deadline) }
    waiter.wait(until: nil)
    #expect(MonotonicInstant.now >= deadline)
    thread.join()
  }

  @Test func `of two deadlines asked for the earlier one counts`() {
    let waiter = FutexWaiter()
    let early = MonotonicInstant.now.advanced(by: .milliseconds(3))
    waiter.wake(at: early)
    waiter.wake(at: .distantFuture)
    waiter.wait(until: nil)
    #expect(MonotonicInstant.now >= early)
  }

  @Test func `a deadline asked for does not swallow a wake`() throws {
    let waiter = FutexWaiter()
    for _ in 0..<2_000 {
      let thread = try PlatformThread.start(name: "waker") {
        waiter.wake()
        waiter.wake(at: .distantFuture)
      }
      waiter.wait(until: nil)
      thread.join()
      // Takes a wake that came after the wait had ended by another one.
      waiter.wait(until: MonotonicInstant(nanoseconds: 0))
    }
  }

  @Test func `two threads that wake each other never stop`() throws {
    let left = FutexWaiter()
    let right = FutexWaiter()
    let count = Atomic<Int>(0)
    let rounds = 20_000
    let thread = try PlatformThread.start(name: "right") {
      for _ in 0..<rounds {
        while count.load(ordering: .acquiring) % 2 == 0 { right.wait(until: nil) }
        count.add(1, ordering: .acquiringAndReleasing)
        left.wake()
      }
    }
    for _ in 0..<rounds {
      count.add(1, ordering: .acquiringAndReleasing)
      right.wake()
      while count.load(ordering: .acquiring) % 2 == 1 { left.wait(until: nil) }
    }
    thread.join()
    #expect(count.load(ordering: .acquiring) == 2 * rounds)
  }
}
