// Block: the storage of fifteen elements of a mailbox, with a mark for each that says it is there.
//
// Layout: next block · 16 marks, of which 15 are used · 15 elements. Header: 24 bytes.
// A mark is written once, by the producer that claimed the cell, and read by the consumer.
// The block is freed by the consumer, when it has taken what was claimed in it.

#if !SKEIN_MODEL
public import Synchronization
#endif

/// A pointer to a block; `nil` is spelled as an optional pointer.
@usableFromInline
@unsafe struct Block<Element: ~Copyable> {
  /// Cells in a block. One less than a power of two: the sixteenth position of a lap means "needs a block".
  @inlinable static var cells: Int { 15 }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inlinable static var headerBytes: Int {
    let alignment = MemoryLayout<Element>.alignment
    let bytes = MemoryLayout<Atomic<UInt>>.stride + 16 * MemoryLayout<Atomic<UInt8>>.stride
    return (bytes + alignment - 1) & ~(alignment - 1)
  }

  /// A block without elements. Complexity: one allocation.
  @inlinable
  static func allocate() -> Block {
    let bytes = unsafe headerBytes + cells * MemoryLayout<Element>.stride
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: max(MemoryLayout<Element>.alignment, 8))
    let block = unsafe Block(base: base)
    unsafe block.next.initialize(to: Atomic(0))
    let count = unsafe cells
    for offset in 0..<count { unsafe block.mark(offset).initialize(to: Atomic(0)) }
    return unsafe block
  }

  #if SKEIN_MODEL
  /// Gives it back when the run has ended; whoever touches its atomics before is at fault.
  @inlinable func deallocate() {
    unsafe next.pointee.retire()
    let count = unsafe Self.cells
    for offset in 0..<count { unsafe mark(offset).pointee.retire() }
    let address = unsafe UInt(bitPattern: base)
    ModelRun.whenEnded { unsafe Block(base: UnsafeMutableRawPointer(bitPattern: address)!).destroy() }
  }

  @inlinable func destroy() {
    unsafe next.deinitialize(count: 1)
    unsafe mark(0).deinitialize(count: Self.cells)
    unsafe base.deallocate()
  }
  #else
  @inlinable func deallocate() { unsafe base.deallocate() }
  #endif

  /// The block after this one.
  @inlinable var next: UnsafeMutablePointer<Atomic<UInt>> {
    unsafe base.assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// 1 when the cell's element is there.
  @inlinable
  func mark(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt8>> {
    unsafe (base + MemoryLayout<Atomic<UInt>>.stride).assumingMemoryBound(to: Atomic<UInt8>.self) + offset
  }

  /// Puts an element into an empty cell.
  @inlinable
  func fill(_ offset: Int, with element: consuming Element) {
    #if SKEIN_MODEL
    unsafe ModelRun.writes(cell(offset))
    #endif
    unsafe cell(offset).initialize(to: element)
  }

  /// Takes the element out of a cell.
  @inlinable
  func empty(_ offset: Int) -> Element {
    #if SKEIN_MODEL
    unsafe ModelRun.reads(cell(offset))
    #endif
    return unsafe cell(offset).move()
  }

  @inlinable
  func cell(_ offset: Int) -> UnsafeMutablePointer<Element> {
    unsafe (base + Self.headerBytes).assumingMemoryBound(to: Element.self) + offset
  }
}
