// What the timer tests share: a seeded generator, a recording waiter and target, an executor run by hand.

import SkeinPlatform
import SkeinTimer

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension MonotonicInstant {
  static func milliseconds(_ count: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: count * 1_000_000) }
}

/// A list that any thread appends to.
final class Log<Element: Sendable>: Sendable {
  private let list = Lock<[Element]>([])
  var all: [Element] { list.withLock { list in list } }
  func append(_ element: Element) { list.withLock { list in list.append(element) } }
  func removeAll() -> [Element] {
    list.withLock { list in
      defer { list = [] }
      return list
    }
  }
}

/// Notes the deadlines that it is woken for.
final class RecordingWaiter: Waiter {
  let deadlines = Log<MonotonicInstant>()
  func wait(until deadline: MonotonicInstant?) {}
  func wake() {}
  func wake(at deadline: MonotonicInstant) { deadlines.append(deadline) }
}

/// Notes what fired and what was dropped.
final class RecordingTarget: TimerTarget {
  let fired = Log<UInt64>()
  let dropped = Log<UInt64>()
  func timerFired(token: UInt64) { fired.append(token) }
  func timerDropped(token: UInt64) { dropped.append(token) }
}

/// A time that moves only when told to.
final class ManualTime: Sendable {
  private let current = Lock(MonotonicInstant.milliseconds(0))
  var now: MonotonicInstant { current.withLock { now in now } }
  func set(_ instant: MonotonicInstant) { current.withLock { now in now = instant } }
}

/// An executor that runs its jobs when the test says so, on the test's thread.
final class ManualExecutor: SerialExecutor {
  private let jobs = Lock<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { jobs in jobs.append(job) }
  }

  /// The test's thread is the executor's.
  func checkIsolated() {}

  /// Runs jobs until there is none.
  func run() {
    while let job = jobs.withLock({ jobs in jobs.isEmpty ? nil : jobs.removeFirst() }) {
      unsafe job.runSynchronously(on: asUnownedSerialExecutor())
    }
  }
}

/// An actor that runs on a manual executor.
actor Sleepy {
  nonisolated let executor: ManualExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
  /// What happened on the actor, in order.
  private(set) var notes: [String] = []

  init(_ executor: ManualExecutor) { self.executor = executor }

  func note(_ text: String) { notes.append(text) }

  func spawn(_ body: @escaping @Sendable (isolated Sleepy) async -> Void) -> Task<Void, Never> {
    Task {
      notes.append("begins")
      await body(self)
    }
  }
}

/// A clock, its queue and an actor that sleeps on it, all moved by hand.
struct Stage {
  let time: ManualTime
  let queue: TimerQueue
  let clock: SkeinClock
  let executor = ManualExecutor()
  let actor: Sleepy

  init(capacity: Int = 16) {
    let time = ManualTime()
    self.time = time
    queue = TimerQueue(capacity: capacity)
    clock = SkeinClock(queue, time: { time.now })
    actor = Sleepy(executor)
  }

  /// What the actor noted, from the test's thread.
  var notes: [String] { actor.assumeIsolated { actor in Array(actor.notes.dropFirst()) } }

  /// Starts `body` on the actor; it runs to its first suspension.
  @discardableResult
  func start(_ body: @escaping @Sendable (isolated Sleepy) async -> Void) -> Task<Void, Never> {
    let task = actor.assumeIsolated { actor in actor.spawn(body) }
    executor.run()
    return task
  }

  /// Moves the time and runs what it wakes.
  func advance(to milliseconds: Int64) {
    time.set(.milliseconds(milliseconds))
    queue.advance(to: .milliseconds(milliseconds))
    executor.run()
  }

  /// Runs the executor until the actor has noted so much; other threads may have a part in it.
  func settle(until count: Int) async {
    while notes.count < count {
      executor.run()
      await Task.yield()
    }
  }
}
