// Block: the storage of some elements of a mailbox, with a mark for each that says it is there.
//
// Layout: cells, each an element and a mark of one byte · next block's address. A narrow block is some 600 bytes for
// elements of up to four words, a wide one some 4,000: who writes and reads along many lines has them fetched ahead.
// A mark is set by the producer that claimed the cell, and cleared by the consumer, who alone frees blocks and leaves
// them for their next use, when it has taken what was claimed in them.
//
// A block is known by a word: its address, plus 2 when it is wide. The lowest bit belongs to who keeps the word.

public import Glibc
public import Synchronization

/// A pointer to a block.
@usableFromInline
@unsafe struct Block<Element: ~Copyable> {
  #if SKEIN_MODEL
  /// Few, so that small programs come to every border.
  @inlinable static var narrowCells: Int { 2 }
  @inlinable static var wideCells: Int { 4 }
  #else
  /// Cells in a narrow block, and in a wide one; powers of two.
  @inlinable static var narrowCells: Int { MemoryLayout<Element>.stride <= 16 ? 32 : 16 }
  @inlinable static var wideCells: Int {
    let stride = MemoryLayout<Element>.stride
    return stride <= 8 ? 256 : stride <= 16 ? 128 : 64
  }
  #endif
  /// What makes the word of a wide block of its address.
  @inlinable static var wideTag: UInt { 2 }

  /// The place of the element `index` in a block.
  @inlinable
  static func offset(_ index: UInt32, isWide: Bool) -> Int {
    unsafe Int(truncatingIfNeeded: index) & ((isWide ? wideCells : narrowCells) &- 1)
  }

  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let isWide: Bool

  /// The block of a word that is not 0.
  @inlinable
  init(_ word: UInt) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: word & ~3).unsafelyUnwrapped
    unsafe isWide = unsafe word & Self.wideTag != 0
  }

  @inlinable var word: UInt { unsafe UInt(bitPattern: base) | (isWide ? Self.wideTag : 0) }
  @inlinable var cells: Int { unsafe isWide ? Self.wideCells : Self.narrowCells }

  /// From one cell to the next: an element and its mark.
  @inlinable static var cellBytes: Int {
    let alignment = MemoryLayout<Element>.alignment
    return (MemoryLayout<Element>.size + MemoryLayout<Atomic<UInt8>>.stride + alignment - 1) & ~(alignment - 1)
  }

  /// Where the next block's address stands: behind the cells, so that a cell of 16 bytes lies on one cache line.
  @inlinable var nextOffset: Int { unsafe (cells * Self.cellBytes + 7) & ~7 }

  /// A block without elements. Complexity: one allocation.
  @inlinable
  static func allocate(isWide: Bool) -> Block {
    let cells = unsafe isWide ? wideCells : narrowCells
    let bytes = unsafe (cells * cellBytes + 7) & ~7 + MemoryLayout<Atomic<UInt>>.stride
    // malloc's alignment of 16 is enough, and Swift's own allocation asks for it with posix_memalign, at thrice the cost.
    precondition(MemoryLayout<Element>.alignment <= 16, "an element is aligned to 16 bytes at most")
    guard let base = unsafe malloc(bytes) else { preconditionFailure("no memory for a mailbox's block") }
    let block = unsafe Block(UInt(bitPattern: base) | (isWide ? wideTag : 0))
    unsafe block.prepare()
    return unsafe block
  }

  /// Makes the next block's address 0 and every mark 0, in memory that only the caller knows.
  @inlinable
  func prepare() {
    unsafe next.initialize(to: Atomic(0))
    let count = unsafe cells
    for offset in 0..<count { unsafe mark(offset).initialize(to: Atomic(0)) }
  }

  #if SKEIN_MODEL
  /// Gives it back when the run has ended; whoever touches its atomics before is at fault.
  @inlinable func deallocate() {
    unsafe retire()
    let word = unsafe word
    ModelRun.whenEnded { unsafe Block(word).destroy() }
  }

  /// Empties a block that was read, for its next use.
  @inlinable func renew() -> Block {
    // Another one in the model, where whoever touches the old one's atomics is at fault.
    unsafe deallocate()
    return unsafe Block.allocate(isWide: isWide)
  }

  @inlinable func retire() {
    unsafe next.pointee.retire()
    let count = unsafe cells
    for offset in 0..<count { unsafe mark(offset).pointee.retire() }
  }

  @inlinable func destroy() {
    unsafe next.deinitialize(count: 1)
    let count = unsafe cells
    for offset in 0..<count { unsafe mark(offset).deinitialize(count: 1) }
    unsafe free(base)
  }
  #else
  @inlinable func deallocate() { unsafe free(base) }

  /// Makes a block that was read ready for its next use.
  @inlinable func renew() -> Block { unsafe self }
  #endif

  /// The block after this one.
  @inlinable var next: UnsafeMutablePointer<Atomic<UInt>> {
    unsafe (base + nextOffset).assumingMemoryBound(to: Atomic<UInt>.self)
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
