// SystemBatch: what was in a mailbox's system lane at one moment.

/// The elements of a system lane, taken out; those that are not read are dropped with it.
///
/// It is apart from the consumer, so that acting on an element may use the consumer: close it, read what is left.
///
/// - Thread safety: one thread at a time.
@safe public struct SystemBatch<Element: ~Copyable & Sendable>: ~Copyable, @unchecked Sendable {
  // @unchecked: the nodes belong to the batch alone.
  @usableFromInline var first: UnsafeMutablePointer<SystemLane<Element>.Node>?

  @inlinable
  init(_ first: UnsafeMutablePointer<SystemLane<Element>.Node>?) { unsafe self.first = unsafe first }

  @inlinable
  deinit {
    var node = unsafe first
    while let current = unsafe node {
      unsafe node = current.pointee.next
      unsafe current.deinitialize(count: 1)
      unsafe current.deallocate()
    }
  }

  /// Takes the oldest element; `nil` when there is none left.
  ///
  /// - Complexity: O(1).
  @inlinable
  public mutating func next() -> Element? {
    guard let node = unsafe first else { return nil }
    let taken = unsafe node.move()
    unsafe first = taken.next
    unsafe node.deallocate()
    return unsafe taken.element
  }
}
