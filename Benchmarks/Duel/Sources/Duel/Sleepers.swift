// Sleepers: what many sleeping tasks cost, and how late they go on.

internal import CaseSupport
internal import RuntimeCases
internal import Skein
internal import SkeinPlatform
internal import SkeinTimer

/// `count` tasks sleep until random moments within a second, half a second from now.
///
/// - Returns: seconds of CPU time from before the first sleep to after the last, and how late the tasks went on:
///   the 99th percentile in milliseconds.
@Sendable func sleepers(_ count: Int) throws -> Figures {
  let perService = 1_000
  precondition(count % perService == 0, "a multiple of \(perService)")
  return try withNode(node()) { node in
    let done = Event()
    var all: [ServiceRef<Bed>] = []
    for _ in 0..<count / perService { all.append(try await node.spawn { Bed($0, expecting: perService, done) }) }
    var random = Xorshift()
    let cpu = cpuSeconds()
    for number in 0..<count {
      let deadline = MonotonicInstant.now.advanced(by: .nanoseconds(500_000_000 + random.next(below: 1_000_000_000)))
      precondition(all[number / perService].send(Bed.sleep, deadline) == .delivered)
    }
    done.wait(all.count)
    let used = cpuSeconds() - cpu
    var late: [Int64] = []
    for bed in all { late += try await bed.call(Bed.lateness) }
    return try lateness(late, count, cpu: used)
  }
}

/// As `sleepers`, with `Task.sleep` on Swift's own executor.
@Sendable func taskSleepers(_ count: Int) throws -> Figures {
  let (late, done) = (Late(), Event())
  var random = Xorshift()
  let cpu = cpuSeconds()
  for _ in 0..<count {
    let wait = 500_000_000 + random.next(below: 1_000_000_000)
    Task {
      let deadline = MonotonicInstant.now.advanced(by: .nanoseconds(wait))
      try await Task.sleep(nanoseconds: UInt64(wait))
      late.note(deadline)
      done.signal()
    }
  }
  done.wait(count)
  return try lateness(late.all, count, cpu: cpuSeconds() - cpu)
}

private func lateness(_ late: [Int64], _ count: Int, cpu: Double) throws -> Figures {
  guard late.count == count else { throw WrongResult("\(count - late.count) sleepers are missing") }
  let times = Times(late)
  guard times.least >= 0 else { throw WrongResult("a sleeper was \(-times.least) ns early") }
  return ["value": cpu, "late-p99": times.percentile(0.99) / 1e6]
}

/// Numbers that look random and are the same each time, as in the references.
private struct Xorshift {
  private var state: UInt64 = 88_172_645_463_325_252
  mutating func next(below bound: UInt64) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % bound)
  }
}

/// Sleeps in as many handlers as it is asked to.
private actor Bed: SkeinService {
  nonisolated let context: SkeinContext
  private var late: [Int64] = []
  private let expected: Int
  private let done: Event
  init(_ context: SkeinContext, expecting expected: Int, _ done: Event) {
    self.context = context
    self.expected = expected
    self.done = done
  }

  func note(_ deadline: MonotonicInstant) {
    late.append(deadline.duration(to: .now).nanosecondsClamped)
    if late.count == expected { done.signal() }
  }

  static let sleep = Command("SLEEP") { (bed: isolated Bed, deadline: MonotonicInstant) async throws in
    try await bed.context.clock.sleep(until: deadline)
    bed.note(deadline)
  }
  static let lateness = Command("LATENESS") { (bed: isolated Bed) in bed.late }
}
