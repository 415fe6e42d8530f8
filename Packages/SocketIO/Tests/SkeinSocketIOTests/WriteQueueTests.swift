import Testing

@testable import SkeinSocketIO

@Suite("WriteQueue") struct WriteQueueTests {
  /// Takes up to `size` bytes at a time out of the queue.
  private func takeAll(_ queue: inout WriteQueue, _ pool: inout ChunkPool, size: Int) -> [UInt8] {
    var all: [UInt8] = []
    while let front = unsafe queue.front() {
      let piece = unsafe [UInt8](front.prefix(size))
      queue.consume(piece.count, pool: &pool)
      all += piece
    }
    return all
  }

  private func append(_ bytes: [UInt8], _ priority: SendPriority, to queue: inout WriteQueue, _ pool: inout ChunkPool) {
    unsafe bytes.withUnsafeBytes { unsafe queue.append($0, priority, pool: &pool) }
  }

  @Test(arguments: [1, 7, 4_096, 1 << 20], [1, 100, 20_000])
  func `hands bytes out in the order they went in`(size: Int, block: Int) {
    var queue = WriteQueue()
    var pool = ChunkPool()
    let all = pattern(size == 1 ? 3_000 : 100_000)
    var position = 0
    while position < all.count {
      append(Array(all[position..<min(position + block, all.count)]), .high, to: &queue, &pool)
      position += block
    }
    #expect(queue.count == all.count)
    #expect(takeAll(&queue, &pool, size: size) == all)
    #expect(queue.isEmpty && queue.count == 0)
  }

  @Test func `a low block that has begun is finished before high ones`() {
    var queue = WriteQueue()
    var pool = ChunkPool()
    append([1, 1], .low, to: &queue, &pool)
    append([2, 2], .low, to: &queue, &pool)
    #expect(unsafe queue.front()?.count == 2)
    queue.consume(1, pool: &pool)
    append([9], .high, to: &queue, &pool)
    #expect(takeAll(&queue, &pool, size: 1) == [1, 9, 2, 2])
  }

  @Test func `bytes that are being written stay where they are`() throws {
    var queue = WriteQueue()
    var pool = ChunkPool()
    append([1, 2, 3], .high, to: &queue, &pool)
    let front = unsafe try #require(unsafe queue.front())
    for _ in 0..<100 { append(pattern(5_000), .high, to: &queue, &pool) }
    #expect(unsafe [UInt8](front) == [1, 2, 3])
    #expect(unsafe queue.front()?.baseAddress == front.baseAddress)
  }
}
