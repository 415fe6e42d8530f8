// HandoffSlot: room for one object, put by one side and taken by whoever comes first.

public import SkeinPlatform
public import Synchronization

/// A slot for a single object that several threads may try to take.
///
/// A worker's *ready* slot: filled by the one who wakes a strand, emptied by its worker or by a thief.
///
/// - Thread safety: any thread.
@safe public final class HandoffSlot<Object: AnyObject & Sendable>: Sendable {
  // MARK: Any thread
  @usableFromInline let content = Atomic<UInt>(0)

  /// Makes an empty slot.
  public init() {}

  deinit { _ = take() }

  /// Puts `object` in and returns what was there before.
  ///
  /// - Complexity: O(1), wait-free.
  @inlinable
  public func exchange(_ object: Object?) -> Object? {
    let new = object.map { ReferenceWord.retain($0) } ?? 0
    // Release: publishes the object's state to the taker. Acquire: sees that of the object which comes out.
    let old = content.exchange(new, ordering: .acquiringAndReleasing)
    return ReferenceWord.take(old)
  }

  /// Takes the object out, if there is one.
  ///
  /// - Complexity: O(1); no write when the slot is empty.
  @inlinable
  public func take() -> Object? {
    // Relaxed: a look, so that searching an empty slot does not pull its line over.
    if content.load(ordering: .relaxed) == 0 { return nil }
    // Acquire: sees what was published by `exchange`; only one taker gets the pointer.
    return ReferenceWord.take(content.exchange(0, ordering: .acquiringAndReleasing))
  }

  /// Whether nothing is in the slot; a snapshot.
  @inlinable
  public var isEmpty: Bool {
    // Sequentially consistent: a worker that goes to sleep looks here after it has said so, and who fills
    // the slot looks for sleepers afterwards; one of them must see the other.
    content.load(ordering: .sequentiallyConsistent) == 0
  }
}
