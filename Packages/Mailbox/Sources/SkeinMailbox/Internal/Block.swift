// Block: the storage of 16, 32 or 64 elements of a mailbox, with a mark for each that says it is there.
//
// Layout: next block · a mark of one byte for each cell · cells. Some 600 bytes for elements of up to four words.
// A mark is written once, by the producer that claimed the cell, and read by the consumer. The consumer alone
// empties a block for its next use and frees it, when it has taken what was claimed in it.

public import Synchronization

/// A pointer to a block.
@usableFromInline
@unsafe struct Block<Element: ~Copyable> {
  /// Cells in a block; a power of two.
  @inlinable static var cells: Int {
    let stride = MemoryLayout<Element>.stride
    return stride <= 8 ? 64 : stride <= 16 ? 32 : 16
  }

  @usableFromInline let base: UnsafeMutableRawPointer

  /// The block at an address that is not 0.
  @inlinable init(_ address: UInt) { unsafe base = UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped }

  @inlinable var address: UInt { unsafe UInt(bitPattern: base) }

  /// From one cell to the next: an element and its mark.
  @inlinable static var cellBytes: Int {
    let alignment = MemoryLayout<Element>.alignment
    return (MemoryLayout<Element>.size + MemoryLayout<Atomic<UInt8>>.stride + alignment - 1) & ~(alignment - 1)
  }

  /// Where the next block's address stands: behind the cells, so that a cell of 16 bytes lies on one cache line.
  @inlinable static var nextOffset: Int { unsafe (cells * cellBytes + 7) & ~7 }

  /// A block without elements. Complexity: one allocation.
  @inlinable
  static func allocate() -> Block {
    let bytes = unsafe nextOffset + MemoryLayout<Atomic<UInt>>.stride
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: max(MemoryLayout<Element>.alignment, 8))
    let block = unsafe Block(UInt(bitPattern: base))
    unsafe block.prepare()
    return unsafe block
  }

  /// Makes the next block's address 0 and every mark 0, in memory that only the caller knows.
  @inlinable
  func prepare() {
    unsafe next.initialize(to: Atomic(0))
    let count = unsafe Self.cells
    for offset in 0..<count { unsafe mark(offset).initialize(to: Atomic(0)) }
  }

  #if SKEIN_MODEL
  /// Gives it back when the run has ended; whoever touches its atomics before is at fault.
  @inlinable func deallocate() {
    unsafe retire()
    let address = unsafe address
    ModelRun.whenEnded { unsafe Block(address).destroy() }
  }

  /// Empties a block that was read, for its next use.
  @inlinable func renew() -> Block {
    // Another one in the model, where whoever touches the old one's atomics is at fault.
    unsafe deallocate()
    return unsafe Block.allocate()
  }

  @inlinable func retire() {
    unsafe next.pointee.retire()
    let count = unsafe Self.cells
    for offset in 0..<count { unsafe mark(offset).pointee.retire() }
  }

  @inlinable func destroy() {
    unsafe next.deinitialize(count: 1)
    let count = unsafe Self.cells
    for offset in 0..<count { unsafe mark(offset).deinitialize(count: 1) }
    unsafe base.deallocate()
  }
  #else
  @inlinable func deallocate() { unsafe base.deallocate() }

  /// Makes a block that was read ready for its next use.
  @inlinable func renew() -> Block { unsafe self }
  #endif

  /// The block after this one.
  @inlinable var next: UnsafeMutablePointer<Atomic<UInt>> {
    unsafe (base + Self.nextOffset).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// 1 when the cell's element is there.
  @inlinable
  func mark(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt8>> {
    unsafe (base + offset * Self.cellBytes + MemoryLayout<Element>.size)
      .assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  /// Puts an element into an empty cell that the caller has claimed, and says that it is there.
  @inlinable
  func put(_ element: consuming Element, at offset: Int) {
    #if SKEIN_MODEL
    unsafe ModelRun.writes(cell(offset))
    #endif
    unsafe cell(offset).initialize(to: element)
    // Release: publishes the element; pairs with the acquire in `dequeue`.
    unsafe mark(offset).pointee.store(1, ordering: .releasing)
  }

  /// Takes the element out of a cell.
  @inlinable
  func take(_ offset: Int) -> Element {
    #if SKEIN_MODEL
    unsafe ModelRun.reads(cell(offset))
    #endif
    let element = unsafe cell(offset).move()
    // Relaxed: for the block's next use, which is told by its hand-over.
    unsafe mark(offset).pointee.store(0, ordering: .relaxed)
    return element
  }

  @inlinable
  func cell(_ offset: Int) -> UnsafeMutablePointer<Element> {
    unsafe (base + offset * Self.cellBytes).assumingMemoryBound(to: Element.self)
  }
}
