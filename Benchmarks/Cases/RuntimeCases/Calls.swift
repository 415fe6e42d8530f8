// Calls: one service calls another, again and again.

internal import CaseSupport
internal import Skein

/// How the callee is reached.
enum CallKind { case inPlace, queued, asynchronous }

func calls(_ count: Int, _ kind: CallKind, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(workers, inPlaceDepth: kind == .inPlace ? 16 : 0) { node in
    let adder = try await node.spawn { Adder($0) }
    let caller = try await node.spawn { Caller($0) }
    box.meter.start()
    let command = kind == .asynchronous ? Caller.callAsynchronous : Caller.callAll
    let sum = try await caller.call(command, adder, count, deadline: .never)
    box.meter.stop()
    return sum
  }
}

/// Adds up numbers.
actor Adder: SkeinService {
  nonisolated let context: SkeinContext
  private var sum: UInt64 = 0
  init(_ context: SkeinContext) { self.context = context }

  func plus(_ number: Int) -> UInt64 {
    sum &+= UInt64(number)
    return sum
  }

  static let add = Command("ADD") { (adder: isolated Adder, number: Int) in adder.plus(number) }
  static let commands: CommandTable<Adder> = [add]
  static let addAsynchronous = Command("ADDASYNC") { (adder: isolated Adder, number: Int) async in adder.plus(number) }
}

private actor Caller: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let callAll = Command("CALLALL") {
    (caller: isolated Caller, adder: ServiceRef<Adder>, count: Int) async throws in
    var sum: UInt64 = 0
    for number in 0..<count { sum = try await adder.call(Adder.add, number) }
    return sum
  }
  static let callAsynchronous = Command("CALLASYNC") {
    (caller: isolated Caller, adder: ServiceRef<Adder>, count: Int) async throws in
    var sum: UInt64 = 0
    for number in 0..<count { sum = try await adder.call(Adder.addAsynchronous, number) }
    return sum
  }
}
