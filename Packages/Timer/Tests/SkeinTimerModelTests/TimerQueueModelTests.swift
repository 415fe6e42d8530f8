// The queue in all orders: arming from foreign threads while the owner goes to sleep, and advancing from several.

import Foundation
import SkeinModelCheck
import SkeinPlatform
import SkeinTimerModel
import Synchronization
import Testing

/// A place to wait in that keeps the last deadline it was told, as a kernel's timer does.
private final class Bed: Waiter {
  private let kept = ModelAtomic(Int64.max)
  private let end = ModelAtomic(Int64.max)
  /// A planted fault: of two calls with one deadline it hears the first only, as if nobody had looked again.
  private let isDeafToRepeats: Bool
  private let heard = ModelAtomic(Int64.max)

  init(isDeafToRepeats: Bool) { self.isDeafToRepeats = isDeafToRepeats }

  /// The owner falls asleep, and sleeps on to the end of the run.
  func wait(until deadline: MonotonicInstant?) {
    end.store(deadline?.nanoseconds ?? .max, ordering: .relaxed)
  }

  func wake() {}

  func wake(at deadline: MonotonicInstant) {
    if isDeafToRepeats {
      let isRepeated = heard.load(ordering: .relaxed) == deadline.nanoseconds
      if isRepeated { return }
      if deadline == .milliseconds(3) { heard.store(deadline.nanoseconds, ordering: .relaxed) }
    }
    kept.store(deadline.nanoseconds, ordering: .relaxed)
  }

  /// When the owner goes on, however long that takes.
  var wakesAt: MonotonicInstant {
    MonotonicInstant(nanoseconds: min(end.load(ordering: .relaxed), kept.load(ordering: .relaxed)))
  }
}

extension MonotonicInstant {
  fileprivate static func milliseconds(_ count: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: count * 1_000_000)
  }
}

/// Counts in plain memory: handlers that do not run one after another are found.
private final class Counter: TimerTarget {
  private let counts = ModelCell([UInt64: Int]())
  func timerFired(token: UInt64) { counts.value[token, default: 0] += 1 }
  var all: [UInt64: Int] { counts.value }
}

/// Small programs round one queue.
enum QueueProgram: String, CaseIterable, Sendable {
  /// The owner falls asleep while two arm.
  case sleep
  /// The owner fires what is due, and falls asleep while two arm, one of them in the past.
  case fire
  /// The owner sleeps; the earliest timer is cancelled, and two arm.
  case cancel
  /// The owner falls asleep while one is armed anew, earlier, and another is armed.
  case rearm
  /// Two advance while another arms: each timer fires once, one after another.
  case advance
  /// One cancels what another fires: it fires, or the cancel says that it does not.
  case race

  func setUp(_ model: ModelRun) { setUp(model, isDeafToRepeats: false) }

  func setUp(_ model: ModelRun, isDeafToRepeats: Bool) {
    let bed = Bed(isDeafToRepeats: isDeafToRepeats)
    let queue = TimerQueue(capacity: 8, waiter: bed)
    let counter = Counter()
    func arm(_ milliseconds: Int64) -> TimerHandle {
      do throws(TimerError) {
        return try queue.arm(at: .milliseconds(milliseconds), target: counter, token: UInt64(milliseconds))
      } catch {
        ModelRun.require(false, "there is room")
        return .none
      }
    }
    func fallAsleep() { bed.wait(until: queue.nextDeadline) }
    func armFromTwo() {
      model.thread("five") { _ = arm(5) }
      model.thread("three") { _ = arm(3) }
    }
    switch self {
    case .sleep:
      model.thread("owner") { fallAsleep() }
      armFromTwo()
    case .fire:
      _ = arm(4)
      model.thread("owner") {
        queue.advance(to: .milliseconds(4))
        fallAsleep()
      }
      armFromTwo()
    case .cancel:
      let first = arm(4)
      fallAsleep()
      model.thread("canceller") { queue.cancel(first) }
      armFromTwo()
    case .rearm:
      let first = arm(9)
      model.thread("owner") { fallAsleep() }
      model.thread("re-armer") { ModelRun.require(queue.rearm(first, at: .milliseconds(3)), "it was armed") }
      model.thread("five") { _ = arm(5) }
    case .advance:
      _ = arm(3)
      _ = arm(5)
      model.thread("four") { queue.advance(to: .milliseconds(4)) }
      model.thread("six") { queue.advance(to: .milliseconds(6)) }
      model.thread("armer") { _ = arm(6) }
    case .race:
      let first = arm(3)
      let wasArmed = ModelCell(false)
      model.thread("firer") { queue.advance(to: .milliseconds(3)) }
      model.thread("canceller") { wasArmed.value = queue.cancel(first) }
      model.afterwards {
        ModelRun.require(wasArmed.value == (counter.all[3] == nil), "a timer was cancelled and fired, or neither")
      }
    }
    model.afterwards {
      if self != .advance, let next = queue.nextDeadline {
        ModelRun.require(self == .race || bed.wakesAt <= next, "due at \(next), and the owner wakes at \(bed.wakesAt)")
      }
      queue.advance(to: .milliseconds(10))
      ModelRun.require(queue.count == 0, "something due was left")
      for (token, count) in counter.all { ModelRun.require(count == 1, "timer \(token) fired \(count) times") }
      if self == .advance { ModelRun.require(counter.all.count == 3, "only \(counter.all) fired") }
    }
  }
}

// ThreadSanitizer has nothing to see: one thread at a time runs.
#if !SKEIN_TSAN
@Suite("TimerQueue in all orders", .serialized) struct TimerQueueModelTests {
  private static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  @Test(arguments: QueueProgram.allCases)
  func `no deadline is overslept and no timer lost, with few deviations`(program: QueueProgram) throws {
    let outcome = ModelRun.check(.exhaustive(deviations: Self.isSoak ? 3 : 2), program.setUp)
    if let failure = outcome.failure { throw failure }
    #expect(outcome.runs > 1)
  }

  @Test(arguments: QueueProgram.allCases)
  func `no deadline is overslept and no timer lost, by chance`(program: QueueProgram) throws {
    let runs = Self.isSoak ? 20_000 : 300
    for strategy in [ModelStrategy.random(seed: 7, runs: runs), .priorities(seed: 7, runs: runs, changes: 3)] {
      if let failure = ModelRun.check(strategy, program.setUp).failure { throw failure }
    }
  }

  @Test func `that nobody looks again after telling the waiter is found`() async {
    await #expect(processExitsWith: .exitCode(1)) {
      let outcome = ModelRun.check(.exhaustive(deviations: 2)) {
        QueueProgram.sleep.setUp($0, isDeafToRepeats: true)
      }
      if outcome.failure != nil { exit(1) }
    }
  }

  /// The lock's steps, which all of the queue's memory hangs on.
  static let mutations: [ModelMutation] = {
    let sites = ModelRun.check(.random(seed: 1, runs: 20), QueueProgram.sleep.setUp).sites
    return sites.filter { $0.file.hasSuffix("/ModelLock.swift") }.sorted { $0.line < $1.line }.flatMap { site in
      [ModelMutation(.relaxed, at: site)] + (site.operation == .update ? [ModelMutation(.torn, at: site)] : [])
    }
  }()

  @Test func `there are three faults of the lock to find`() { #expect(Self.mutations.count == 3) }

  @Test(arguments: mutations)
  func `each fault of the lock is found`(mutation: ModelMutation) async throws {
    // In a process of its own: the threads of failed runs stay behind.
    await #expect(processExitsWith: .exitCode(1)) { [mutation] in
      let outcome = ModelRun.check(.exhaustive(deviations: 1), mutation: mutation, QueueProgram.sleep.setUp)
      if outcome.failure != nil { exit(1) }
    }
  }
}
#endif
