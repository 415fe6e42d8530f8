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

/// Services that were never called, then are called once, then once more with a command that suspends.
///
/// The node is left as it is, since ending a million services takes longer than what is measured.
/// - Returns: bytes of memory for each of `count` services that exist: untouched, after a synchronous call, after an
///   asynchronous one that was suspended.
public func residentServices(_ count: Int, _ options: NodeOptions) throws -> [Int] {
  var options = options
  options.services = count + 1
  let node = try SkeinNode(options)
  let outcome = Outcome<[Int]>()
  Task {
    do {
      let keeper = try await node.spawn { Keeper($0) }
      outcome.set(.success(try await keeper.call(Keeper.measure, count, deadline: .never)))
    } catch { outcome.set(.failure(error)) }
  }
  return try outcome.wait()
}

/// Makes services and calls them.
private actor Keeper: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let measure = Command("MEASURE") { (keeper: isolated Keeper, count: Int) async throws in
    // Touched beforehand, so that the references' own memory does not count.
    var all = [ServiceRef<Resting>?](repeating: nil, count: count)
    let before = residentBytes()
    for index in all.indices { all[index] = try await keeper.context.node.spawn { Resting($0) } }
    var figures = [(residentBytes() - before) / count]
    for command in [Resting.touch, Resting.suspend] {
      var sum = 0
      for case let service? in all { sum += try await service.call(command) }
      precondition(sum == count, "a service has not answered")
      figures.append((residentBytes() - before) / count)
    }
    precondition(keeper.context.node.serviceCount == count + 1, "a service has ended")
    return figures
  }
}

/// A service with little of its own.
private actor Resting: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let touch = Command("TOUCH") { (service: isolated Resting) in 1 }
  static let suspend = Command("SUSPEND") { (service: isolated Resting) async in
    await Task.yield()
    return 1
  }
}
