import Skein
import Testing

@Suite("Release") struct ReleaseTests {
  @Test func `what an async handler was given is released when it ends, and its service and node when they do`()
    async throws
  {
    let (given, service, node) = (Event(), Event(), Event())
    try await use(given, service, node)
    // None of the three waits for another call: the task that ran the handler is parked by now, or gone.
    node.wait()
  }

  private func use(_ given: Event, _ service: Event, _ node: Event) async throws {
    var options = NodeOptions()
    options.workers = 1
    options.sockets = nil
    let token = Token(node)
    options.log = SkeinLog { _, _, _ in withExtendedLifetime(token) {} }
    let owner = try SkeinNode(options)
    let holder = try await owner.spawn { Holder($0, Token(service)) }
    // The second handler suspends first.
    #expect(try await holder.call(Holder.hold, Token(given), .zero) == 1)
    #expect(try await holder.call(Holder.hold, Token(given), .milliseconds(1)) == 2)
    given.wait(2)
    holder.kill()
    _ = await holder.waitUntilGone()
    service.wait()
    await owner.shutDown()
  }
}

/// Tells when it is released.
private final class Token: Sendable {
  private let released: Event
  init(_ released: Event) { self.released = released }
  deinit { released.signal() }
}

private actor Holder: SkeinService {
  nonisolated let context: SkeinContext
  private let token: Token
  private var count = 0
  init(_ context: SkeinContext, _ token: Token) {
    self.context = context
    self.token = token
  }

  private func hold(_ token: Token, _ time: Duration) async throws -> Int {
    try await context.sleep(for: time)
    count += 1
    return withExtendedLifetime(token) { count }
  }

  static let hold = Command("HOLD") { (holder: isolated Holder, token: Token, time: Duration) async throws in
    try await holder.hold(token, time)
  }
}
