import Glibc
import SkeinMailbox
import SkeinPlatform
import SkeinScheduler
import Synchronization

/// Something that threads wait for.
final class Event: Sendable {
  private let waiter = FutexWaiter()
  private let count = Atomic<Int>(0)
  func signal() {
    count.add(1, ordering: .sequentiallyConsistent)
    waiter.wake()
  }
  var value: Int { count.load(ordering: .sequentiallyConsistent) }
  /// Waits, on one thread, until it was signalled `times` times.
  func wait(_ times: Int = 1) { while value < times { waiter.wait(until: nil) } }
}

/// A pool that ends with the test.
final class TestPool: Sendable {
  let pool: WorkerPool
  init(workers: Int = 2, budget: RunBudget = RunBudget()) throws {
    pool = try WorkerPool(workers: workers, budget: budget)
  }
  deinit { pool.shutDown() }
  func strand(_ label: String = "test", capacity: Int = 1_024, exclusive: Bool = false) throws -> Strand {
    try Strand(pool: pool, label: label, mailboxCapacity: capacity, exclusive: exclusive)
  }
}

typealias Action = @Sendable (Strand) -> Void

/// A message that runs a closure.
let closureHandler = unsafe MessageHandler.make(
  perform: { payload, strand in
    let action = unsafe payload.assumingMemoryBound(to: Action.self).move()
    action(strand)
  },
  refuse: { payload in _ = unsafe payload.assumingMemoryBound(to: Action.self).move() })

extension Strand {
  /// Sends a closure; returns whether it was accepted.
  @discardableResult
  func post(_ action: @escaping Action) -> Bool {
    switch send(unsafe Envelope(closureHandler, action)) {
    case .delivered: true
    default: false
    }
  }
}

/// An actor on a strand.
actor Counter {
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe strand.asUnownedSerialExecutor() }
  var value = 0
  init(_ strand: Strand) { self.strand = strand }
  func add() -> Int {
    precondition(Strand.isCurrent(strand))
    value += 1
    return value
  }
}

let soak: Bool = {
  guard let value = unsafe getenv("SKEIN_SOAK") else { return false }
  return unsafe String(cString: value) == "1"
}()
