import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Fairness", .serialized) struct FairnessTests {
  @Test func `three strands with work take turns on one worker, none twice before the others`() throws {
    let pool = try TestPool(workers: 1, budget: RunBudget(messages: 1))
    let order = Log()
    let done = Event()
    let gate = Gate(try pool.strand("gate"))
    for number in 0..<3 {
      let strand = try pool.strand("\(number)")
      for _ in 0..<50 {
        strand.post { _ in
          order.append(number)
          done.signal()
        }
      }
    }
    gate.open()
    done.wait(150)
    #expect(order.list == (0..<150).map { $0 % 3 })
  }

  @Test func `beside a pair that never rests a strand is answered within ten activations' worth of turns`() throws {
    let budget = RunBudget()
    let pool = try TestPool(workers: 1, budget: budget)
    let idle = try (0..<1_000).map { try pool.strand("\($0)") }
    let pair = HotPair(try pool.strand("ping"), try pool.strand("pong"))
    let longest = Atomic<Int>(0)
    let done = Event()
    // Each tenth turn wakes one of the thousand.
    pair.onTurn = { turn in
      guard turn % 10 == 0, turn / 10 <= idle.count else { return }
      idle[turn / 10 - 1].post { _ in
        longest.max(pair.turns - turn, ordering: .relaxed)
        done.signal()
      }
    }
    pair.start()
    done.wait(idle.count)
    pair.stop()
    #expect(longest.load(ordering: .relaxed) <= 10 * budget.messages)
  }

  @Test func `beside a pair that never rests a thousand woken at once are answered in their turn`() throws {
    let pool = try TestPool(workers: 1)
    let idle = try (0..<1_000).map { try pool.strand("\($0)") }
    let pair = HotPair(try pool.strand("ping"), try pool.strand("pong"))
    let longest = Atomic<Int>(0)
    let done = Event()
    pair.onTurn = { turn in
      guard turn == 100 else { return }
      for strand in idle {
        strand.post { _ in
          longest.max(pair.turns - turn, ordering: .relaxed)
          done.signal()
        }
      }
    }
    pair.start()
    done.wait(idle.count)
    pair.stop()
    // The slot comes first at most so often in a row, then one of the queue; a queue that is full overflows into the
    // injection queue, which waits for a look.
    let turnsEach = Worker.readyTurnsInARow + 2
    #expect(longest.load(ordering: .relaxed) <= idle.count * turnsEach)
  }

  @Test func `foreign threads meet a full mailbox, lose nothing, and each one's messages stay in order`() throws {
    final class State: @unchecked Sendable {
      // @unchecked: touched on the strand only.
      var last = [-1, -1, -1, -1]
      var disorder = 0
    }
    let pool = try TestPool(workers: 2)
    let strand = try pool.strand(capacity: 64)
    let gate = Gate(strand)
    let state = State()
    let done = Event()
    let busy = (0..<4).map { _ in Event() }
    let each = soak ? 1_000_000 : 100_000
    for sender in 0..<4 {
      _ = try PlatformThread.start(name: "sender") {
        for number in 0..<each {
          let action: Action = { _ in
            if state.last[sender] + 1 != number { state.disorder += 1 }
            state.last[sender] = number
            if number == each - 1 { done.signal() }
          }
          while !strand.post(action) {
            busy[sender].signal()
            PlatformThread.yield()
          }
        }
      }
    }
    // The strand does not run before each of them has been refused.
    for event in busy { event.wait() }
    gate.open()
    done.wait(4)
    #expect(state.disorder == 0)
    #expect(state.last == Array(repeating: each - 1, count: 4))
  }

  /// Two strands that wake each other for ever.
  final class HotPair: @unchecked Sendable {
    // @unchecked: on the single worker only, but for `stop` and what is set before the start.
    private let strands: [Strand]
    private let isStopped = Atomic<Bool>(false)
    var turns = 0
    var onTurn: (Int) -> Void = { _ in }
    init(_ ping: Strand, _ pong: Strand) { strands = [ping, pong] }
    func start() { strands[0].post { _ in self.turn() } }
    func stop() { isStopped.store(true, ordering: .relaxed) }
    private func turn() {
      if isStopped.load(ordering: .relaxed) { return }
      turns += 1
      onTurn(turns)
      strands[turns % 2].post { _ in self.turn() }
    }
  }
}

/// Keeps a strand, and the worker that runs it, until it is opened.
final class Gate: Sendable {
  private let entered = Event()
  private let opened = Event()
  /// Returns when the strand is inside.
  init(_ strand: Strand) {
    strand.post { [entered, opened] _ in
      entered.signal()
      opened.wait()
    }
    entered.wait()
  }
  func open() { opened.signal() }
}

/// Numbers in the order in which they came.
final class Log: Sendable {
  private let numbers = Lock<[Int]>([])
  func append(_ number: Int) { numbers.withLock { $0.append(number) } }
  var list: [Int] { numbers.withLock { $0 } }
}
