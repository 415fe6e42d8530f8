// TimerCases: arm, cancel and fire, among few timers and among many.

public import CaseSupport
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// The timer layer's cases.
public let timerCases: [LayerCase] = [
  LayerCase("Timer/arm-cancel/alone", count: 1_000_000) { try armAndCancel($0, among: 0, $1) },
  LayerCase("Timer/arm-cancel/among-100k", count: 200_000) { try armAndCancel($0, among: 100_000, $1) },
  LayerCase("Timer/arm-cancel/among-1M", count: 200_000) { try armAndCancel($0, among: 1_000_000, $1) },
  LayerCase("Timer/fire/100k", count: 100_000, run: fire),
  LayerCase("Timer/queue-arm-cancel/among-100k", count: 200_000, run: queueArmAndCancel),
  LayerCase("Timer/queue-fire/100k", count: 100_000, run: queueFire),
]

/// Numbers that look random and are the same each time (splitmix64).
private struct Shuffler {
  var state: UInt64 = 1
  mutating func next(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int(truncatingIfNeeded: (z ^ (z >> 31)) >> 1) % bound
  }
}

/// Deadlines lie up to a minute ahead, in ticks of a millisecond.
private let horizon = 60_000

/// One operation: cancel a timer, at random if there are many, and arm another in its stead.
private func armAndCancel(_ count: Int, among others: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  var wheel = TimerWheel<UInt64>(capacity: others + 1)
  var handles: [TimerHandle] = []
  for _ in 0..<max(others, 1) {
    handles.append(try wheel.arm(at: Tick(UInt64(1 + shuffler.next(below: horizon))), payload: 0))
  }
  // Drawn beforehand, so that only the wheel is measured.
  let draws = (0..<count).map { _ in
    (place: UInt32(shuffler.next(below: handles.count)), deadline: UInt32(1 + shuffler.next(below: horizon)))
  }
  var cancelled: UInt64 = 0
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let place = Int(draws[number].place)
    if wheel.cancel(handles[place]) != nil { cancelled += 1 }
    handles[place] = try wheel.arm(at: Tick(UInt64(draws[number].deadline)), payload: 0)
    sum &+= UInt64(number)
  }
  meter.stop()
  precondition(cancelled == UInt64(count) && wheel.count == handles.count)
  return sum
}

/// One operation: a timer is armed at random within a second and handed out at its tick.
private func fire(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  var wheel = TimerWheel<UInt64>(capacity: count)
  let deadlines = (0..<count).map { _ in UInt64(1 + shuffler.next(below: 1_000)) }
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count { try wheel.arm(at: Tick(deadlines[number]), payload: UInt64(number)) }
  for tick in 1...1_000 { while let number = wheel.popExpired(upTo: Tick(UInt64(tick))) { sum &+= number } }
  meter.stop()
  return sum
}

/// Adds up the tokens of the timers that fired.
private final class Adder: TimerTarget {
  let sum = Tally()
  func timerFired(token: UInt64) { sum.add(token) }
}

/// As `armAndCancel`, through the queue that any thread may use.
private func queueArmAndCancel(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let others = 100_000
  let queue = TimerQueue(capacity: others + 1)
  let target = Adder()
  let start = MonotonicInstant.now
  var handles: [TimerHandle] = []
  for _ in 0..<others {
    let deadline = start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon)))
    handles.append(try queue.arm(at: deadline, target: target))
  }
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let place = shuffler.next(below: others)
    if queue.cancel(handles[place]) { sum &+= UInt64(number) }
    let deadline = start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon)))
    handles[place] = try queue.arm(at: deadline, target: target)
  }
  meter.stop()
  return sum
}

private func queueFire(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let queue = TimerQueue(capacity: count)
  let target = Adder()
  let start = MonotonicInstant.now
  let delays = (0..<count).map { _ in Duration.milliseconds(1 + shuffler.next(below: 1_000)) }
  meter.start()
  for number in 0..<count {
    try queue.arm(at: start.advanced(by: delays[number]), target: target, token: UInt64(number))
  }
  for tick in 1...1_002 { queue.advance(to: start.advanced(by: .milliseconds(tick))) }
  meter.stop()
  return target.sum.value
}
