// Counter: a number that one thread at a time changes and any thread reads.

internal import Synchronization

/// A statistic. `add` is called under the loop's gate only.
struct Counter: ~Copyable {
  private let atomic = Atomic<Int>(0)

  func add(_ amount: Int = 1) {
    // Relaxed: the gate keeps writers apart, and readers want a recent number, not an order.
    let sum = atomic.load(ordering: .relaxed) &+ amount
    // Relaxed: as above.
    atomic.store(sum, ordering: .relaxed)
  }

  // Relaxed: a recent number is enough.
  var value: Int { atomic.load(ordering: .relaxed) }
}
