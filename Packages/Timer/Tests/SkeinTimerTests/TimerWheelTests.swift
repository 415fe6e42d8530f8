import SkeinTimer
import Testing

@Suite("TimerWheel") struct TimerWheelTests {
  @Test func `a timer is handed out at its tick and not before`() throws {
    var wheel = TimerWheel<Int>(capacity: 4)
    try wheel.arm(at: Tick(100), payload: 7)
    let early = wheel.popExpired(upTo: Tick(99))
    #expect(early == nil)
    let due = wheel.popExpired(upTo: Tick(100))
    #expect(due == 7)
  }
}
