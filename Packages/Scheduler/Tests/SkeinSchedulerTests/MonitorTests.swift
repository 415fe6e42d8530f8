import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

/// Spins until it is told to end; not inlined, so that it stands on the stack under its name.
@inline(never)
func loopsWithoutEnd(until end: borrowing Atomic<Bool>) -> Int {
  var turns = 0
  while !end.load(ordering: .relaxed) { turns &+= 1 }
  return turns
}

@Suite("Monitor", .serialized) struct MonitorTests {
  final class Reports: Sendable {
    let list = Lock<[StuckWorker]>([])
    let heard = Event()
    func add(_ report: StuckWorker) {
      list.withLock { $0.append(report) }
      heard.signal()
    }
    /// The first with a stack: a thread that was not given the processor in time has none, and is reported again.
    func awaitStack() -> StuckWorker {
      var count = 1
      while true {
        heard.wait(count)
        if let report = list.withLock({ $0.first { $0.stack != nil } }) { return report }
        count += 1
      }
    }
  }

  @Test(arguments: [1, 2])
  func `a handler that never ends is reported with its strand and the function that loops`(workers: Int) throws {
    let reports = Reports()
    let pool = try WorkerPool(workers: workers, stuckReport: { reports.add($0) })
    let strand = try Strand(pool: pool, label: "the looping one")
    let bound = try Strand(pool: pool, label: "bound", binding: StrandBinding(worker: 0))
    let end = Flag()
    let done = Event()
    strand.post { _ in
      _ = loopsWithoutEnd(until: end.value)
      done.signal()
    }
    // On one worker nobody is left to watch; another thread reports.
    let report = reports.awaitStack()
    #expect(report.strand == "the looping one")
    #expect((0..<workers).contains(report.worker))
    let frames = report.stack?.frames ?? []
    #expect(frames.contains { $0.contains("loopsWithoutEnd") }, "\(frames)")
    #expect(report.description.contains("the looping one"))
    end.value.store(true, ordering: .relaxed)
    done.wait()
    bound.post { _ in done.signal() }
    done.wait(2)
    pool.shutDown()
  }

  final class Flag: Sendable { let value = Atomic<Bool>(false) }

  @Test func `a snapshot names what runs, and counts what is in line`() throws {
    let pool = try WorkerPool(workers: 2, watchInterval: .seconds(3_600))
    let strands = try (0..<5).map { try Strand(pool: pool, label: "\($0)") }
    let bound = try Strand(pool: pool, label: "bound", binding: StrandBinding(worker: 0))
    let gates = try (0..<2).map { worker in
      Gate(try Strand(pool: pool, label: "gate \(worker)", binding: StrandBinding(worker: worker)))
    }
    for strand in strands { strand.post { _ in } }
    bound.post { _ in }
    let snapshot = pool.snapshot()
    #expect(snapshot.workers.map(\.strand) == ["gate 0", "gate 1"])
    #expect(snapshot.workers.allSatisfy { $0.runningFor ?? .seconds(-1) >= .zero && !$0.isAsleep })
    #expect(snapshot.injected == 5)
    #expect(snapshot.workers.map(\.boundQueued) == [1, 0])
    #expect(snapshot.workers.map(\.activations).reduce(0, +) == 2)
    #expect(snapshot.zombies == 0)
    for gate in gates { gate.open() }
    pool.shutDown()
    #expect(pool.snapshot().workers.allSatisfy { $0.strand == nil })
  }

  @Test func `a snapshot can be taken at any moment, of strands that come and go`() throws {
    let pool = try WorkerPool(workers: 2)
    let isOver = Atomic<Bool>(false)
    let ended = Event()
    // Each makes the next one, and is gone.
    @Sendable func next(_ number: Int) {
      if isOver.load(ordering: .relaxed) { return ended.signal() }
      do { try Strand(pool: pool, label: "strand \(number)").post { _ in next(number + 1) } } catch {
        Issue.record(error)
      }
    }
    for _ in 0..<2 { next(0) }
    var seen = 0
    var left = soak ? 200_000 : 2_000
    while left > 0 || seen == 0 {
      left -= 1
      for worker in pool.snapshot().workers {
        guard let strand = worker.strand else { continue }
        seen += 1
        if !strand.hasPrefix("strand ") { Issue.record("\(strand)") }
      }
    }
    isOver.store(true, ordering: .relaxed)
    ended.wait(2)
    pool.shutDown()
  }

  @Test func `a strand's long activations are accounted for one by one`() throws {
    let pool = try WorkerPool(workers: 1, budget: RunBudget(messages: 1))
    let strand = try Strand(pool: pool, label: "one")
    let late = try Strand(pool: pool, label: "late")
    let done = Event()
    let lateRan = Event()
    let time = Duration.milliseconds(2)
    for number in 0..<3 {
      strand.post { _ in
        // Waits in line for as long.
        if number == 0 { late.post { _ in lateRan.signal() } }
        let end = MonotonicInstant.now.advanced(by: time)
        while MonotonicInstant.now < end { PlatformThread.relax() }
        done.signal()
      }
    }
    done.wait(3)
    lateRan.wait()
    pool.shutDown()
    // The scheduler's clock is coarse: it counts no less than this, however slow the machine is.
    let tolerance = Duration.microseconds(200)
    #expect(strand.statistics.busy >= (time - tolerance) * 3)
    #expect(strand.statistics.activations >= 3)
    #expect(late.statistics.longestDelay >= time - tolerance)
    #expect(pool.snapshot().workers[0].longestDelay >= time - tolerance)
  }

  @Test func `a strand's many short activations are accounted for on average`() throws {
    let pool = try WorkerPool(workers: 1, budget: RunBudget(messages: 1))
    let strand = try Strand(pool: pool, label: "one")
    let done = Event()
    let count = 16_000
    @Sendable func turn(_ left: Int) {
      if left == 0 { return done.signal() }
      strand.post { _ in turn(left - 1) }
    }
    strand.post { _ in turn(count - 1) }
    done.wait()
    pool.shutDown()
    let activations = strand.statistics.activations
    #expect(abs(activations - count) <= 16, "\(activations)")
    #expect(strand.statistics.busy > .zero)
  }
}
