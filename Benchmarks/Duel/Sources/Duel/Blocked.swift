// Blocked: what calls wait for when a service blocks its worker.

internal import CaseSupport
internal import RuntimeCases
internal import Skein
internal import SkeinPlatform

/// `count` calls, with a pause before each, while a service blocks one of two workers for 5 ms again and again: from
/// a service, and from a task that is outside of the node.
///
/// - Returns: the 99th percentile in milliseconds.
@Sendable func blocked(_ count: Int) throws -> Figures {
  try withNode(node()) { node in
    let blocker = try await node.spawn { Blocker($0) }
    let adder = try await node.spawn { Adder($0) }
    let prober = try await node.spawn { Prober($0) }
    precondition(blocker.send(Blocker.block) == .delivered)
    let inside = Times(try await prober.call(Prober.probe, adder, count, deadline: .never))
    var outside = Times()
    for number in 0..<count {
      blockThread(microseconds: 1_000)
      let began = MonotonicInstant.now
      _ = try await adder.call(Adder.add, number)
      outside.append(began.duration(to: .now))
    }
    guard try await adder.call(Adder.add, 0) == 2 * sumOfNumbers(count) else { throw WrongResult("calls are missing") }
    guard try await blocker.call(Blocker.finish) > 0 else { throw WrongResult("nothing blocked") }
    return ["value": inside.percentile(0.99) / 1e6, "outside": outside.percentile(0.99) / 1e6]
  }
}

/// Blocks its worker's thread, again and again.
private actor Blocker: SkeinService {
  nonisolated let context: SkeinContext
  private var times = 0
  private var isFinished = false
  init(_ context: SkeinContext) { self.context = context }

  func blockOnce() {
    times += 1
    blockThread(microseconds: 5_000)
    if !isFinished { precondition(reference.send(Blocker.block) == .delivered) }
  }

  func finish() -> Int {
    isFinished = true
    return times
  }

  static let block = Command("BLOCK") { (blocker: isolated Blocker) in blocker.blockOnce() }
  static let finish = Command("FINISH") { (blocker: isolated Blocker) in blocker.finish() }
}

/// Calls another service from time to time.
private actor Prober: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let probe = Command("PROBE") {
    (prober: isolated Prober, adder: ServiceRef<Adder>, count: Int) async throws in
    var times: [Int64] = []
    for number in 0..<count {
      try await prober.context.sleep(for: .milliseconds(1))
      let began = MonotonicInstant.now
      _ = try await adder.call(Adder.add, number)
      times.append(began.duration(to: .now).nanosecondsClamped)
    }
    return times
  }
}
