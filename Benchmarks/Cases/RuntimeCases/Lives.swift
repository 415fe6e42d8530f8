// Lives: services come, rest and go.

internal import CaseSupport
internal import Skein

/// A service spawns another, calls it once, ends it and waits for its end.
func spawns(_ count: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(workers) { node in
    let parent = try await node.spawn { Parent($0) }
    box.meter.start()
    let sum = try await parent.call(Parent.raise, count, deadline: .never)
    box.meter.stop()
    return sum
  }
}

private actor Parent: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let raise = Command("RAISE") { (parent: isolated Parent, count: Int) async throws in
    var sum: UInt64 = 0
    for number in 0..<count {
      let child = try await parent.context.node.spawn { Adder($0) }
      sum &+= try await child.call(Adder.add, number)
      child.exit()
      _ = await child.waitUntilGone()
    }
    return sum
  }
}

/// Services that have had a message each, and wait for the next.
func idleServices(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(1) { node in
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
