import Skein
import SkeinPlatform
import Testing

@Suite("Call context") struct CallContextTests {
  @Test(arguments: [16, 0]) func `a handler's call has its deadline wherever its task goes, in place and queued`(
    inPlaceDepth: Int
  ) async throws {
    var options = NodeOptions()
    options.workers = 2
    options.sockets = nil
    options.log = .silent
    options.limits.inPlaceDepth = inPlaceDepth
    let node = try SkeinNode(options)
    let wanderer = try await node.spawn { Wanderer($0) }
    let deadline = MonotonicInstant.now.advanced(by: .seconds(3_600))
    // Twice: the second time by a task that has served before.
    for _ in 0..<2 {
      let seen = try await wanderer.call(Wanderer.wander, deadline: .at(deadline))
      #expect(seen.count == 9)
      for (place, found) in seen { #expect(found == deadline, "\(place)") }
    }
    // Afterwards nothing of it is left for a message without a call.
    let none = Event()
    #expect(wanderer.send(Wanderer.look, none) == .delivered)
    none.wait()
    await node.shutDown()
  }
}

/// An actor that has nothing to do with Skein.
private actor Stranger {
  func deadline(_ context: SkeinContext) -> MonotonicInstant? { context.currentCall?.deadline }
}

private actor Wanderer: SkeinService {
  nonisolated let context: SkeinContext
  private let stranger = Stranger()
  private var visits = 0
  init(_ context: SkeinContext) { self.context = context }

  private var deadline: MonotonicInstant? {
    visits += 1
    return context.currentCall?.deadline
  }

  private func visited() -> MonotonicInstant? { deadline }

  static let tell = Command("TELL") { (wanderer: isolated Wanderer) in wanderer.deadline }
  static let tellLater = Command("TELLLATER") { (wanderer: isolated Wanderer) async throws in
    try await wanderer.context.sleep(for: .milliseconds(1))
    return wanderer.deadline
  }
  /// Opens the gate if no call is around.
  static let look = Command("LOOK") { (wanderer: isolated Wanderer, none: Event) in
    if wanderer.context.currentCall == nil { none.signal() }
  }
  static let wander = Command("WANDER") {
    (wanderer: isolated Wanderer) async throws -> [(String, MonotonicInstant?)] in
    var seen = [("at first", wanderer.deadline)]
    try await wanderer.context.sleep(for: .milliseconds(1))
    seen.append(("after a sleep", wanderer.deadline))
    seen.append(("in another actor", await wanderer.stranger.deadline(wanderer.context)))
    seen.append(("back from there", wanderer.deadline))
    async let child = wanderer.visited()
    seen.append(("in a child", await child))
    seen.append(("on no actor", await onNoActor(wanderer.context)))
    seen.append(("after that", wanderer.deadline))
    let other = try await wanderer.context.node.spawn { Wanderer($0) }
    seen.append(("in a call that it makes", try await other.call(Wanderer.tell, deadline: .never)))
    seen.append(("in an async one", try await other.call(Wanderer.tellLater, deadline: .never)))
    other.exit()
    return seen
  }
}

@concurrent private func onNoActor(_ context: SkeinContext) async -> MonotonicInstant? {
  context.currentCall?.deadline
}
