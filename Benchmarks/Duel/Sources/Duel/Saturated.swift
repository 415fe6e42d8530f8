// Saturated: how late timers are when both workers have more to do than they can.

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
    var floods: [ServiceRef<Flooder>] = []
    for _ in 0..<4 {
      let drain = try await node.spawn { Drain($0) }
      let flooder = try await node.spawn { Flooder($0, drain) }
      precondition(flooder.send(Flooder.flood, isOver) == .delivered)
      floods.append(flooder)
    }
    let ticker = try await node.spawn { Ticker($0) }
    let (cpu, began) = (cpuSeconds(), MonotonicInstant.now)
    let found = try await ticker.call(Ticker.run, count, deadline: .never)
    let cores = (cpuSeconds() - cpu) / (Double(began.duration(to: .now).nanosecondsClamped) / 1e9)
    isOver.raise()
    var sum: UInt64 = 0
    for flooder in floods { sum += try await flooder.call(Flooder.lost) }
    guard sum == 0 else { throw WrongResult("the floods lost messages") }
    let (fired, resumed) = (Times(found.fired), Times(found.resumed))
    guard fired.least >= 0 && resumed.least >= 0 else { throw WrongResult("a timer was early") }
    return ["value": fired.percentile(0.99) / 1e6, "sleep": resumed.percentile(0.99) / 1e6, "cores": cores]
  }
}

/// Something that is over or not.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  // Relaxed, both: nothing else is read after it.
  var isRaised: Bool { value.load(ordering: .relaxed) }
  // Relaxed: as above.
  func raise() { value.store(true, ordering: .relaxed) }
}

/// Counts what it gets.
private actor Drain: SkeinService {
  nonisolated let context: SkeinContext
  private var count: UInt64 = 0
  init(_ context: SkeinContext) { self.context = context }

  func take() { count += 1 }
  static let drop = Command("DROP") { (drain: isolated Drain) in drain.take() }
  static let total = Command("TOTAL") { (drain: isolated Drain) in drain.count }
}

/// Sends to a drain for as long as it is let.
private actor Flooder: SkeinService {
  nonisolated let context: SkeinContext
  private let drain: ServiceRef<Drain>
  private var sent: UInt64 = 0
  init(_ context: SkeinContext, _ drain: ServiceRef<Drain>) {
    self.context = context
    self.drain = drain
  }

  func sendAll(until isOver: Flag) async throws {
    while !isOver.isRaised {
      try await drain.sendWhenReady(Drain.drop)
      sent += 1
    }
  }

  static let flood = Command("FLOOD") { (flooder: isolated Flooder, isOver: Flag) async throws in
    try await flooder.sendAll(until: isOver)
  }
  /// Messages that were sent and have not come; asked when no more are sent.
  static let lost = Command("LOST") { (flooder: isolated Flooder) async throws in
    let sent = flooder.sent
    return sent - min(sent, try await flooder.drain.call(Drain.total))
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
