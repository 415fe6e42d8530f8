// InjectionQueue: strands that were woken by threads which are not workers, for which a worker had no room, or which are
// bound to a worker.

internal import SkeinPlatform
internal import Synchronization

/// A first-in, first-out queue under a lock. It is bounded by the number of strands: each is in one queue at most.
final class InjectionQueue: Sendable {
  private struct Ring {
    var strands: [Strand?] = []
    var head = 0
    var count = 0

    mutating func append(_ strand: Strand) {
      if count == strands.count {
        strands = (0..<max(2 * count, 64)).map { index in
          index < count ? strands[(head + index) % count] : nil
        }
        head = 0
      }
      strands[(head + count) % strands.count] = strand
      count += 1
    }

    mutating func popFirst() -> Strand? {
      guard count > 0 else { return nil }
      let strand = strands[head]
      strands[head] = nil
      head = (head + 1) % strands.count
      count -= 1
      return strand
    }
  }

  /// Most strands that one `drain` moves.
  private static let mostMoved = 32

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

  /// Strands in line; a snapshot.
  var count: Int {
    // Relaxed: a number for people.
    length.load(ordering: .relaxed)
  }

  /// Adds a strand at the back.
  func push(_ strand: Strand) {
    ring.withLock { ring in ring.append(strand) }
    // Sequentially consistent: see `isEmpty`.
    length.add(1, ordering: .sequentiallyConsistent)
  }

  /// Takes the strand at the front.
  func pop() -> Strand? { drain(into: nil, share: 1) }

  /// Takes the strand at the front, and moves as many of those behind it to `queue` as are the caller's share.
  ///
  /// - Parameters:
  ///   - queue: the calling worker's; `nil` moves nothing.
  ///   - share: the number of workers among whom the queue is divided.
  func drain(into queue: RunQueue?, share: Int) -> Strand? {
    if isEmpty { return nil }
    var taken = 0
    let first: Strand? = ring.withLock { ring in
      guard let first = ring.popFirst() else { return nil }
      taken = 1
      guard let queue else { return first }
      for _ in 0..<min(ring.count / share, InjectionQueue.mostMoved) where queue.hasRoom {
        guard let strand = ring.popFirst() else { break }
        _ = queue.push(strand)
        taken += 1
      }
      return first
    }
    // Relaxed: a smaller number only makes somebody look.
    if taken > 0 { length.subtract(taken, ordering: .relaxed) }
    return first
  }

  /// Takes the first strand in line that is wanted; the others keep their order.
  ///
  /// - Complexity: O(strands in line).
  func takeFirst(where isWanted: (Strand) -> Bool) -> Strand? {
    if isEmpty { return nil }
    let found: Strand? = ring.withLock { ring in
      var found: Strand?
      for _ in 0..<ring.count {
        guard let strand = ring.popFirst() else { break }
        if found == nil && isWanted(strand) { found = strand } else { ring.append(strand) }
      }
      return found
    }
    // Relaxed: as in `drain`.
    if found != nil { length.subtract(1, ordering: .relaxed) }
    return found
  }
}
