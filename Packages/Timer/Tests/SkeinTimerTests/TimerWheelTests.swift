import SkeinTimer
import Testing

@Suite("TimerWheel") struct TimerWheelTests {
  /// Everything due up to `tick`, in order.
  private func drain(_ wheel: inout TimerWheel<UInt64>, upTo tick: UInt64) -> [UInt64] {
    var due: [UInt64] = []
    while let payload = wheel.popExpired(upTo: Tick(tick)) { due.append(payload) }
    return due
  }

  @Test(arguments: 0...10)
  func `a timer next to a border of any level is handed out at its tick and not before`(level: Int) throws {
    let border = UInt64(1) << UInt64(6 * level)
    let starts: [UInt64] = [0, 1, border - 1, border, border + 1, border &* 2 &- 1, border &* 63, ~0 - border, ~0 - 2]
    let distances: [UInt64] = [
      1, 2, border - 1, border, border + 1, border &* 2, border &* 62, border &* 63, border &* 64 &- 1,
    ]
    for start in starts {
      for distance in distances where distance > 0 {
        let (deadline, overflow) = start.addingReportingOverflow(distance)
        if overflow { continue }
        var wheel = TimerWheel<UInt64>(capacity: 1, startingAt: Tick(start))
        try wheel.arm(at: Tick(deadline), payload: 7)
        let next = wheel.nextExpiry()
        #expect(next == Tick(deadline))
        #expect(drain(&wheel, upTo: deadline - 1).isEmpty, "start \(start), distance \(distance)")
        let later = wheel.nextExpiry()
        #expect(later == Tick(deadline))
        #expect(drain(&wheel, upTo: deadline) == [7], "start \(start), distance \(distance)")
        #expect(wheel.now == Tick(deadline))
      }
    }
  }

  @Test func `every distance up to 4,200 is exact from every start up to 130`() throws {
    for start in UInt64(0)...130 {
      var wheel = TimerWheel<UInt64>(capacity: 4_200, startingAt: Tick(start))
      for distance in UInt64(1)...4_200 { try wheel.arm(at: Tick(start + distance), payload: start + distance) }
      var expected = start + 1
      while let due = wheel.popExpired(upTo: Tick(start + 4_200)) {
        guard due == expected, wheel.now == Tick(due) else {
          Issue.record("start \(start): got \(due) at \(wheel.now), expected \(expected)")
          return
        }
        expected += 1
      }
      #expect(expected == start + 4_201)
    }
  }

  @Test(arguments: [1, 63, 64, 65, 4_095, 4_096, 262_144, 1 << 40] as [UInt64])
  func `timers of one tick are handed out in the order of arming, from however far`(deadline: UInt64) throws {
    var wheel = TimerWheel<UInt64>(capacity: 200)
    var armed: UInt64 = 0
    // Armed from ever nearer, so that they first stand on different levels.
    for step in stride(from: UInt64(0), to: deadline, by: max(1, Int.Stride(deadline / 100))) {
      _ = wheel.popExpired(upTo: Tick(step))
      try wheel.arm(at: Tick(deadline), payload: armed)
      armed += 1
    }
    #expect(drain(&wheel, upTo: deadline) == Array(0..<armed))
  }

  @Test func `a past deadline is due at the next tick`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 2, startingAt: Tick(1_000))
    try wheel.arm(at: Tick(3), payload: 1)
    try wheel.arm(at: Tick(1_000), payload: 2)
    let next = wheel.nextExpiry()
    #expect(next == Tick(1_001))
    #expect(drain(&wheel, upTo: 1_000).isEmpty)
    #expect(drain(&wheel, upTo: 1_001) == [1, 2])
  }

  @Test func `after a stall everything comes in the order of the ticks`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 1_000)
    var generator = SeededGenerator(seed: 11)
    let deadlines = (0..<1_000).map { _ in UInt64.random(in: 1...100_000_000, using: &generator) }
    for deadline in deadlines { try wheel.arm(at: Tick(deadline), payload: deadline) }
    #expect(drain(&wheel, upTo: 100_000_000) == deadlines.sorted())
  }

  @Test func `the last tick there is can be armed and comes`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 2)
    try wheel.arm(at: .max, payload: 1)
    #expect(drain(&wheel, upTo: .max - 1).isEmpty)
    #expect(drain(&wheel, upTo: .max) == [1])
    try wheel.arm(at: .zero, payload: 2)
    #expect(drain(&wheel, upTo: .max) == [2])
  }

  @Test func `a cancelled timer never comes and gives its payload back once`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 3)
    try wheel.arm(at: Tick(5), payload: 1)
    let second = try wheel.arm(at: Tick(5), payload: 2)
    try wheel.arm(at: Tick(5), payload: 3)
    let isArmed = wheel.isArmed(second)
    #expect(isArmed)
    let payload = wheel.cancel(second)
    #expect(payload == 2)
    let again = wheel.cancel(second)
    #expect(again == nil)
    #expect(drain(&wheel, upTo: 5) == [1, 3])
  }

  @Test func `a handle of the past does not name the timer that took its place`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 1)
    let old = try wheel.arm(at: Tick(1), payload: 1)
    #expect(drain(&wheel, upTo: 1) == [1])
    let new = try wheel.arm(at: Tick(2), payload: 2)
    #expect(old != new)
    let payload = wheel.cancel(old)
    #expect(payload == nil)
    let isArmed = wheel.isArmed(.none)
    #expect(!isArmed)
    #expect(drain(&wheel, upTo: 2) == [2])
  }

  @Test func `a full wheel refuses and goes on when there is room again`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 2)
    let first = try wheel.arm(at: Tick(1), payload: 1)
    try wheel.arm(at: Tick(1), payload: 2)
    do throws(TimerError) {
      try wheel.arm(at: Tick(1), payload: 3)
      Issue.record("armed beyond the capacity")
    } catch {
      #expect(error == .full(capacity: 2))
    }
    wheel.cancel(first)
    try wheel.arm(at: Tick(1), payload: 4)
    #expect(drain(&wheel, upTo: 1) == [2, 4])
  }

  @Test func `the next expiry is exact after the earliest timer of a far slot was cancelled`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 10)
    let first = try wheel.arm(at: Tick(70), payload: 1)
    let second = try wheel.arm(at: Tick(75), payload: 2)
    try wheel.arm(at: Tick(90), payload: 3)
    wheel.cancel(first)
    let next = wheel.nextExpiry()
    #expect(next == Tick(75))
    wheel.cancel(second)
    let last = wheel.nextExpiry()
    #expect(last == Tick(90))
  }

  @Test func `of a million timers only those that were not cancelled come, and the memory is given back`() throws {
    let total: UInt64 = 1_000_000
    var wheel = TimerWheel<UInt64>(capacity: Int(total))
    var handles: [TimerHandle] = []
    handles.reserveCapacity(Int(total))
    for payload in 0..<total { handles.append(try wheel.arm(at: Tick(1 + payload % 977), payload: payload)) }
    let full = wheel.storageBytes
    #expect(full == Int(total) * 32)
    var cancelled = 0
    for payload in 0..<total where payload % 10 != 3 {
      if wheel.cancel(handles[Int(payload)]) == payload { cancelled += 1 }
    }
    #expect(cancelled == 900_000)
    var fired = 0
    var last = (tick: UInt64(0), payload: UInt64(0))
    var isOrdered = true
    while let payload = wheel.popExpired(upTo: Tick(1_000)) {
      let next = (tick: 1 + payload % 977, payload: payload)
      isOrdered = isOrdered && payload % 10 == 3 && last <= next
      last = next
      fired += 1
    }
    #expect(fired == 100_000)
    #expect(isOrdered)
    #expect(wheel.count == 0)
    #expect(wheel.storageBytes * 50 <= full)
    // What was given back is used again.
    for payload in 0..<total { try wheel.arm(at: Tick(2_000), payload: payload) }
    #expect(wheel.storageBytes == full)
  }

  @Test func `memory that was given back holds timers again, in the order of arming`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 20_000)
    for round in UInt64(1)...3 {
      for payload in UInt64(0)..<20_000 { try wheel.arm(at: Tick(round), payload: payload) }
      #expect(drain(&wheel, upTo: round) == Array(0..<20_000))
    }
  }

  @Test func `a timer that is armed anew keeps its handle and comes at its new deadline only`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 3)
    let moved = try wheel.arm(at: Tick(5), payload: 1)
    try wheel.arm(at: Tick(900), payload: 2)
    let late = wheel.rearm(moved, at: Tick(900))
    #expect(late)
    let next = wheel.nextExpiry()
    #expect(next == Tick(900))
    #expect(drain(&wheel, upTo: 899) == [])
    let early = wheel.rearm(moved, at: Tick(900))
    #expect(early)
    #expect(drain(&wheel, upTo: 900) == [2, 1])
    let again = wheel.rearm(moved, at: Tick(901))
    #expect(!again)
  }

  @Test func `a timer armed anew in the past comes at the next tick`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 1)
    let timer = try wheel.arm(at: Tick(500), payload: 1)
    #expect(drain(&wheel, upTo: 100) == [])
    wheel.rearm(timer, at: Tick(7))
    let next = wheel.nextExpiry()
    #expect(next == Tick(101))
    #expect(drain(&wheel, upTo: 101) == [1])
  }

  @Test func `the next expiry is exact after the earliest timer of a far slot was armed anew, later`() throws {
    var wheel = TimerWheel<UInt64>(capacity: 10)
    let first = try wheel.arm(at: Tick(70), payload: 1)
    try wheel.arm(at: Tick(90), payload: 2)
    wheel.rearm(first, at: Tick(100))
    let next = wheel.nextExpiry()
    #expect(next == Tick(90))
  }

  @Test func `payloads are released when the wheel is`() throws {
    final class Payload {
      let released: Log<Int>
      init(_ released: Log<Int>) { self.released = released }
      deinit { released.append(1) }
    }
    let released = Log<Int>()
    do {
      var wheel = TimerWheel<Payload>(capacity: 300)
      for tick in UInt64(1)...300 { try wheel.arm(at: Tick(tick), payload: Payload(released)) }
      for _ in 0..<10 { _ = wheel.popExpired(upTo: Tick(10)) }
      #expect(released.all.count == 10)
    }
    #expect(released.all.count == 300)
  }

  @Test func `a wheel without capacity traps`() async {
    await #expect(processExitsWith: .failure) { _ = TimerWheel<Int>(capacity: 0) }
  }
}
