// Lives: services come, rest and go.

public import CaseSupport
public import Skein

/// A service spawns others, calls each once, ends it and sees that it has ended.
///
/// - Parameter window: how many may be ending when it waits for their ends.
public func spawns(_ count: Int, window: Int = 1, _ options: NodeOptions, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(options) { node in
    let parent = try await node.spawn { Parent($0) }
    box.meter.start()
    let sum = try await parent.call(Parent.raise, count, window, deadline: .never)
    box.meter.stop()
    precondition(node.serviceCount == 1, "a child has not ended")
    return sum
  }
}

private actor Parent: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let raise = Command("RAISE") { (parent: isolated Parent, count: Int, window: Int) async throws in
    var sum: UInt64 = 0
    var ending: [ServiceRef<Adder>] = []
    for number in 0..<count {
      let child = try await parent.context.node.spawn { Adder($0) }
      sum &+= try await child.call(Adder.add, number)
      child.exit()
      ending.append(child)
      guard ending.count == window || number == count - 1 else { continue }
      for child in ending { _ = await child.waitUntilGone() }
      ending.removeAll(keepingCapacity: true)
    }
    return sum
  }
}

/// Services that have had a message each, and wait for the next.
func idleServices(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(plainNode(1)) { node in
    var all: [ServiceRef<Adder>] = []
    all.reserveCapacity(count)
    let before = heapBytes()
    var sum: UInt64 = 0
    for number in 0..<count {
      let service = try await node.spawn { Adder($0) }
      sum &+= try await service.call(Adder.add, number)
      all.append(service)
    }
    box.meter.bytesEach((heapBytes() - before) / count)
    return withExtendedLifetime(all) { sum }
  }
}
