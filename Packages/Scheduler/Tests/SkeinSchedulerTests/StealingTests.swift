import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Stealing", .serialized) struct StealingTests {
  @Test func `of an owner and thieves that race for a slot exactly one gets the object`() throws {
    final class Token: Sendable { let takers = Atomic<Int>(0) }
    let slot = HandoffSlot<Token>()
    let rounds = soak ? 10_000_000 : 50_000
    let isOver = Atomic<Bool>(false)
    let left = Event()
    for _ in 0..<2 {
      _ = try PlatformThread.start(name: "thief") {
        while !isOver.load(ordering: .acquiring) { slot.take()?.takers.add(1, ordering: .relaxed) }
        left.signal()
      }
    }
    var wrong = 0
    for _ in 0..<rounds {
      let token = Token()
      let displaced = slot.exchange(token)
      if displaced != nil { wrong += 1 }
      if let taken = slot.take() {
        // The owner's own, or nobody's.
        if taken !== token || token.takers.add(1, ordering: .relaxed).newValue != 1 { wrong += 1 }
      }
    }
    isOver.store(true, ordering: .releasing)
    left.wait(2)
    #expect(wrong == 0)
  }

  @Test func `a worker that searches takes the ready strand of one that is busy with something else`() throws {
    // A watcher, which would take it too, does not come.
    let pool = try WorkerPool(workers: 2, watchInterval: .seconds(3_600))
    let busy = try Strand(pool: pool, label: "busy")
    let woken = try Strand(pool: pool, label: "woken")
    let other = try Strand(pool: pool, label: "other")
    let isReady = Event()
    let ran = Event()
    let done = Event()
    busy.post { _ in
      woken.post { _ in ran.signal() }
      isReady.signal()
      ran.wait()
      done.signal()
    }
    isReady.wait()
    // The second worker wakes for this, and looks round when it is done.
    other.post { _ in }
    done.wait()
    // A watcher that was woken twice for other reasons may have come first.
    #expect(pool.snapshot().workers.contains { $0.steals > 0 || $0.takeovers > 0 })
    pool.shutDown()
  }

  @Test func `a worker that is woken for injected strands takes its share of them`() throws {
    let pool = try TestPool(workers: 2)
    let queue = InjectionQueue()
    let strands = try (0..<100).map { try pool.strand("\($0)") }
    for strand in strands { queue.push(strand) }
    let own = RunQueue()
    var order: [String] = []
    while let first = queue.drain(into: own, share: 2) {
      order.append(first.label)
      while let strand = own.pop() { order.append(strand.label) }
    }
    #expect(order == strands.map(\.label))
    #expect(queue.isEmpty)
    for strand in strands { queue.push(strand) }
    #expect(queue.takeFirst { $0.label == "7" } === strands[7])
    #expect(queue.takeFirst { $0.label == "7" } == nil)
    #expect(queue.drain(into: own, share: 2) === strands[0])
    #expect(own.count == 32)
    #expect(queue.count == 66)
    // 1 to 33 without 7 were moved.
    #expect(queue.pop() === strands[34])
  }

  @Test(arguments: [1, 2, 4])
  func `under random messages each strand with work is in one place, and one thread at a time is in it`(
    workers: Int
  ) throws {
    let pool = try TestPool(workers: workers, budget: RunBudget(messages: 3))
    let city = try City(pool: pool, strands: 10 * workers, seed: UInt64(workers))
    for _ in 0..<(soak ? 10_000 : 100) {
      city.addMessages(20)
      #expect(city.census() == [])
    }
    city.finish()
    #expect(city.crowded.load(ordering: .relaxed) == 0)
  }

  /// Strands that send each other messages at random, and a census of them.
  final class City: Sendable {
    let strands: [Strand]
    let pool: TestPool
    let crowded = Atomic<Int>(0)
    private let inside: [Atomic<Int>.Box]
    private let gates: [Strand]
    private let random: Lock<UInt64>
    private let handled = Event()
    private let expected = Atomic<Int>(0)

    init(pool: TestPool, strands count: Int, seed: UInt64) throws {
      self.pool = pool
      strands = try (0..<count).map { try pool.strand("\($0)") }
      inside = (0..<count).map { _ in Atomic<Int>.Box() }
      gates = try (0..<pool.pool.workers.count).map { try pool.strand("gate \($0)") }
      random = Lock(seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    }

    private func next(_ bound: Int) -> Int {
      random.withLock { state in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % bound
      }
    }

    /// Sends so many messages, each of which sends some more.
    func addMessages(_ count: Int) { for _ in 0..<count { send(hops: 6) } }

    private func send(hops: Int) {
      let target = next(strands.count)
      expected.add(1, ordering: .relaxed)
      let accepted = strands[target].post { [self] strand in
        if inside[target].value.add(1, ordering: .relaxed).oldValue != 0 || !Strand.isCurrent(strand) {
          crowded.add(1, ordering: .relaxed)
        }
        if hops > 0 { for _ in 0..<next(3) { send(hops: hops - 1) } }
        inside[target].value.subtract(1, ordering: .relaxed)
        handled.signal()
      }
      if !accepted { handled.signal() }
    }

    /// Stops all workers and looks where every strand is.
    ///
    /// - Returns: what is wrong.
    func census() -> [String] {
      let entered = Event()
      let opened = (0..<gates.count).map { _ in Event() }
      for (index, gate) in gates.enumerated() {
        gate.post { _ in
          entered.signal()
          opened[index].wait()
        }
      }
      entered.wait(gates.count)
      // Every worker is inside a gate: what they own is ours.
      var places: [ObjectIdentifier: Int] = [:]
      func count(_ strand: Strand) { places[ObjectIdentifier(strand), default: 0] += 1 }
      for worker in pool.pool.workers {
        if let strand = worker.ready.take() {
          count(strand)
          _ = worker.ready.exchange(strand)
        }
        for _ in 0..<worker.queue.count {
          guard let strand = worker.queue.pop() else { break }
          count(strand)
          _ = worker.queue.push(strand)
        }
      }
      for _ in 0..<pool.pool.injection.count {
        guard let strand = pool.pool.injection.pop() else { break }
        count(strand)
        pool.pool.injection.push(strand)
      }
      let wrong = strands.compactMap { strand -> String? in
        let places = places[ObjectIdentifier(strand), default: 0]
        if places == (strand.mailbox.count > 0 ? 1 : 0) { return nil }
        return "\(strand.label): \(strand.mailbox.count) messages, in \(places) places"
      }
      for event in opened { event.signal() }
      return wrong
    }

    func finish() {
      while handled.value < expected.load(ordering: .relaxed) { handled.wait(handled.value + 1) }
    }
  }
}

extension Atomic where Value == Int {
  /// An atomic that can stand in an array.
  final class Box: Sendable { let value = Atomic<Int>(0) }
}
