// InjectionQueue: strands that were woken by threads which are not workers, or for which a worker had no room.

internal import SkeinPlatform
internal import Synchronization

/// A first-in, first-out queue under a lock. It is bounded by the number of strands: each is in one queue at most.
final class InjectionQueue: Sendable {
  private struct Ring {
    var strands: [Strand?] = Array(repeating: nil, count: 64)
    var head = 0
    var count = 0
  }

  // MARK: Under lock
  private let ring = Lock(Ring())
  // MARK: Any thread
  private let length = Atomic<Int>(0)

  /// Whether the queue is empty, without the lock.
  var isEmpty: Bool {
    // Sequentially consistent: a worker looks here after it has said that it sleeps, and who pushes looks for
    // sleepers after the push.
    length.load(ordering: .sequentiallyConsistent) == 0
  }

  func push(_ strand: Strand) {
    ring.withLock { ring in
      if ring.count == ring.strands.count {
        ring.strands = (0..<2 * ring.count).map { index in
          index < ring.count ? ring.strands[(ring.head + index) % ring.count] : nil
        }
        ring.head = 0
      }
      ring.strands[(ring.head + ring.count) % ring.strands.count] = strand
      ring.count += 1
    }
    // Sequentially consistent: see `isEmpty`.
    length.add(1, ordering: .sequentiallyConsistent)
  }

  func pop() -> Strand? {
    if isEmpty { return nil }
    let strand: Strand? = ring.withLock { ring in
      guard ring.count > 0 else { return nil }
      let strand = ring.strands[ring.head]
      ring.strands[ring.head] = nil
      ring.head = (ring.head + 1) % ring.strands.count
      ring.count -= 1
      return strand
    }
    // Relaxed: a smaller number only makes somebody look.
    if strand != nil { length.subtract(1, ordering: .relaxed) }
    return strand
  }
}
