// WriteQueue: the bytes of one connection that the kernel has not taken, of high and of low priority.
//
// Owns:       its chunks; those of the common size come from the loop's pool and go back to it.
// Shared by:  nobody; the loop's gate guards it.
// Invariants:
//   I1  a chunk's bytes do not move or change between `append` and `consume`, so the kernel may read them meanwhile.
//   I2  high goes before low, but a block of low priority that has begun is finished first; no block is torn.

/// Memory with bytes from `start` to `end` still to be written.
@safe final class WriteChunk {
  fileprivate let memory: UnsafeMutableRawPointer
  let capacity: Int
  fileprivate(set) var start = 0
  fileprivate(set) var end = 0

  init(capacity: Int) {
    self.capacity = capacity
    unsafe memory = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { unsafe memory.deallocate() }

  fileprivate func append(_ bytes: UnsafeRawBufferPointer) {
    unsafe (memory + end).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    end += bytes.count
  }
}

/// The loop's spare chunks.
struct ChunkPool {
  /// Bytes of a common chunk.
  static var chunkBytes: Int { 16 << 10 }
  /// Greatest number of spare chunks; more are freed.
  static var maxSpare: Int { 64 }
  private var spare: [WriteChunk] = []

  mutating func take() -> WriteChunk { spare.popLast() ?? WriteChunk(capacity: Self.chunkBytes) }

  mutating func giveBack(_ chunk: WriteChunk) {
    guard chunk.capacity == Self.chunkBytes && spare.count < Self.maxSpare else { return }
    chunk.start = 0
    chunk.end = 0
    spare.append(chunk)
  }
}

/// A first-in, first-out list of chunks.
struct ChunkList {
  private var chunks: [WriteChunk] = []
  private var head = 0

  var first: WriteChunk? { head < chunks.count ? chunks[head] : nil }
  var last: WriteChunk? { head < chunks.count ? chunks[chunks.count - 1] : nil }

  mutating func append(_ chunk: WriteChunk) { chunks.append(chunk) }

  mutating func removeFirst() -> WriteChunk {
    let chunk = chunks[head]
    head += 1
    if head == chunks.count {
      chunks.removeAll(keepingCapacity: chunks.count <= 16)
      head = 0
    } else if head >= 64 && head * 2 >= chunks.count {
      chunks.removeFirst(head)
      head = 0
    }
    return chunk
  }
}

/// Which of two queues a send joins.
enum SendPriority: Sendable { case high, low }

/// The bytes that wait in one connection.
struct WriteQueue {
  private var high = ChunkList()
  private var low = ChunkList()
  /// The list whose first chunk is being written.
  private var current: SendPriority?
  /// Bytes that wait.
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// Copies `bytes` to the end; small blocks of high priority share a chunk.
  mutating func append(_ bytes: UnsafeRawBufferPointer, _ priority: SendPriority, pool: inout ChunkPool) {
    var rest = unsafe bytes
    if priority == .high, let last = high.last {
      let room = min(last.capacity - last.end, rest.count)
      if room > 0 {
        unsafe last.append(UnsafeRawBufferPointer(rebasing: rest[..<room]))
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[room...])
      }
    }
    if unsafe !rest.isEmpty {
      let isSmall = priority == .high && rest.count <= ChunkPool.chunkBytes
      let chunk = isSmall ? pool.take() : WriteChunk(capacity: rest.count)
      unsafe chunk.append(rest)
      if priority == .high { high.append(chunk) } else { low.append(chunk) }
    }
    count += bytes.count
  }

  /// The bytes to write next; they stay where they are until `consume`.
  mutating func front() -> UnsafeRawBufferPointer? {
    if current == nil { current = high.first != nil ? .high : .low }
    guard let chunk = current == .high ? high.first : low.first else {
      current = nil
      return nil
    }
    return unsafe UnsafeRawBufferPointer(start: chunk.memory + chunk.start, count: chunk.end - chunk.start)
  }

  /// Drops the first `taken` bytes of `front()`.
  mutating func consume(_ taken: Int, pool: inout ChunkPool) {
    guard let priority = current, let chunk = priority == .high ? high.first : low.first else { return }
    count -= taken
    chunk.start += taken
    precondition(chunk.start <= chunk.end, "the kernel took more than it was given")
    guard chunk.start == chunk.end else { return }
    current = nil
    pool.giveBack(priority == .high ? high.removeFirst() : low.removeFirst())
  }

  /// Drops everything.
  mutating func removeAll() { self = WriteQueue() }
}
