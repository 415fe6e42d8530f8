// ModelLock: a lock as SkeinPlatform's, whose taking and leaving are steps of a checked run.

internal import Synchronization

/// A value under a lock; its interface is that of `Lock`.
///
/// Who waits for it lets others go on, and what its holder did is known to the next one. Its own accesses are never
/// mutated.
///
/// - Thread safety: the threads of one run.
public struct ModelLock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
  // @unchecked: `content` is touched by the lock's holder.
  private let isHeld = ModelAtomic(false)
  private let content: Content

  private final class Content {
    var value: Value
    init(_ value: consuming Value) { self.value = value }
  }

  /// A lock that nobody holds.
  public init(_ value: consuming sending Value) { content = Content(value) }

  /// Runs `body` with the value, alone.
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    // Acquire: sees what the last holder did; pairs with the release below.
    while !isHeld.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged { ModelRun.relax() }
    // Release: pairs with the acquire above.
    defer { isHeld.store(false, ordering: .releasing) }
    return try body(&content.value)
  }
}
