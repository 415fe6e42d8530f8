// InlineCell: room for one element in the mailbox itself, for a consumer at rest that gets one message.

#if !SKEIN_MODEL
public import Synchronization
#endif

/// Four words of memory that a mailbox's producer and consumer hand to each other by its mark.
@safe
@usableFromInline
struct InlineCell<Element: ~Copyable>: ~Copyable {
  /// Whether an element may lie there; larger ones always get a block.
  @inlinable static var isRoomy: Bool { MemoryLayout<Element>.size <= 32 && MemoryLayout<Element>.alignment <= 8 }

  #if SKEIN_MODEL
  @usableFromInline let memory = UnsafeMutablePointer<Element>.allocate(capacity: 1)
  @usableFromInline init() {}
  @usableFromInline var address: UnsafeMutablePointer<Element> { unsafe memory }
  deinit { unsafe memory.deallocate() }
  #else
  // Atomics, since their memory may change where a constant's may not.
  @usableFromInline let first = Atomic<UInt>(0)
  @usableFromInline let second = Atomic<UInt>(0)
  @usableFromInline let third = Atomic<UInt>(0)
  @usableFromInline let fourth = Atomic<UInt>(0)
  @inlinable init() {}

  @inlinable var address: UnsafeMutablePointer<Element> {
    unsafe withUnsafePointer(to: self) { unsafe UnsafeMutableRawPointer(mutating: $0) }
      .assumingMemoryBound(to: Element.self)
  }
  #endif

  @inlinable
  func put(_ element: consuming Element) {
    #if SKEIN_MODEL
    unsafe ModelRun.writes(address)
    #endif
    unsafe address.initialize(to: element)
  }

  @inlinable
  func take() -> Element {
    #if SKEIN_MODEL
    unsafe ModelRun.reads(address)
    #endif
    return unsafe address.move()
  }
}
