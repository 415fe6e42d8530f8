import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Searching", .serialized) struct SearchingTests {
  /// A futex whose owner finds an event in its looks, once, after it was told to.
  final class EventfulWaiter: WorkerWaiter {
    private let futex = FutexWaiter()
    private let event = Lock<(@Sendable () -> Void)?>(nil)
    let waits = Atomic<Int>(0)
    /// Prepares the event.
    func prepare(_ event: @escaping @Sendable () -> Void) { self.event.withLock { $0 = event } }
    func wait(until deadline: MonotonicInstant?) {
      waits.add(1, ordering: .sequentiallyConsistent)
      // A worker that went to sleep without a look has missed it.
      _ = look()
      futex.wait(until: deadline)
    }
    func wake() { futex.wake() }
    func wake(at deadline: MonotonicInstant) { futex.wake(at: deadline) }
    func look() -> Bool {
      let event = event.withLock { slot in
        defer { slot = nil }
        return slot
      }
      event?()
      return event != nil
    }
  }

  @Test func `what comes while a worker looks round before its sleep runs without a sleep`() throws {
    let waiter = EventfulWaiter()
    let pool = try WorkerPool(workers: 1, waiter: { _ in waiter })
    let strand = try Strand(pool: pool, label: "one")
    let done = Event()
    let waits = Atomic<Int>(-1)
    let waitsAfter = Atomic<Int>(-1)
    strand.post { strand in
      waits.store(waiter.waits.load(ordering: .relaxed), ordering: .relaxed)
      waiter.prepare {
        strand.post { _ in
          waitsAfter.store(waiter.waits.load(ordering: .relaxed), ordering: .relaxed)
          done.signal()
        }
      }
    }
    done.wait()
    #expect(waits.load(ordering: .relaxed) == waitsAfter.load(ordering: .relaxed))
    pool.shutDown()
  }

  @Test func `one worker searches at a time, and while it does nobody is woken`() {
    let sleepers = SleeperSet()
    // Not in the macro: it cannot take what is not copied.
    let asleep = sleepers.enter(0)
    let first = sleepers.trySearch()
    let second = sleepers.trySearch()
    let wokenMeanwhile = sleepers.next()
    #expect(asleep == 1 && first && !second && wokenMeanwhile == nil)
    sleepers.foundWork()
    let woken = sleepers.next()
    // The one that was woken searches now.
    let third = sleepers.trySearch()
    let wokenTwice = sleepers.next()
    #expect(woken == 0 && !third && wokenTwice == nil)
    let bothAsleep = sleepers.enter(1)
    let fourth = sleepers.trySearch()
    // The one that was woken is not asleep any more.
    #expect(bothAsleep == 1 && fourth)
  }

  @Test func `searches that find nothing end, and are tried again now and then`() {
    var habit = SearchHabit()
    var tried: [Int] = []
    for sleep in 0..<100 where habit.isWorthwhile() {
      tried.append(sleep)
      habit.searched(finding: false)
    }
    #expect(tried == [0, 1, 2, 3, 35, 67, 99])
    habit.searched(finding: true)
    tried = []
    for sleep in 0..<10 where habit.isWorthwhile() {
      tried.append(sleep)
      habit.searched(finding: false)
    }
    #expect(tried == [0, 1])
  }
}
