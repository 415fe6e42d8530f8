// TimerCases: arm, cancel and fire, among few timers and among many.

public import CaseSupport
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

// Public are the bodies that Benchmarks/Duel measures beside C and Go.

/// The timer layer's cases.
public let timerCases: [LayerCase] = [
  LayerCase("Timer/arm-cancel/alone", count: 1_000_000) { try armAndCancel($0, among: 0, $1) },
  LayerCase("Timer/arm-cancel/among-100k", count: 200_000) { try armAndCancel($0, among: 100_000, $1) },
  LayerCase("Timer/arm-cancel/among-1M", count: 200_000) { try armAndCancel($0, among: 1_000_000, $1) },
  LayerCase("Timer/arm-cancel-same/among-1M", count: 200_000) { try armAndCancelSame($0, among: 1_000_000, $1) },
  LayerCase("Timer/fire/100k", count: 100_000, run: fire),
  LayerCase("Timer/queue-arm-cancel/among-100k", count: 200_000) { try queueArmAndCancel($0, among: 100_000, $1) },
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

/// A wheel with timers, and what is done to them, drawn beforehand so that only the wheel is measured.
private struct Prepared: ~Copyable {
  var wheel: TimerWheel<UInt64>
  var handles: [TimerHandle] = []
  var draws: [(place: UInt32, deadline: UInt32)] = []

  init(timers: Int, draws count: Int, horizon: Int) throws {
    var shuffler = Shuffler()
    wheel = TimerWheel(capacity: timers + 1)
    for _ in 0..<timers {
      handles.append(try wheel.arm(at: Tick(UInt64(1 + shuffler.next(below: horizon))), payload: 0))
    }
    draws = (0..<count).map { _ in
      (UInt32(shuffler.next(below: max(timers, 1))), UInt32(1 + shuffler.next(below: horizon)))
    }
  }
}

/// One operation: cancel a timer, at random if there are many, and arm another in its stead.
///
/// - Parameter horizon: deadlines lie up to so many ticks, of a millisecond, ahead.
public func armAndCancel(
  _ count: Int, among others: Int, horizon: Int = 60_000, _ meter: any Meter
) throws -> UInt64 {
  var prepared = try Prepared(timers: max(others, 1), draws: count, horizon: horizon)
  var cancelled: UInt64 = 0
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let (place, deadline) = prepared.draws[number]
    if prepared.wheel.cancel(prepared.handles[Int(place)]) != nil { cancelled += 1 }
    prepared.handles[Int(place)] = try prepared.wheel.arm(at: Tick(UInt64(deadline)), payload: 0)
    sum &+= UInt64(number)
  }
  meter.stop()
  precondition(cancelled == UInt64(count) && prepared.wheel.count == prepared.handles.count)
  return sum
}

/// One operation: arm a timer and cancel it at once, while others stay armed.
///
/// - Parameter horizon: deadlines lie up to so many ticks, of a millisecond, ahead.
public func armAndCancelSame(
  _ count: Int, among others: Int, horizon: Int = 60_000, _ meter: any Meter
) throws -> UInt64 {
  var prepared = try Prepared(timers: others, draws: count, horizon: horizon)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let handle = try prepared.wheel.arm(at: Tick(UInt64(prepared.draws[number].deadline)), payload: UInt64(number))
    sum &+= prepared.wheel.cancel(handle) ?? 0
  }
  meter.stop()
  precondition(prepared.wheel.count == others)
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

/// A queue with timers, and deadlines for more of them.
private struct PreparedQueue {
  let queue: TimerQueue
  let target = Adder()
  var handles: [TimerHandle] = []
  /// As many as a power of two.
  let deadlines: [MonotonicInstant]

  init(timers: Int, horizon: Int) throws {
    var shuffler = Shuffler()
    let start = MonotonicInstant.now
    queue = TimerQueue(capacity: timers + 1)
    deadlines = (0..<1 << 16).map { _ in start.advanced(by: .milliseconds(1_000 + shuffler.next(below: horizon))) }
    for number in 0..<timers { handles.append(try queue.arm(at: deadline(number), target: target)) }
  }

  func deadline(_ number: Int) -> MonotonicInstant { deadlines[number & (deadlines.count - 1)] }
}

/// As `armAndCancel`, through the queue that any thread may use; deadlines lie a second further ahead.
public func queueArmAndCancel(
  _ count: Int, among others: Int, horizon: Int = 60_000, _ meter: any Meter
) throws -> UInt64 {
  var prepared = try PreparedQueue(timers: others, horizon: horizon)
  var shuffler = Shuffler()
  let places = (0..<count).map { _ in shuffler.next(below: others) }
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    if prepared.queue.cancel(prepared.handles[places[number]]) { sum &+= UInt64(number) }
    prepared.handles[places[number]] = try prepared.queue.arm(at: prepared.deadline(number), target: prepared.target)
  }
  meter.stop()
  return sum
}

/// As `armAndCancelSame`, through the queue that any thread may use; deadlines lie a second further ahead.
public func queueArmAndCancelSame(
  _ count: Int, among others: Int, horizon: Int = 60_000, _ meter: any Meter
) throws -> UInt64 {
  let prepared = try PreparedQueue(timers: others, horizon: horizon)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    let handle = try prepared.queue.arm(at: prepared.deadline(number), target: prepared.target)
    if prepared.queue.cancel(handle) { sum &+= UInt64(number) }
  }
  meter.stop()
  return sum
}

/// Bytes of memory that an armed timer of a queue occupies, `count` of them.
public func queueBytes(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  var shuffler = Shuffler()
  let target = Adder()
  let start = MonotonicInstant.now
  let before = residentBytes()
  let queue = TimerQueue(capacity: count)
  var sum: UInt64 = 0
  for number in 0..<count {
    let deadline = start.advanced(by: .milliseconds(60_000 + shuffler.next(below: 600_000)))
    try queue.arm(at: deadline, target: target, token: UInt64(number))
    sum &+= UInt64(number)
  }
  meter.bytesEach((residentBytes() - before) / count)
  precondition(queue.shutDown() == count)
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
