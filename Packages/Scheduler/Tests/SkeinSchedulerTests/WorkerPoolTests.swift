import SkeinPlatform
import SkeinTimer
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("WorkerPool", .serialized) struct WorkerPoolTests {
  @Test func `a strand woken by a stuck worker's handler runs elsewhere before that handler ends`() throws {
    let pool = try TestPool(workers: 2)
    let stuck = try pool.strand("stuck")
    let other = try pool.strand("other")
    let ran = Event()
    let done = Event()
    stuck.post { _ in
      // Goes into this worker's ready slot, from which the watcher has to take it.
      other.post { _ in ran.signal() }
      ran.wait()
      done.signal()
    }
    done.wait()
    #expect(pool.pool.takeoverCount > 0)
  }

  @Test func `many strands woken by a stuck worker's handler all run elsewhere`() throws {
    let pool = try TestPool(workers: 2)
    let stuck = try pool.strand("stuck")
    let others = try (0..<400).map { try pool.strand("\($0)") }
    let ran = Event()
    let done = Event()
    stuck.post { _ in
      for other in others { other.post { _ in ran.signal() } }
      ran.wait(others.count)
      done.signal()
    }
    done.wait()
  }

  @Test func `timers of a stuck worker fire on time by another's hand`() throws {
    let pool = try TestPool(workers: 2)
    let stuck = try pool.strand("stuck")
    let fired = Event()
    let done = Event()
    stuck.post { _ in
      let timers = pool.pool.currentTimers
      do {
        _ = try timers.arm(at: .now.advanced(by: .milliseconds(2))) { fired.signal() }
        fired.wait()
      } catch { Issue.record(error) }
      done.signal()
    }
    done.wait()
  }

  @Test func `a busy worker still fires its timers`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand()
    let fired = Event()
    let spinner = Spinner(fired)
    strand.post { strand in
      do {
        _ = try pool.pool.currentTimers.arm(at: .now.advanced(by: .milliseconds(2))) { fired.signal() }
      } catch { Issue.record(error) }
      spinner.turn(strand)
    }
    fired.wait()
  }

  /// Sends itself a message again and again until the event came.
  final class Spinner: Sendable {
    let event: Event
    init(_ event: Event) { self.event = event }
    func turn(_ strand: Strand) {
      if event.value == 0 { strand.post { strand in self.turn(strand) } }
    }
  }

  @Test(arguments: [1, 2, 4])
  func `a ring of strands passes a token round, over every wake and sleep`(workers: Int) throws {
    let pool = try TestPool(workers: workers)
    let strands = try (0..<100).map { try pool.strand("\($0)") }
    let done = Event()
    let rounds = soak ? 10_000 : 300
    let ring = Ring(strands: strands, left: rounds * strands.count, done: done)
    strands[0].post { _ in ring.pass(0) }
    done.wait()
  }

  final class Ring: Sendable {
    let strands: [Strand]
    let left: Atomic<Int>
    let done: Event
    init(strands: [Strand], left: Int, done: Event) {
      self.strands = strands
      self.left = Atomic(left)
      self.done = done
    }
    func pass(_ index: Int) {
      if left.subtract(1, ordering: .relaxed).newValue == 0 { return done.signal() }
      let next = (index + 1) % strands.count
      strands[next].post { _ in self.pass(next) }
    }
  }

  @Test func `work that foreign threads inject one piece at a time is never left lying`() throws {
    let pool = try TestPool(workers: 2)
    let strands = try (0..<4).map { try pool.strand("\($0)") }
    let ran = Event()
    let count = soak ? 200_000 : 5_000
    for number in 0..<count {
      strands[number % 4].post { _ in ran.signal() }
      ran.wait(number + 1)
    }
    #expect(ran.value == count)
  }

  @Test func `two strands that wake each other do not starve the one in line`() throws {
    let pool = try TestPool(workers: 1)
    let pair = [try pool.strand("ping"), try pool.strand("pong")]
    let patient = try pool.strand("patient")
    let seenAt = Atomic<Int>(-1)
    let done = Event()
    @Sendable func turn(_ number: Int) {
      if number == 10_000 { return done.signal() }
      // The first turn puts it into the ready slot, from which the pair then pushes it into the queue.
      if number == 0 { patient.post { _ in done.signal() } }
      pair[number % 2].post { _ in
        if done.value == 0 { seenAt.store(number, ordering: .relaxed) }
        turn(number + 1)
      }
    }
    pair[1].post { _ in turn(0) }
    done.wait(2)
    // Everybody in line comes after a few turns of the slot.
    #expect(seenAt.load(ordering: .relaxed) < 20)
  }

  @Test func `a strand that has run its budget lets others run`() throws {
    let pool = try TestPool(workers: 1, budget: RunBudget(messages: 4))
    let greedy = try pool.strand("greedy")
    let other = try pool.strand("other")
    let ran = Event()
    let spinner = Spinner(ran)
    greedy.post { strand in spinner.turn(strand) }
    other.post { _ in ran.signal() }
    ran.wait()
  }

  @Test func `a shut-down pool has ended its threads`() throws {
    for _ in 0..<20 {
      let pool = try WorkerPool(workers: 3)
      pool.shutDown()
    }
  }

  @Test(arguments: [nil, StrandBinding(worker: 0)])
  func `strands that come in line after the end are released with their pool`(binding: StrandBinding?) throws {
    weak var ended: WorkerPool?
    do {
      let pool = try WorkerPool(workers: 1)
      ended = pool
      pool.shutDown()
      let strand = try Strand(pool: pool, label: "late", binding: binding)
      strand.post { _ in Issue.record("it runs") }
    }
    #expect(ended == nil)
  }

  /// A futex whose owner does something after a wait, as one that handles events.
  private final class HandlingWaiter: WorkerWaiter {
    private let futex = FutexWaiter()
    private let handler = Lock<(@Sendable () -> Void)?>(nil)
    func wait(until deadline: MonotonicInstant?) {
      futex.wait(until: deadline)
      handler.withLock { handler in
        defer { handler = nil }
        return handler
      }?()
    }
    func wake() { futex.wake() }
    func wake(at deadline: MonotonicInstant) { futex.wake(at: deadline) }
    func look() -> Bool { false }
    func handle(_ body: @escaping @Sendable () -> Void) {
      handler.withLock { $0 = body }
      futex.wake()
    }
  }

  @Test func `what a worker wakes in its own wait's handlers runs elsewhere before they end`() throws {
    let waiters = (0..<2).map { _ in HandlingWaiter() }
    let pool = try WorkerPool(workers: 2, watchInterval: .seconds(3_600), waiter: { waiters[$0] })
    let strands = try (0..<8).map { try Strand(pool: pool, label: "\($0)") }
    let ran = Event()
    let done = Event()
    while !(0..<2).allSatisfy({ pool.sleepers.isAsleep($0) }) { PlatformThread.relax() }
    waiters[0].handle {
      for strand in strands { strand.post { _ in ran.signal() } }
      ran.wait()
      done.signal()
    }
    done.wait()
    ran.wait(strands.count)
    pool.shutDown()
  }

  @Test func `a pool without workers traps`() async {
    await #expect(processExitsWith: .failure) { _ = try WorkerPool(workers: 0) }
  }
}
