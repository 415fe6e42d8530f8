import SkeinPlatform
import Testing

@Suite("ReservedMemory") struct ReservedMemoryTests {
  @Test func `memory that was given back reads as zero, and its neighbours keep what they hold`() {
    let memory = ReservedMemory(byteCount: 1 << 20)
    let bytes = memory.base.assumingMemoryBound(to: UInt8.self)
    for place in [0, 1 << 16, 1 << 17 - 1, 1 << 17, 1 << 20 - 1] {
      #expect(bytes[place] == 0)
      bytes[place] = 7
    }
    memory.giveBack(1 << 16..<1 << 17)
    #expect([0, 1 << 16, 1 << 17 - 1, 1 << 17, 1 << 20 - 1].map { bytes[$0] } == [7, 0, 0, 7, 7])
  }

  @Test func `what is less than a page is kept`() {
    let memory = ReservedMemory(byteCount: 1 << 20)
    let bytes = memory.base.assumingMemoryBound(to: UInt8.self)
    bytes[5] = 7
    memory.giveBack(1..<100)
    #expect(bytes[5] == 7)
  }
}
