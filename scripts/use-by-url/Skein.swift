import Skein

actor Counter: SkeinService {
  nonisolated let context: SkeinContext
  private var count = 0
  init(_ context: SkeinContext) { self.context = context }
  static let next = Command("NEXT") { (counter: isolated Counter) in
    counter.count += 1
    return counter.count
  }
}
let node = try SkeinNode()
let counter = try await node.spawn { Counter($0) }
let first = try await counter.call(Counter.next)
precondition(first == 1)
await node.shutDown()
