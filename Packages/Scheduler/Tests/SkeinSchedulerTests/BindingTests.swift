import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Binding", .serialized) struct BindingTests {
  @Test func `strands bound to a worker all run there and nowhere else, and others run too`() throws {
    let pool = try WorkerPool(workers: 4)
    let bound = try (0..<40).map { try Strand(pool: pool, label: "\($0)", binding: StrandBinding(worker: 2)) }
    let free = try (0..<40).map { try Strand(pool: pool, label: "free \($0)") }
    let elsewhere = Atomic<Int>(0)
    let done = Event()
    // Each wakes the next one, and some of the free ones do: from their own worker, from others, from foreign threads.
    @Sendable func turn(_ index: Int, _ left: Int) {
      if Worker.current?.index != 2 { elsewhere.add(1, ordering: .relaxed) }
      free[index].post { _ in
        if left > 0 { bound[index].post { _ in turn((index + 1) % 40, left - 1) } } else { done.signal() }
      }
    }
    for index in 0..<40 { bound[index].post { _ in turn(index, 50) } }
    done.wait(40)
    #expect(elsewhere.load(ordering: .relaxed) == 0)
    pool.shutDown()
  }

  @Test func `a bound strand and the others of its worker take turns, whoever has more to do`() throws {
    let pool = try WorkerPool(workers: 1, budget: RunBudget(messages: 1))
    let gate = Gate(try Strand(pool: pool, label: "gate"))
    let order = Log()
    let done = Event()
    func fill(_ count: Int, _ strands: Int, _ number: Int, _ binding: StrandBinding?) throws {
      for _ in 0..<strands {
        let strand = try Strand(pool: pool, label: "\(number)", binding: binding)
        for _ in 0..<count {
          strand.post { _ in
            order.append(number)
            done.signal()
          }
        }
      }
    }
    try fill(20, 20, 0, StrandBinding(worker: 0))
    try fill(100, 2, 1, nil)
    gate.open()
    done.wait(600)
    // While both kinds have work, neither runs three times in a row.
    let both = order.list.prefix(390)
    let thrice = zip(both, zip(both.dropFirst(), both.dropFirst(2))).count { $0 == $1.0 && $0 == $1.1 }
    #expect(thrice == 0)
    pool.shutDown()
  }

  @Test func `a bound strand whose worker is stuck moves if it may, and comes back`() throws {
    // One message each: the second cannot run in the first one's activation.
    let pool = try WorkerPool(workers: 2, budget: RunBudget(messages: 1))
    let moving = try Strand(pool: pool, label: "moving", binding: StrandBinding(worker: 0, whenStuck: .moves))
    let waiting = try Strand(pool: pool, label: "waiting", binding: StrandBinding(worker: 0))
    let blocker = try Strand(pool: pool, label: "blocker", binding: StrandBinding(worker: 0))
    let ranOn = Atomic<Int>(-1)
    let waited = Event()
    let moved = Event()
    let back = Event()
    let gate = Gate(blocker)
    waiting.post { _ in
      if Worker.current?.index == 0 { waited.signal() }
    }
    moving.post { _ in
      ranOn.store(Worker.current?.index ?? -2, ordering: .relaxed)
      moved.signal()
    }
    moved.wait()
    #expect(ranOn.load(ordering: .relaxed) == 1)
    #expect(waited.value == 0)
    gate.open()
    waited.wait()
    // A watcher that has seen the blocker for long may still take one or another.
    var turns = 0
    repeat {
      moving.post { _ in
        ranOn.store(Worker.current?.index ?? -2, ordering: .relaxed)
        back.signal()
      }
      turns += 1
      back.wait(turns)
    } while ranOn.load(ordering: .relaxed) != 0
    pool.shutDown()
  }

  @Test func `a bound strand is entered in place on its worker only`() throws {
    let pool = try WorkerPool(workers: 2)
    let bound = try Strand(pool: pool, label: "bound", binding: StrandBinding(worker: 1))
    #expect(!bound.tryEnter())
    let entered = Lock<[Bool]>([])
    let done = Event()
    for worker in 0..<2 {
      let caller = try Strand(pool: pool, label: "caller", binding: StrandBinding(worker: worker))
      caller.post { _ in
        let isIn = bound.tryEnter()
        if isIn { bound.leave() }
        entered.withLock { $0.append(isIn) }
        done.signal()
      }
      done.wait(worker + 1)
    }
    #expect(entered.withLock { $0 } == [false, true])
    pool.shutDown()
  }

  @Test func `of sleeping workers the one that ran a strand last is woken for it`() {
    let sleepers = SleeperSet()
    for worker in 0..<3 { _ = sleepers.enter(worker) }
    let preferred = sleepers.next(preferring: 2)
    sleepers.foundWork()
    sleepers.leave(2)
    let other = sleepers.next(preferring: 2)
    sleepers.foundWork()
    let any = sleepers.next()
    // Who is woken is taken out.
    #expect(preferred == 2 && other == 0 && any == 1)
  }

  @Test func `a binding to a worker that the pool does not have traps`() async {
    await #expect(processExitsWith: .failure) {
      let pool = try WorkerPool(workers: 1)
      _ = try Strand(pool: pool, label: "nowhere", binding: StrandBinding(worker: 1))
    }
  }
}
