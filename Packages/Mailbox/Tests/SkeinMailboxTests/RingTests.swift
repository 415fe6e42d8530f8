import SkeinMailbox
import Testing

@Suite("SPSCRing") struct SPSCRingTests {
  @Test(arguments: [1, 2, 4, 8])
  func `hands elements out in the order they went in, in every layout`(capacity: Int) {
    for start in 0..<(2 * capacity) {
      for count in 0...capacity {
        let ring = SPSCRing<Int>(capacity: capacity)
        for _ in 0..<start {
          #expect(ring.push(0) == nil)
          #expect(ring.pop() == 0)
        }
        for number in 0..<count { #expect(ring.push(number) == nil) }
        if count == capacity { #expect(ring.push(99) == 99) }
        for number in 0..<count { #expect(ring.pop() == number) }
        #expect(ring.pop() == nil)
      }
    }
  }

  @Test func `a capacity that is not a power of two traps`() async {
    await #expect(processExitsWith: .failure) { _ = SPSCRing<Int>(capacity: 3) }
  }
}

@Suite("HandoffSlot") struct HandoffSlotTests {
  @Test func `holds one object and gives back what it replaces`() {
    let live = LiveCount()
    let slot = HandoffSlot<Tracked>()
    #expect(slot.isEmpty)
    #expect(slot.exchange(Tracked(1, live)) == nil)
    #expect(slot.exchange(Tracked(2, live))?.value == 1)
    #expect(!slot.isEmpty)
    #expect(slot.take()?.value == 2)
    #expect(slot.take() == nil)
    #expect(live.now == 0)
    _ = slot.exchange(Tracked(3, live))
  }
}
