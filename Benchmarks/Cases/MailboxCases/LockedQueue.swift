// LockedQueue: the obvious simple version, to compare with.

internal import SkeinPlatform

/// A bounded queue made of a lock and an array.
final class LockedQueue: Sendable {
  private struct Ring {
    var elements: [Int]
    var head = 0
    var count = 0
  }

  private let ring: Lock<Ring>

  init(capacity: Int) { ring = Lock(Ring(elements: Array(repeating: 0, count: capacity))) }

  /// Adds `element`; `false` when the queue is full.
  func push(_ element: Int) -> Bool {
    ring.withLock { ring in
      guard ring.count < ring.elements.count else { return false }
      ring.elements[(ring.head + ring.count) % ring.elements.count] = element
      ring.count += 1
      return true
    }
  }

  func pop() -> Int? {
    ring.withLock { ring in
      guard ring.count > 0 else { return nil }
      let element = ring.elements[ring.head]
      ring.head = (ring.head + 1) % ring.elements.count
      ring.count -= 1
      return element
    }
  }
}
