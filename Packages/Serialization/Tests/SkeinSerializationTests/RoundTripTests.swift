import CSeriTestSupport
import SkeinSerialization
import SkeinTaggedJSON
import Testing

#if DEBUG
/// Closures that are not inlined allocate.
private let isOptimized = false
#else
private let isOptimized = true
#endif

@Suite("Round trips") struct RoundTripTests {
  @Test(arguments: 0..<20)
  func `random messages come back`(seed: UInt64) throws {
    var generator = Generator(state: seed)
    for _ in 0..<50 {
      let message = (0..<Int.random(in: 0..<6, using: &generator)).map { _ in generator.value(depth: 4) }
      let bytes = try Seri.encode(message)
      #expect(try Seri.decode(bytes) == message, "seed \(seed)")
      let borrowed = try unsafe Seri.decode(bytes.span.bytes)
      #expect(borrowed == message)
      #expect(try TaggedJSON.decode(TaggedJSON.encode(message)) == message)
      try Seri.read(bytes) { (reader) throws(SeriError) in
        while !reader.isAtEnd { try reader.skip() }
      }
    }
  }

  @Test(arguments: 0..<20)
  func `a changed byte is an error or another message, and never more`(seed: UInt64) throws {
    var generator = Generator(state: seed)
    let message = (0..<4).map { _ in generator.value(depth: 3) }
    let bytes = try Seri.encode(message)
    for _ in 0..<200 where !bytes.isEmpty {
      var changed = bytes
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      changed[place] = UInt8(truncatingIfNeeded: generator.next())
      if let error = decodeError(changed) {
        #expect((0...changed.count).contains(error.offset))
      } else {
        let read = try Seri.decode(changed)
        #expect(try Seri.decode(Seri.encode(read)) == read)
      }
    }
  }

  @Test(.enabled(if: seri_heap_is_counted() == 1 && isOptimized))
  func `writing into a buffer that is large enough allocates nothing`() throws {
    let message: [Value] = [1, "a string that is not held in place", [1, 2, ["k": .double(1)]]]
    var writer = SeriWriter()
    for value in message { value.write(to: &writer) }
    let expected = try writer.finish()
    seri_heap_begin()
    writer.reset()
    for value in message { value.write(to: &writer) }
    #expect(seri_heap_allocations() == 0)
    #expect(try writer.finish() == expected)
  }
}
