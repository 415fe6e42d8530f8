import SkeinPlatform
import Testing

@Suite("ReservedMemory") struct ReservedMemoryTests {
  /// A reservation as bytes.
  private struct Bytes: ~Copyable {
    let memory = ReservedMemory(byteCount: 1 << 20)
    subscript(place: Int) -> UInt8 {
      get { unsafe memory.base.load(fromByteOffset: place, as: UInt8.self) }
      nonmutating set { unsafe memory.base.storeBytes(of: newValue, toByteOffset: place, as: UInt8.self) }
    }
  }

  @Test func `memory that was given back reads as zero, and its neighbours keep what they hold`() {
    let bytes = Bytes()
    let places = [0, 1 << 16, 1 << 17 - 1, 1 << 17, 1 << 20 - 1]
    for place in places {
      let before = bytes[place]
      #expect(before == 0)
      bytes[place] = 7
    }
    bytes.memory.giveBack(1 << 16..<1 << 17)
    var after: [UInt8] = []
    for place in places { after.append(bytes[place]) }
    #expect(after == [7, 0, 0, 7, 7])
  }

  @Test func `what is less than a page is kept`() {
    let bytes = Bytes()
    bytes[5] = 7
    bytes.memory.giveBack(1..<100)
    let after = bytes[5]
    #expect(after == 7)
  }
}
