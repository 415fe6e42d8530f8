// Saturated: how late timers are when both workers have more to do than they can.

internal import CaseSupport
internal import RuntimeCases
internal import Skein
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// `count` timers, one after the other, while floods keep both workers busy.
///
/// - Returns: how late timers fire and sleepers go on, the 99th percentiles in milliseconds; how many cores were busy.
@Sendable func saturated(_ count: Int) throws -> Figures {
  try withNode(node()) { node in
    let isOver = Flag()
    let (right, ended) = (Tally(), Event())
    for _ in 0..<floods {
      let drain = try await node.spawn { Drain($0, right, ended) }
      let flooder = try await node.spawn { Flooder($0, drain) }
      precondition(flooder.send(Flooder.flood, isOver) == .delivered)
    }
    let ticker = try await node.spawn { Ticker($0) }
    let (cpu, began) = (cpuSeconds(), MonotonicInstant.now)
    let found = try await ticker.call(Ticker.run, count, deadline: .never)
    let cores = (cpuSeconds() - cpu) / (Double(began.duration(to: .now).nanosecondsClamped) / 1e9)
    isOver.raise()
    ended.wait(floods)
    guard right.value == floods else { throw WrongResult("the floods lost messages") }
    let (fired, resumed) = (Times(found.fired), Times(found.resumed))
    guard fired.least >= 0 && resumed.least >= 0 else { throw WrongResult("a timer was early") }
    return ["value": fired.percentile(0.99) / 1e6, "sleep": resumed.percentile(0.99) / 1e6, "cores": cores]
  }
}

private let floods = 4

/// Something that is over or not.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  // Relaxed, both: nothing else is read after it.
  var isRaised: Bool { value.load(ordering: .relaxed) }
  // Relaxed: as above.
  func raise() { value.store(true, ordering: .relaxed) }
}

/// Counts what it gets, and says in the end whether that was all.
private actor Drain: SkeinService {
  nonisolated let context: SkeinContext
  private var count: UInt64 = 0
  private let right: Tally
  private let ended: Event
  init(_ context: SkeinContext, _ right: Tally, _ ended: Event) {
    self.context = context
    self.right = right
    self.ended = ended
  }

  func take() { count += 1 }
  func compare(_ sent: UInt64) {
    if sent == count { right.add(1) }
    ended.signal()
  }

  static let drop = Command("DROP") { (drain: isolated Drain) in drain.take() }
  static let end = Command("END") { (drain: isolated Drain, sent: UInt64) in drain.compare(sent) }
}

/// Sends to a drain for as long as it is let.
private actor Flooder: SkeinService {
  nonisolated let context: SkeinContext
  private let drain: ServiceRef<Drain>
  init(_ context: SkeinContext, _ drain: ServiceRef<Drain>) {
    self.context = context
    self.drain = drain
  }

  static let flood = Command("FLOOD") { (flooder: isolated Flooder, isOver: Flag) async throws in
    var sent: UInt64 = 0
    while !isOver.isRaised {
      try await flooder.drain.sendWhenReady(Drain.drop)
      sent += 1
    }
    try await flooder.drain.sendWhenReady(Drain.end, sent)
  }
}

/// Measures how late timers are.
private actor Ticker: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  struct Lateness: Sendable {
    var fired: [Int64] = []
    var resumed: [Int64] = []
  }

  static let run = Command("RUN") { (ticker: isolated Ticker, count: Int) async throws in
    var found = Lateness()
    let late = Late()
    for _ in 0..<count {
      let deadline = MonotonicInstant.now.advanced(by: .milliseconds(5))
      try ticker.context.clock.queue.arm(at: deadline) { late.note(deadline) }
      try await ticker.context.clock.sleep(until: deadline)
      found.resumed.append(deadline.duration(to: .now).nanosecondsClamped)
    }
    found.fired = late.all
    guard found.fired.count == count else { throw WrongResult("a timer has not fired") }
    return found
  }
}
