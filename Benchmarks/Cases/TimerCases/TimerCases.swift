// TimerCases: arm, cancel and fire, among few timers and among many.

public import CaseSupport
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// The timer layer's cases.
///
/// `same` is one timer beside so many, `among` is one of so many at random. The C wheel of the references has the same
/// distances and the same two forms; its second one puts the same timer in again, which is `rearm` here.
public let timerCases: [LayerCase] = [
  LayerCase("Timer/arm-cancel/alone", count: 1_000_000) { try armAndCancelOne($0, beside: 0, $1) },
  LayerCase("Timer/arm-cancel/same-1M", count: 1_000_000) { try armAndCancelOne($0, beside: 1_000_000, $1) },
  LayerCase("Timer/arm-cancel/among-100k", count: 200_000) { try armAndCancel($0, among: 100_000, $1) },
  LayerCase("Timer/arm-cancel/among-1M", count: 1_000_000) { try armAndCancel($0, among: 1_000_000, $1) },
  LayerCase("Timer/rearm/among-1M", count: 1_000_000) { try rearm($0, among: 1_000_000, $1) },
  LayerCase("Timer/fire/100k", count: 100_000, run: fire),
  LayerCase("Timer/queue-arm-cancel/alone", count: 1_000_000, run: queueArmAndCancelOne),
  LayerCase("Timer/queue-arm-cancel/among-100k", count: 200_000) { try queueArmAndCancel($0, among: 100_000, $1) },
  LayerCase("Timer/queue-arm-cancel/among-1M", count: 200_000) { try queueArmAndCancel($0, among: 1_000_000, $1) },
  LayerCase("Timer/queue-fire/100k", count: 100_000, run: queueFire),
  LayerCase("Timer/queue-bytes/1M", count: 1_000_000, run: queueBytes),
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

/// Deadlines lie up to ten minutes ahead, in ticks of a millisecond.
private let horizon = 600_000

extension Shuffler {
  /// A tick within the horizon.
  fileprivate mutating func tick() -> Tick { Tick(UInt64(1 + next(below: horizon))) }

  /// What a measured loop uses up, drawn beforehand, so that only the timers are measured.
  fileprivate mutating func draws(_ count: Int, places: Int) -> [(place: UInt32, deadline: UInt32)] {
    (0..<count).map { _ in (UInt32(next(below: places)), UInt32(1 + next(below: horizon))) }
  }
}

/// One operation: a timer is armed and cancelled, beside others that stay.
private func armAndCancelOne(_ count: Int, beside others: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  var wheel = TimerWheel<UInt64>(capacity: others + 1)
  for _ in 0..<others { try wheel.arm(at: shuffler.tick(), payload: 0) }
  let draws = shuffler.draws(count, places: 1)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let timer = try wheel.arm(at: Tick(UInt64(draws[number].deadline)), payload: UInt64(number))
    sum &+= wheel.cancel(timer) ?? 0
  }
  meter.stop()
  return sum
}

/// One operation: cancel a timer at random and arm another in its stead.
private func armAndCancel(_ count: Int, among others: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  var wheel = TimerWheel<UInt64>(capacity: others)
  var handles: [TimerHandle] = []
  for _ in 0..<others { handles.append(try wheel.arm(at: shuffler.tick(), payload: 0)) }
  let draws = shuffler.draws(count, places: others)
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

/// One operation: a timer at random is given another deadline.
private func rearm(_ count: Int, among others: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  var wheel = TimerWheel<UInt64>(capacity: others)
  var handles: [TimerHandle] = []
  for _ in 0..<others { handles.append(try wheel.arm(at: shuffler.tick(), payload: 0)) }
  let draws = shuffler.draws(count, places: others)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let isArmed = wheel.rearm(handles[Int(draws[number].place)], at: Tick(UInt64(draws[number].deadline)))
    if isArmed { sum &+= UInt64(number) }
  }
  meter.stop()
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

/// As `armAndCancelOne`, alone, through the queue that any thread may use.
private func queueArmAndCancelOne(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let queue = TimerQueue(capacity: 1)
  let target = Adder()
  let start = MonotonicInstant.now
  let deadlines = (0..<count).map { _ in start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon))) }
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    if queue.cancel(try queue.arm(at: deadlines[number], target: target)) { sum &+= UInt64(number) }
  }
  meter.stop()
  return sum
}

/// As `armAndCancel`, through the queue.
private func queueArmAndCancel(_ count: Int, among others: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let queue = TimerQueue(capacity: others)
  let target = Adder()
  let start = MonotonicInstant.now
  var handles: [TimerHandle] = []
  for _ in 0..<others {
    let deadline = start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon)))
    handles.append(try queue.arm(at: deadline, target: target))
  }
  let draws = shuffler.draws(count, places: others)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let place = Int(draws[number].place)
    if queue.cancel(handles[place]) { sum &+= UInt64(number) }
    let deadline = MonotonicInstant(nanoseconds: start.nanoseconds + Int64(draws[number].deadline) * 1_000_000)
    handles[place] = try queue.arm(at: deadline, target: target)
  }
  meter.stop()
  return sum
}

/// One operation: a timer is armed; all of them live at the end, and are counted by their memory.
private func queueBytes(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let queue = TimerQueue(capacity: count)
  let target = Adder()
  let start = MonotonicInstant.now
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    try queue.arm(at: start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon))), target: target)
    sum &+= UInt64(number)
  }
  meter.stop()
  meter.bytesEach(queue.storageBytes / count)
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
