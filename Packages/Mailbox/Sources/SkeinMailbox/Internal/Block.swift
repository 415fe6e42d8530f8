// Block: the storage of fifteen elements of a mailbox, with a mark for each that says it is there.
//
// Layout: next block (8 bytes) · 15 marks (16 bytes) · 15 elements.
// A mark is written once, by the producer that claimed the cell, and read by the consumer.
// The block is freed by the consumer, when it has taken what was claimed in it.

public import Synchronization

/// A pointer to a block; `nil` is spelled as an optional pointer.
@usableFromInline
@unsafe struct Block<Element: ~Copyable> {
  /// Cells in a block. One less than a power of two: the sixteenth position of a lap means "needs a block".
  @inlinable static var cells: Int { 15 }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inlinable static var headerBytes: Int {
    let alignment = MemoryLayout<Element>.alignment
    return (24 + alignment - 1) & ~(alignment - 1)
  }

  /// A block without elements. Complexity: one allocation.
  @inlinable
  static func allocate() -> Block {
    let bytes = unsafe headerBytes + cells * MemoryLayout<Element>.stride
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: max(MemoryLayout<Element>.alignment, 8))
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: 24)
    return unsafe Block(base: base)
  }

  @inlinable func deallocate() { unsafe base.deallocate() }

  /// The block after this one.
  @inlinable var next: UnsafeMutablePointer<Atomic<UInt>> {
    unsafe base.assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// 1 when the cell's element is there.
  @inlinable
  func mark(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt8>> {
    unsafe (base + 8 + offset).assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  @inlinable
  func cell(_ offset: Int) -> UnsafeMutablePointer<Element> {
    unsafe (base + Self.headerBytes).assumingMemoryBound(to: Element.self) + offset
  }
}
