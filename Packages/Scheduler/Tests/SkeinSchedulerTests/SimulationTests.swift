import Foundation
import SkeinPlatform
import SkeinScheduler
import SkeinSchedulerTesting
import SkeinTimer
import Testing

@Suite("Simulation") struct SimulationTests {
  /// Sends from several strands to one, in the order that the simulation makes; returns who came when.
  private static func race(_ simulation: SimulatedScheduler) throws -> [Int] {
    let seen = Lock<[Int]>([])
    let order = Box(seen)
    try simulation.perform {
      let target = try Strand(pool: simulation.pool, label: "target")
      for sender in 0..<4 {
        let strand = try Strand(pool: simulation.pool, label: "sender \(sender)")
        for number in 0..<3 {
          strand.post { _ in target.post { _ in order.value.withLock { $0.append(sender * 10 + number) } } }
        }
      }
    }
    try simulation.runUntilIdle()
    return order.value.withLock { $0 }
  }

  @Test func `one seed gives one order, and another seed another`() throws {
    let first = SimulatedScheduler(seed: 3)
    let again = SimulatedScheduler(seed: 3)
    let other = SimulatedScheduler(seed: 4)
    let order = try Self.race(first)
    #expect(try Self.race(again) == order)
    #expect(again.orderHash == first.orderHash && again.lastSteps == first.lastSteps)
    #expect(try Self.race(other) != order)
    #expect(other.orderHash != first.orderHash)
  }

  @Test func `every order of four senders comes up, and each keeps a sender's own`() throws {
    var firsts: Set<Int> = []
    let hashes = try SimulatedScheduler.check(seeds: 0..<200) { simulation in
      let order = try Self.race(simulation)
      #expect(order.count == 12)
      for sender in 0..<4 {
        #expect(order.filter { $0 / 10 == sender } == [0, 1, 2].map { sender * 10 + $0 })
      }
      firsts.insert(order[0] / 10)
    }
    #expect(firsts == [0, 1, 2, 3])
    #expect(Set(hashes).count > 190)
  }

  @Test func `an actor counts under every seed`() throws {
    try SimulatedScheduler.check(seeds: 0..<100) { simulation in
      let sum = try simulation.run {
        let counter = Counter(try Strand(pool: simulation.pool, label: "counter"))
        return await counter.add() + counter.add()
      }
      precondition(sum == 3)
    }
  }

  @Test func `an hour of sleep takes no time, and the clock says that it has passed`() throws {
    let simulation = SimulatedScheduler(seed: 1)
    let before = SimulatedScheduler.start
    let slept = try simulation.run {
      let clock = SkeinClock(simulation.pool.timers)
      try await clock.sleep(for: .seconds(3_600))
      return MonotonicInstant.now
    }
    #expect(before.duration(to: slept) >= .seconds(3_600))
    #expect(before.duration(to: slept) < .seconds(3_601))
    #expect(MonotonicInstant.now != simulation.now, "the test's own thread is not ruled any more")
  }

  @Test func `sleepers wake in the order of their deadlines`() throws {
    try SimulatedScheduler.check(seeds: 0..<20) { simulation in
      let woken = Box(Lock<[Int]>([]))
      try simulation.run {
        let clock = SkeinClock(simulation.pool.timers)
        for number in [3, 1, 2, 0] {
          let strand = try Strand(pool: simulation.pool, label: "sleeper \(number)")
          _ = Task(executorPreference: strand) {
            try await clock.sleep(for: .seconds(number + 1))
            woken.value.withLock { $0.append(number) }
          }
        }
        try await clock.sleep(for: .seconds(10))
      }
      #expect(woken.value.withLock { $0 } == [0, 1, 2, 3])
    }
  }

  @Test func `steps cost time, so strands that are never idle do not keep a timer back`() throws {
    let simulation = SimulatedScheduler(seed: 5)
    let isOver = Event()
    try simulation.perform {
      let busy = try Strand(pool: simulation.pool, label: "busy")
      @Sendable func again(_ strand: Strand) { if isOver.value == 0 { strand.post(again) } }
      busy.post(again)
      _ = try simulation.pool.timers.arm(after: .milliseconds(20)) { isOver.signal() }
    }
    try simulation.runUntilIdle()
    #expect(isOver.value == 1)
    #expect(simulation.stepCount >= 20_000)
  }

  @Test func `a stalled machine fires timers while strands wait in line`() throws {
    // A timer of 20 ms and a strand that is in line: only a stall lets the timer be first.
    func isTimerFirst(_ simulation: SimulatedScheduler) throws -> Bool {
      let first = Box(Lock<[String]>([]))
      try simulation.perform {
        _ = try simulation.pool.timers.arm(after: .milliseconds(20)) { first.value.withLock { $0.append("timer") } }
        try Strand(pool: simulation.pool, label: "waits").post { _ in first.value.withLock { $0.append("strand") } }
      }
      try simulation.runUntilIdle()
      return first.value.withLock { $0 } == ["timer", "strand"]
    }
    var stalled = 0
    for seed in UInt64(0)..<500 {
      #expect(try !isTimerFirst(SimulatedScheduler(seed: seed)))
      if try isTimerFirst(SimulatedScheduler(seed: seed, longestStall: .milliseconds(40))) { stalled += 1 }
    }
    #expect((1..<50).contains(stalled))
  }

  @Test func `an exclusive strand takes turns with the others, without a thread`() throws {
    let simulation = SimulatedScheduler(seed: 1)
    let thread = PlatformThread.currentNumber
    let ran = Box(Lock<[Bool]>([]))
    try simulation.perform {
      let strand = try Strand(pool: simulation.pool, label: "exclusive", exclusive: true)
      #expect(!strand.tryEnter())
      strand.post { _ in ran.value.withLock { $0.append(PlatformThread.currentNumber == thread) } }
    }
    try simulation.runUntilIdle()
    #expect(ran.value.withLock { $0 } == [true])
  }

  @Test func `what an exclusive strand sends to a full mailbox arrives in order in a simulation, too`() throws {
    for seed in UInt64(0)..<20 {
      let simulation = SimulatedScheduler(seed: seed)
      let arrived = Box(Lock<[[Int]]>([[], []]))
      try simulation.perform {
        let source = try Strand(pool: simulation.pool, label: "source", exclusive: true)
        let full = try (0..<2).map { try Strand(pool: simulation.pool, label: "full \($0)", mailboxCapacity: 2) }
        source.post { strand in
          for number in 0..<40 {
            let action: Action = { _ in arrived.value.withLock { $0[number % 2].append(number / 2) } }
            guard let outbox = strand.outbox else {
              Issue.record("no outbox")
              return
            }
            switch outbox.send(unsafe Envelope(closureHandler, action), to: full[number % 2]) {
            case .delivered: break
            case .kept: break
            case .busy: Issue.record("busy")
            case .closed: Issue.record("closed")
            }
          }
        }
      }
      try simulation.runUntilIdle()
      #expect(arrived.value.withLock { $0 } == [Array(0..<20), Array(0..<20)])
    }
  }

  @Test func `time passes to the end that was asked for`() throws {
    let simulation = SimulatedScheduler(seed: 1)
    let beats = Event()
    let beat = PeriodicTimer(on: simulation.pool.timers, first: simulation.now, every: .seconds(1)) { _ in
      beats.signal()
    }
    try beat.start()
    try simulation.run(for: .milliseconds(9_500))
    #expect(beats.value == 10)
    #expect(SimulatedScheduler.start.duration(to: simulation.now) == .milliseconds(9_500))
  }

  @Test func `what waits for ever is an error that names the seed`() throws {
    let simulation = SimulatedScheduler(seed: 77)
    let error = #expect(throws: SimulationError.self) {
      try simulation.run {
        let gate = TaskGate()
        _ = await gate.wait()
      }
    }
    #expect(error?.reason == .stalled)
    #expect(error?.description.contains("SKEIN_SEED=77") == true)
  }

  @Test func `what never ends is an error`() throws {
    let simulation = SimulatedScheduler(seed: 1, stepLimit: 1_000)
    let beat = PeriodicTimer(on: simulation.pool.timers, first: simulation.now, every: .seconds(1)) { _ in }
    try beat.start()
    let error = #expect(throws: SimulationError.self) { try simulation.runUntilIdle() }
    #expect(error?.reason == .tooLong)
  }

  @Test func `a failing seed is found, told, and replays`() throws {
    let failure = try #require(throws: SeedFailure.self) { try Self.checkOvertaking(0..<1_000) }
    #expect(failure.cause is Overtaken)
    #expect(failure.description.contains("SKEIN_SEED=\(failure.seed) replays it"))
    #expect(failure.lastSteps.contains { $0.hasSuffix("overtaken") })
    let again = try #require(throws: SeedFailure.self) { try Self.checkOvertaking(failure.seed..<failure.seed + 1) }
    #expect(again.lastSteps == failure.lastSteps)
  }

  private struct Overtaken: Error {}

  /// A fault that few orders show: the last sender of four is not expected to be the first three times in a row.
  private static func checkOvertaking(_ seeds: Range<UInt64>) throws(SeedFailure) {
    try SimulatedScheduler.check(seeds: seeds) { simulation in
      if try race(simulation).prefix(3) == [30, 31, 32] {
        simulation.note("overtaken")
        throw Overtaken()
      }
    }
  }

  @Test func `two processes make the same order of one seed`() async throws {
    var told: [String] = []
    for _ in 0..<2 {
      let result = try await #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
        let hashes = try SimulatedScheduler.check(seeds: 0..<20) { simulation in
          let names = (0..<8).map { "strand \($0)" }
          try simulation.run {
            let strands = try names.map { try Strand(pool: simulation.pool, label: $0) }
            let tasks = strands.map { strand in
              Task(executorPreference: strand) {
                try? await SkeinClock(simulation.pool.timers).sleep(for: .milliseconds(strand.label.utf8.last! % 3))
              }
            }
            for task in tasks { await task.value }
          }
        }
        print("orders: \(hashes)")
      }
      let text = String(decoding: result.standardOutputContent, as: UTF8.self)
      told.append(String(try #require(text.firstMatch(of: /orders: \[(.*)\]/)).output.1))
    }
    #expect(told[0] == told[1])
    #expect(told[0].count > 100)
  }
}

/// Carries a lock into closures.
private final class Box<Value: ~Copyable & Sendable>: Sendable {
  let value: Value
  init(_ value: consuming Value) { self.value = value }
}
