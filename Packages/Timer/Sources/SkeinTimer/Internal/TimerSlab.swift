// TimerSlab: the storage of a wheel's timers, in chunks that come and go with the load.
//
// Owns:       the nodes and the table of chunks.
// Invariants:
//   I1  a node is in use exactly when its `tag` is not 0; the payload is nil otherwise.
//   I2  a chunk with a free node and memory is in the list of open chunks, no other chunk is.
//   I3  at most one chunk that has memory holds no node in use: a burst's memory goes back, yet a load that
//       swings round a chunk's border does not allocate at each swing.
// A place is reused under a higher generation, since generations come from one counter of the slab.

/// A place that names no node.
@usableFromInline let noIndex = UInt32.max

/// One timer: what it carries, when it is due and its neighbours in the wheel's slot.
@usableFromInline
struct TimerNode<Payload: ~Copyable>: ~Copyable {
  @usableFromInline var payload: Payload?
  @usableFromInline var deadline: UInt64 = 0
  /// The generation above the 16 bits of the wheel's slot; 0 when the node is free.
  @usableFromInline var tag: UInt64 = 0
  @usableFromInline var next: UInt32
  @usableFromInline var previous: UInt32 = noIndex

  @inlinable
  init(next: UInt32) {
    payload = nil
    self.next = next
  }

  @inlinable var generation: UInt64 { tag >> 16 }
  @inlinable var slot: Int {
    get { Int(tag & 0xFFFF) }
    set { tag = tag & ~0xFFFF | UInt64(newValue) }
  }
}

/// A block of nodes, or the memory of where one was.
@usableFromInline
@unsafe struct TimerChunk<Payload: ~Copyable> {
  @usableFromInline var nodes: UnsafeMutablePointer<TimerNode<Payload>>?
  @usableFromInline var firstFree: UInt32
  @usableFromInline var used: UInt32
  /// Neighbours among the open chunks, or, in `next`, among those without memory.
  @usableFromInline var previous: UInt32
  @usableFromInline var next: UInt32

  @inlinable
  init() {
    unsafe nodes = nil
    unsafe firstFree = noIndex
    unsafe used = 0
    unsafe previous = noIndex
    unsafe next = noIndex
  }
}

/// Nodes by index, allocated and freed in O(1), in chunks of 256.
///
/// Safe: each pointer handed out is used before the next call that may free its chunk.
@usableFromInline
@safe struct TimerSlab<Payload: ~Copyable>: ~Copyable {
  @usableFromInline static var chunkShift: UInt32 { 8 }
  @usableFromInline static var chunkSize: Int { 256 }

  @usableFromInline var chunks: UnsafeMutablePointer<TimerChunk<Payload>>
  @usableFromInline var chunkCapacity = 0
  @usableFromInline var chunkCount = 0
  /// First chunk with memory and a free node.
  @usableFromInline var firstOpen = noIndex
  /// First entry of the table whose memory was given back.
  @usableFromInline var firstVacant = noIndex
  /// The one chunk that is kept although it is empty.
  @usableFromInline var spare = noIndex
  /// Nodes in use.
  @usableFromInline var used = 0
  /// Chunks that hold memory now.
  @usableFromInline var residentChunks = 0
  @usableFromInline var lastGeneration: UInt64 = 0

  @inlinable
  init() { unsafe chunks = .allocate(capacity: 0) }

  @inlinable
  deinit {
    for chunk in 0..<chunkCount {
      if let nodes = unsafe (chunks + chunk).pointee.nodes {
        unsafe nodes.deinitialize(count: Self.chunkSize)
        unsafe nodes.deallocate()
      }
    }
    unsafe chunks.deallocate()
  }

  /// The node at `index`, which must be in use.
  @inlinable
  subscript(index: UInt32) -> UnsafeMutablePointer<TimerNode<Payload>> {
    unsafe (chunks + Int(index >> Self.chunkShift)).pointee.nodes.unsafelyUnwrapped
      + Int(index & UInt32(Self.chunkSize - 1))
  }

  /// Whether `handle` names a node in use.
  @inlinable
  func contains(_ handle: TimerHandle) -> Bool {
    let chunk = Int(handle.index >> Self.chunkShift)
    guard handle.generation != 0, chunk < chunkCount, unsafe (chunks + chunk).pointee.nodes != nil else { return false }
    return unsafe self[handle.index].pointee.generation == handle.generation
  }

  /// Takes a free node for `payload` and tags it with a new generation.
  @inlinable
  mutating func insert(_ payload: consuming Payload, deadline: UInt64) -> TimerHandle {
    if firstOpen == noIndex { addChunk() }
    let chunk = firstOpen
    let index = unsafe (chunks + Int(chunk)).pointee.firstFree
    let node = unsafe self[index]
    unsafe (chunks + Int(chunk)).pointee.firstFree = unsafe node.pointee.next
    unsafe (chunks + Int(chunk)).pointee.used += 1
    used += 1
    if chunk == spare { spare = noIndex }
    if unsafe (chunks + Int(chunk)).pointee.firstFree == noIndex { close(chunk) }
    // 40 bits, and never 0, which marks a free node.
    lastGeneration = lastGeneration & (1 << 40 - 1) == 1 << 40 - 1 ? 1 : lastGeneration + 1
    unsafe node.pointee.payload = consume payload
    unsafe node.pointee.deadline = deadline
    unsafe node.pointee.tag = lastGeneration << 16
    return TimerHandle(index: index, generation: lastGeneration)
  }

  /// Frees the node at `index` and hands out what it carried.
  @inlinable
  mutating func remove(_ index: UInt32) -> Payload {
    let chunk = index >> Self.chunkShift
    let node = unsafe self[index]
    let payload = unsafe node.pointee.payload.take()!
    unsafe node.pointee.tag = 0
    let wasFull = unsafe (chunks + Int(chunk)).pointee.firstFree == noIndex
    unsafe node.pointee.next = unsafe (chunks + Int(chunk)).pointee.firstFree
    unsafe (chunks + Int(chunk)).pointee.firstFree = index
    unsafe (chunks + Int(chunk)).pointee.used -= 1
    used -= 1
    if wasFull { open(chunk) }
    if unsafe (chunks + Int(chunk)).pointee.used == 0 {
      if spare == noIndex { spare = chunk } else { giveBack(chunk) }
    }
    return payload
  }
}

extension TimerSlab where Payload: ~Copyable {
  @usableFromInline
  mutating func addChunk() {
    let nodes = UnsafeMutablePointer<TimerNode<Payload>>.allocate(capacity: Self.chunkSize)
    let chunk: UInt32
    if firstVacant != noIndex {
      chunk = firstVacant
      firstVacant = unsafe (chunks + Int(chunk)).pointee.next
    } else {
      if chunkCount == chunkCapacity { growTable() }
      chunk = UInt32(chunkCount)
      chunkCount += 1
    }
    let base = chunk << Self.chunkShift
    for offset in 0..<UInt32(Self.chunkSize) {
      let isLast = offset == UInt32(Self.chunkSize - 1)
      unsafe (nodes + Int(offset)).initialize(to: TimerNode(next: isLast ? noIndex : base + offset + 1))
    }
    unsafe (chunks + Int(chunk)).pointee.nodes = nodes
    unsafe (chunks + Int(chunk)).pointee.firstFree = base
    unsafe (chunks + Int(chunk)).pointee.used = 0
    residentChunks += 1
    open(chunk)
  }

  private mutating func growTable() {
    let capacity = max(4, chunkCapacity * 2)
    let table = UnsafeMutablePointer<TimerChunk<Payload>>.allocate(capacity: capacity)
    unsafe table.moveInitialize(from: chunks, count: chunkCapacity)
    for index in chunkCapacity..<capacity { unsafe (table + index).initialize(to: TimerChunk()) }
    unsafe chunks.deallocate()
    unsafe chunks = table
    chunkCapacity = capacity
  }

  /// Puts `chunk` at the front of those with a free node.
  @usableFromInline
  mutating func open(_ chunk: UInt32) {
    unsafe (chunks + Int(chunk)).pointee.previous = noIndex
    unsafe (chunks + Int(chunk)).pointee.next = firstOpen
    if firstOpen != noIndex { unsafe (chunks + Int(firstOpen)).pointee.previous = chunk }
    firstOpen = chunk
  }

  /// Takes `chunk` out of those with a free node.
  @usableFromInline
  mutating func close(_ chunk: UInt32) {
    let previous = unsafe (chunks + Int(chunk)).pointee.previous
    let next = unsafe (chunks + Int(chunk)).pointee.next
    if previous == noIndex { firstOpen = next } else { unsafe (chunks + Int(previous)).pointee.next = next }
    if next != noIndex { unsafe (chunks + Int(next)).pointee.previous = previous }
  }

  /// Returns the memory of `chunk`, in which no node is in use.
  @usableFromInline
  mutating func giveBack(_ chunk: UInt32) {
    close(chunk)
    if let nodes = unsafe (chunks + Int(chunk)).pointee.nodes {
      unsafe nodes.deinitialize(count: Self.chunkSize)
      unsafe nodes.deallocate()
    }
    unsafe (chunks + Int(chunk)).pointee.nodes = nil
    unsafe (chunks + Int(chunk)).pointee.next = firstVacant
    firstVacant = chunk
    residentChunks -= 1
  }
}
