// SystemLane: the lane that is never busy. A stack of nodes that producers push and the
// consumer takes whole, then turns round: first in, first out between two takes and over all of them.

public import Synchronization

@usableFromInline
@unsafe struct SystemLane<Element: ~Copyable & Sendable>: ~Copyable {
  @usableFromInline
  @unsafe struct Node: ~Copyable {
    @usableFromInline var next: UnsafeMutablePointer<Node>?
    @usableFromInline var element: Element
    @inlinable init(_ element: consuming Element) {
      unsafe next = nil
      unsafe self.element = element
    }
  }

  // MARK: Any thread
  @usableFromInline let top = Atomic<UInt>(0)

  @inlinable init() {}

  @inlinable
  deinit { _ = unsafe SystemBatch(takeAll()) }

  @inlinable
  func push(_ element: consuming Element) {
    let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
    unsafe node.initialize(to: Node(element))
    // Relaxed: a guess that the compare-exchange below verifies.
    var seen = unsafe top.load(ordering: .relaxed)
    while true {
      unsafe node.pointee.next = unsafe UnsafeMutablePointer<Node>(bitPattern: seen)
      // Release: publishes the node; pairs with the acquire in `takeAll`. Failure: a new guess, nothing is read.
      let (done, found) = unsafe top.compareExchange(
        expected: seen, desired: UInt(bitPattern: node), successOrdering: .releasing, failureOrdering: .relaxed)
      if done { return }
      seen = found
    }
  }

  /// The nodes, oldest first; the caller owns them.
  @inlinable
  func takeAll() -> UnsafeMutablePointer<Node>? {
    // Acquire: sees the nodes' contents; pairs with the release in `push`.
    var rest = unsafe UnsafeMutablePointer<Node>(bitPattern: top.exchange(0, ordering: .acquiring))
    var oldest: UnsafeMutablePointer<Node>? = nil
    while let node = unsafe rest {
      unsafe rest = node.pointee.next
      unsafe node.pointee.next = oldest
      unsafe oldest = node
    }
    return unsafe oldest
  }
}
