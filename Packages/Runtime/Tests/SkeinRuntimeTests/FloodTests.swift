import Skein
import SkeinPlatform
import Testing

/// Sends numbers to a sink, waiting for room when it is full.
actor Source: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }
  static let flood = Command("FLOOD") {
    (source: isolated Source, sink: ServiceRef<Sink>, count: Int) async throws in
    for number in 0..<count { try await sink.sendWhenReady(Sink.take, number) }
  }
}

/// Checks that numbers come in order.
actor Sink: SkeinService {
  nonisolated let context: SkeinContext
  private var sum = 0
  private var left: Int
  private let done: Event
  init(_ context: SkeinContext, _ left: Int, _ done: Event) {
    self.context = context
    self.left = left
    self.done = done
  }
  static let take = Command("TAKE") { (sink: isolated Sink, number: Int) in
    sink.sum += number
    sink.left -= 1
    if sink.left == 0 { sink.done.signal() }
  }
  static let total = Command("TOTAL") { (sink: isolated Sink) in sink.sum }
}

@Suite("Floods with credit", .serialized) struct FloodTests {
  @Test(arguments: [1, 8], [1, 2])
  func `everything arrives, and the node ends cleanly right afterwards`(sources: Int, workers: Int) async throws {
    let count = 2_000
    let options = options { options in
      options.workers = workers
      options.limits.mailbox = 64
    }
    for _ in 0..<15 {
      try await withNode(options) { node in
        let done = Event()
        let sink = try await node.spawn { Sink($0, sources * count, done) }
        for _ in 0..<sources {
          let source = try await node.spawn { Source($0) }
          #expect(source.send(Source.flood, sink, count) == .delivered)
        }
        done.wait()
        #expect(try await sink.call(Sink.total) == sources * count * (count - 1) / 2)
      }
    }
  }
}
