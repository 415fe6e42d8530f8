import SkeinPlatform
import SkeinScheduler
import Testing

@Suite("Idle pool", .serialized) struct IdleTests {
  /// A futex that knows whether anything but a wake can end its owner's wait.
  final class ObservedWaiter: WorkerWaiter {
    struct State {
      var waitsForEver = false
      /// Somebody has asked the owner to be up at some time.
      var isAsked = false
    }
    private let futex = FutexWaiter()
    private let state = Lock(State())
    let changed: Event
    init(_ changed: Event) { self.changed = changed }

    /// Whether the owner waits, without a deadline of its own or of another's.
    var isDeep: Bool { state.withLock { $0.waitsForEver && !$0.isAsked } }
    func wait(until deadline: MonotonicInstant?) {
      state.withLock { $0.waitsForEver = deadline == nil }
      changed.signal()
      futex.wait(until: deadline)
      // Whatever was asked for: the owner is up, and finds out for itself what it waits for next.
      state.withLock { $0 = State() }
    }
    func wake() { futex.wake() }
    func wake(at deadline: MonotonicInstant) {
      state.withLock { $0.isAsked = true }
      futex.wake(at: deadline)
    }
    func look() -> Bool { false }
  }

  @Test(arguments: [1, 2, 4])
  func `workers that have nothing to do all sleep without a deadline`(workers: Int) throws {
    let changed = Event()
    let waiters = (0..<workers).map { _ in ObservedWaiter(changed) }
    let pool = try WorkerPool(workers: workers, waiter: { waiters[$0] })
    let strands = try (0..<8).map { try Strand(pool: pool, label: "\($0)") }
    let ran = Event()
    for round in 0..<50 {
      for strand in strands { strand.post { _ in ran.signal() } }
      ran.wait((round + 1) * strands.count)
    }
    // Workers that kept each other awake would never get there.
    var seen = changed.value
    while !waiters.allSatisfy(\.isDeep) {
      changed.wait(seen + 1)
      seen = changed.value
    }
    pool.shutDown()
  }
}
