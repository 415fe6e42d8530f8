// TimerSlab: the storage of a wheel's timers: cells by number, each in two places.
//
// Owns:       the memory, and which cells are free.
// A cell's `links` stand apart from its `body`: taking a timer out of a list changes the links of both neighbours, and
// links alone are so dense (8 bytes) that those of a million timers stay in a processor's cache.
// The first cells are no timers: they are the ends of the wheel's lists, which are rings, so that a timer is put in and
// taken out without asking whether it is the first or the last.
// Invariants:
//   I1  a cell holds a timer exactly when its `tag` is not 0; its payload is initialized only then.
//   I2  a cell that holds no timer was never touched since its chunk was taken (`fresh` and above), or is in the list
//       of free cells, or is `lastFreed`: it is still in the cache, and the next timer takes it without more ado.
//   I3  a chunk without timers gives its memory back, but for the first, the open one, that of `lastFreed`, and one
//       more: a load that swings round a chunk's border does not go to the system at each swing.
// A place is reused under a higher generation, since generations come from one counter of the slab.
// What limits arms and cancels among many timers is the number of stores behind those that miss the caches: hence one
// counter for the timers that came, one for those that went, and none that follows from others.

internal import SkeinPlatform

/// No cell: the first one is the end of a list.
@usableFromInline let noCell = UInt32.max

/// The neighbours of a cell in its list.
@usableFromInline
struct TimerLinks: BitwiseCopyable {
  @usableFromInline var next: UInt32
  @usableFromInline var previous: UInt32

  @inlinable
  init(next: UInt32, previous: UInt32) {
    self.next = next
    self.previous = previous
  }
}

/// What a cell says of its timer; the payload follows it.
@usableFromInline
struct TimerBody: BitwiseCopyable {
  /// The handle's number; 0 in a free cell.
  @usableFromInline var tag: UInt64
  @usableFromInline var deadline: UInt64

  @inlinable
  init(tag: UInt64, deadline: UInt64) {
    self.tag = tag
    self.deadline = deadline
  }
}

/// How much of a run of cells is in use.
@usableFromInline
struct TimerChunk: BitwiseCopyable {
  /// Timers in it, and `lastFreed` if it is here.
  @usableFromInline var used: UInt32
  /// Cells of it that were touched: those from here on were not.
  @usableFromInline var fresh: UInt32
  /// The next one among those that gave their memory back.
  @usableFromInline var nextVacant: UInt32

  @inlinable
  init() {
    used = 0
    fresh = 0
    nextVacant = noCell
  }
}

/// Cells by number, taken and freed in O(1), in chunks of 2,048.
///
/// Safe: each pointer handed out leads to memory that is there as long as the slab.
@usableFromInline
@safe struct TimerSlab<Payload: ~Copyable>: ~Copyable {
  @usableFromInline static var chunkShift: UInt32 { 11 }
  @usableFromInline static var chunkSize: UInt32 { 1 << chunkShift }
  /// Distance from a body to its payload and to the next body.
  @inlinable static var payloadOffset: Int {
    (MemoryLayout<TimerBody>.size + MemoryLayout<Payload>.alignment - 1) & -MemoryLayout<Payload>.alignment
  }
  @inlinable static var bodyStride: Int {
    let alignment = max(MemoryLayout<TimerBody>.alignment, MemoryLayout<Payload>.alignment)
    return (payloadOffset + MemoryLayout<Payload>.size + alignment - 1) & -alignment
  }
  /// Bytes that one timer takes.
  @inlinable static var cellBytes: Int { MemoryLayout<TimerLinks>.stride + bodyStride }

  /// One past the last cell there can be.
  @usableFromInline let limit: UInt32
  @usableFromInline let links: UnsafeMutablePointer<TimerLinks>
  @usableFromInline let bodies: UnsafeMutableRawPointer
  @usableFromInline let chunks: UnsafeMutablePointer<TimerChunk>
  private let linkMemory: ReservedMemory
  private let bodyMemory: ReservedMemory

  /// The cell that was freed last, if it is still free.
  @usableFromInline var lastFreed = noCell
  /// The first of the other free cells.
  private var firstFree = noCell
  /// The chunk whose untouched cells are handed out.
  private var open: UInt32 = 0
  /// Chunks that were ever opened.
  private var chunkCount: UInt32 = 1
  /// First of the chunks whose memory was given back.
  private var firstVacant = noCell
  /// The one chunk that keeps its memory without a timer, besides the first.
  private var spare = noCell
  /// The last timer's generation, at its place in a handle: it also counts the timers that came.
  @usableFromInline var generation: UInt64 = 0
  /// Timers that went.
  @usableFromInline var removals: UInt64 = 0

  /// Timers that came, but for whole turns of the counter.
  @inlinable var arrivals: UInt64 { generation >> TimerHandle.indexBits }
  /// Timers that came since there were `past` of them, of which the counter's bits count.
  @inlinable
  func arrivals(since past: UInt64) -> Int {
    Int(truncatingIfNeeded: (arrivals &- past) & (1 << (64 - TimerHandle.indexBits) - 1))
  }
  /// Timers.
  @inlinable var used: Int { arrivals(since: removals) }

  /// Makes a slab whose first `ends` cells are the ends of lists, with room for `capacity` timers and as many again.
  @usableFromInline
  init(ends: Int, capacity: Int) {
    let chunkSize = Int(Self.chunkSize)
    let count = min((ends + 2 * capacity + chunkSize - 1) / chunkSize * chunkSize, 1 << Int(TimerHandle.indexBits))
    limit = UInt32(count)
    linkMemory = ReservedMemory(byteCount: count * MemoryLayout<TimerLinks>.stride)
    bodyMemory = ReservedMemory(byteCount: count * Self.bodyStride)
    unsafe links = linkMemory.base.bindMemory(to: TimerLinks.self, capacity: count)
    unsafe bodies = bodyMemory.base
    unsafe chunks = .allocate(capacity: count / chunkSize)
    unsafe chunks.initialize(repeating: TimerChunk(), count: count / chunkSize)
    unsafe chunks.pointee.fresh = UInt32(ends)
    for end in 0..<UInt32(ends) { unsafe links[Int(end)] = TimerLinks(next: end, previous: end) }
    // `TimerHandle.none` names the first cell, and must not find there what free cells have.
    unsafe body(0).initialize(to: TimerBody(tag: .max, deadline: 0))
  }

  @inlinable
  deinit { unsafe chunks.deallocate() }

  @inlinable @inline(__always)
  func body(_ cell: UInt32) -> UnsafeMutablePointer<TimerBody> {
    unsafe (bodies + Int(cell) &* Self.bodyStride).assumingMemoryBound(to: TimerBody.self)
  }

  @inlinable @inline(__always)
  func payload(_ cell: UInt32) -> UnsafeMutablePointer<Payload> {
    unsafe (bodies + (Int(cell) &* Self.bodyStride &+ Self.payloadOffset)).assumingMemoryBound(to: Payload.self)
  }

  /// Whether `handle` names a timer.
  @inlinable @inline(__always)
  func contains(_ handle: TimerHandle) -> Bool {
    let cell = handle.index
    return unsafe cell < limit && body(cell).pointee.tag == handle.rawValue
  }

  /// Takes a cell for `payload` under a new generation; its links are the caller's to set.
  @inlinable @inline(__always)
  mutating func insert(_ payload: consuming Payload, deadline: UInt64) -> TimerHandle {
    var cell = lastFreed
    if cell != noCell { lastFreed = noCell } else { cell = take() }
    // 40 bits that wrap round; no handle is 0, since the first cells are no timers.
    generation &+= 1 << TimerHandle.indexBits
    let handle = TimerHandle(rawValue: generation | UInt64(cell))
    unsafe body(cell).initialize(to: TimerBody(tag: handle.rawValue, deadline: deadline))
    unsafe self.payload(cell).initialize(to: payload)
    return handle
  }

  /// Frees `cell`, which is in no list any more, and hands out what it carried.
  @inlinable @inline(__always)
  mutating func remove(_ cell: UInt32) -> Payload {
    unsafe body(cell).pointee.tag = 0
    if lastFreed != noCell { free(lastFreed) }
    lastFreed = cell
    removals &+= 1
    return unsafe payload(cell).move()
  }

  // MARK: Chunks

  /// Takes a free cell, or one that was not touched yet.
  @usableFromInline
  @inline(never)
  mutating func take() -> UInt32 {
    var cell = firstFree
    if cell != noCell {
      unsafe firstFree = (links + Int(cell)).pointee.next
    } else {
      if unsafe (chunks + Int(open)).pointee.fresh == Self.chunkSize { openChunk() }
      let chunk = unsafe chunks + Int(open)
      unsafe cell = open << Self.chunkShift | chunk.pointee.fresh
      unsafe chunk.pointee.fresh = unsafe chunk.pointee.fresh + 1
    }
    let chunk = unsafe chunks + Int(cell >> Self.chunkShift)
    unsafe chunk.pointee.used = unsafe chunk.pointee.used + 1
    return cell
  }

  @usableFromInline
  @inline(never)
  mutating func free(_ cell: UInt32) {
    if firstFree != noCell { unsafe (links + Int(firstFree)).pointee.previous = cell }
    unsafe (links + Int(cell)).pointee = TimerLinks(next: firstFree, previous: noCell)
    firstFree = cell
    let chunk = unsafe chunks + Int(cell >> Self.chunkShift)
    unsafe chunk.pointee.used = unsafe chunk.pointee.used - 1
    if unsafe chunk.pointee.used == 0 { emptied(cell >> Self.chunkShift) }
  }

  private mutating func openChunk() {
    if firstVacant != noCell {
      open = firstVacant
      firstVacant = unsafe (chunks + Int(open)).pointee.nextVacant
    } else {
      precondition(chunkCount << Self.chunkShift < limit, "a wheel holds no more than twice its capacity")
      open = chunkCount
      chunkCount += 1
    }
  }

  /// The last timer of `chunk` has gone.
  private mutating func emptied(_ chunk: UInt32) {
    if chunk == 0 || chunk == open || chunk == spare { return }
    let old = spare
    spare = chunk
    if old != noCell, old != open, unsafe (chunks + Int(old)).pointee.used == 0 { giveBack(old) }
  }

  private mutating func giveBack(_ chunk: UInt32) {
    let state = unsafe chunks + Int(chunk)
    let first = chunk << Self.chunkShift
    for cell in unsafe first..<first + state.pointee.fresh { leaveFreeList(cell) }
    unsafe state.pointee = TimerChunk()
    unsafe state.pointee.nextVacant = firstVacant
    firstVacant = chunk
    let cells = Int(first)..<Int(first + Self.chunkSize)
    linkMemory.giveBack(
      cells.lowerBound * MemoryLayout<TimerLinks>.stride..<cells.upperBound * MemoryLayout<TimerLinks>.stride)
    bodyMemory.giveBack(cells.lowerBound * Self.bodyStride..<cells.upperBound * Self.bodyStride)
  }

  private mutating func leaveFreeList(_ cell: UInt32) {
    let own = unsafe links[Int(cell)]
    if cell == firstFree {
      firstFree = own.next
    } else {
      unsafe (links + Int(own.previous)).pointee.next = own.next
    }
    if own.next != noCell { unsafe (links + Int(own.next)).pointee.previous = own.previous }
  }

  /// Cells that hold memory, with or without a timer.
  var touched: Int {
    var total = 0
    for chunk in 0..<Int(chunkCount) { unsafe total += Int(chunks[chunk].fresh) }
    return total
  }
}
