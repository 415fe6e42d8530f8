// The small programs by which memory models are known: what must be found, and what must not.

import SkeinModelCheck
import Synchronization
import Testing

/// Results of a run's threads.
private final class Results: @unchecked Sendable {
  // @unchecked: one thread at a time runs.
  var first = -1
  var second = -1
}

@Suite("Litmus tests") struct LitmusTests {
  /// Every outcome that all runs of a program have.
  private func outcomes(_ program: (ModelRun, Results) -> Void) throws -> Set<[Int]> {
    var seen: Set<[Int]> = []
    let outcome = ModelRun.check(.exhaustive(deviations: 6)) { model in
      let results = Results()
      program(model, results)
      model.afterwards { seen.insert([results.first, results.second]) }
    }
    if let failure = outcome.failure { throw failure }
    return seen
  }

  @Test func `message passing: with release and acquire the data is there, relaxed it need not be`() throws {
    func program(_ store: AtomicStoreOrdering, _ load: AtomicLoadOrdering) throws -> Set<[Int]> {
      try outcomes { model, results in
        let data = ModelBox(0)
        let flag = ModelBox(0)
        model.thread("writer") {
          data.atomic.store(1, ordering: .relaxed)
          flag.atomic.store(1, ordering: store)
        }
        model.thread("reader") {
          results.first = flag.atomic.load(ordering: load)
          results.second = data.atomic.load(ordering: .relaxed)
        }
      }
    }
    #expect(try program(.releasing, .acquiring) == [[0, 0], [0, 1], [1, 1]])
    #expect(try program(.relaxed, .acquiring) == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(try program(.releasing, .relaxed) == [[0, 0], [0, 1], [1, 0], [1, 1]])
  }

  @Test func `store buffering: both may miss the other's store, unless all is sequentially consistent`() throws {
    func program(_ store: AtomicStoreOrdering, _ load: AtomicLoadOrdering) throws -> Set<[Int]> {
      try outcomes { model, results in
        let x = ModelBox(0)
        let y = ModelBox(0)
        model.thread("left") {
          x.atomic.store(1, ordering: store)
          results.first = y.atomic.load(ordering: load)
        }
        model.thread("right") {
          y.atomic.store(1, ordering: store)
          results.second = x.atomic.load(ordering: load)
        }
      }
    }
    #expect(try program(.releasing, .acquiring) == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(try program(.sequentiallyConsistent, .sequentiallyConsistent) == [[0, 1], [1, 0], [1, 1]])
    // One order of the sequentially consistent accesses says nothing of the others.
    #expect(try program(.sequentiallyConsistent, .acquiring) == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(try program(.releasing, .sequentiallyConsistent) == [[0, 0], [0, 1], [1, 0], [1, 1]])
  }

  @Test func `coherence: nobody sees one location go back`() throws {
    let seen = try outcomes { model, results in
      let x = ModelBox(0)
      model.thread("writer") {
        x.atomic.store(1, ordering: .relaxed)
        x.atomic.store(2, ordering: .relaxed)
      }
      model.thread("reader") {
        results.first = x.atomic.load(ordering: .relaxed)
        results.second = x.atomic.load(ordering: .relaxed)
      }
    }
    #expect(seen == [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]])
  }

  @Test func `a release goes on through a read-modify-write that does not release itself`() throws {
    let seen = try outcomes { model, results in
      let data = ModelBox(0)
      let flag = ModelBox(0)
      model.thread("writer") {
        data.atomic.store(1, ordering: .relaxed)
        flag.atomic.store(1, ordering: .releasing)
      }
      model.thread("adder") { flag.atomic.add(1, ordering: .relaxed) }
      model.thread("reader") {
        results.first = flag.atomic.load(ordering: .acquiring)
        results.second = data.atomic.load(ordering: .relaxed)
      }
    }
    #expect(seen.contains([2, 1]) && !seen.contains([2, 0]))
  }

  @Test func `read-modify-writes are one after the other`() throws {
    let outcome = ModelRun.check(.exhaustive(deviations: 4)) { model in
      let sum = ModelBox(0)
      for name in ["a", "b", "c"] { model.thread(name) { sum.atomic.add(1, ordering: .relaxed) } }
      model.afterwards { ModelRun.require(sum.atomic.load(ordering: .relaxed) == 3, "an addition was lost") }
    }
    #expect(outcome.failure == nil && outcome.runs > 5)
  }

  // MARK: What is wrong is found

  static let strategies: [ModelStrategy] = [
    .exhaustive(deviations: 2), .random(seed: 1, runs: 2_000), .priorities(seed: 1, runs: 2_000, changes: 2),
  ]

  @Test(arguments: strategies)
  func `an addition in two steps is found to lose one, and the run can be repeated`(strategy: ModelStrategy) throws {
    func program(_ model: ModelRun) {
      let sum = ModelBox(0)
      for name in ["a", "b"] {
        model.thread(name) { sum.atomic.store(sum.atomic.load(ordering: .relaxed) + 1, ordering: .relaxed) }
      }
      model.afterwards { ModelRun.require(sum.atomic.load(ordering: .relaxed) == 2, "an addition was lost") }
    }
    let failure = try #require(ModelRun.check(strategy, program).failure)
    #expect(failure.text == "an addition was lost" && !failure.trace.isEmpty)
    let again = ModelRun.check(.replay(failure.decisions), program)
    #expect(again.failure == failure && again.runs == 1)
  }

  @Test(arguments: strategies)
  func `plain memory behind a flag is a race when the flag does not release`(strategy: ModelStrategy) {
    func program(_ ordering: AtomicStoreOrdering) -> ModelOutcome {
      ModelRun.check(strategy) { model in
        let data = ModelCell(0)
        let flag = ModelBox(0)
        model.thread("writer") {
          data.value = 1
          flag.atomic.store(1, ordering: ordering)
        }
        model.thread("reader") {
          while flag.atomic.load(ordering: .acquiring) == 0 { ModelRun.relax() }
          ModelRun.require(data.value == 1, "an old value")
        }
      }
    }
    #expect(program(.releasing).failure == nil)
    #expect(program(.relaxed).failure?.text == "memory is read while another thread's write of it is not known")
  }

  @Test func `what is used after it was given back is found`() {
    let outcome = ModelRun.check(.exhaustive(deviations: 2)) { model in
      let value = ModelBox(0)
      model.thread("user") { _ = value.atomic.load(ordering: .relaxed) }
      model.thread("owner") { value.atomic.retire() }
    }
    #expect(outcome.failure?.text.contains("after it was given back") == true)
  }

  @Test func `what the threads of a failed run hold is given back before the check is over`() {
    let released = Atomic<Int>(0)
    for number in 1...100 {
      let outcome = ModelRun.check(.random(seed: 1, runs: 1)) { model in
        let held = Held { released.add(1, ordering: .relaxed) }
        for name in ["one", "other"] { model.thread(name) { held.box.atomic.store(1, ordering: .relaxed) } }
        model.afterwards { ModelRun.require(false, "it fails when its threads have ended") }
      }
      #expect(outcome.failure != nil)
      #expect(released.load(ordering: .relaxed) == number)
    }
  }

  @Test func `a wait for what never comes is found`() {
    let outcome = ModelRun.check(.random(seed: 1, runs: 1)) { model in
      let flag = ModelBox(0)
      model.thread("waiter") { while flag.atomic.load(ordering: .relaxed) == 0 { ModelRun.relax() } }
    }
    #expect(outcome.failure?.text == "all wait for ever")
  }
}

/// Tells when it is released.
private final class Held: Sendable {
  let box = ModelBox(0)
  private let tell: @Sendable () -> Void
  init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }
  deinit { tell() }
}

/// Holds an atomic, so that closures can share it.
private final class ModelBox: Sendable {
  let atomic: ModelAtomic<Int>
  init(_ value: Int) { atomic = ModelAtomic(value) }
}
