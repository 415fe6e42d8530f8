// Calls: one service calls another, again and again.

public import CaseSupport
public import Skein

/// How the callee is reached.
public enum CallKind: Sendable {
  /// A synchronous command of an idle service, in place where the node's options let it.
  case inPlace
  /// A synchronous command through the mailbox.
  case queued
  /// An asynchronous command.
  case asynchronous
}

/// `pairs` services call one service each, and make `count` calls in all between them.
///
/// - Precondition: `count` is a multiple of `pairs`.
/// - Returns: the sum over all pairs, each of which has that of the numbers 0 ..< count / pairs.
public func calls(
  _ count: Int, pairs: Int = 1, _ kind: CallKind, _ options: NodeOptions, _ meter: any Meter
) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  var options = options
  if kind == .queued { options.limits.inPlaceDepth = 0 }
  return try withNode(options) { node in
    var all: [(caller: ServiceRef<Caller>, adder: ServiceRef<Adder>)] = []
    for _ in 0..<pairs { all.append((try await node.spawn { Caller($0) }, try await node.spawn { Adder($0) })) }
    let command = kind == .asynchronous ? Caller.callAsynchronous : Caller.callAll
    let sum = Tally()
    box.meter.start()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (caller, adder) in all {
        group.addTask { sum.add(try await caller.call(command, adder, count / pairs, deadline: .never)) }
      }
      try await group.waitForAll()
    }
    box.meter.stop()
    return sum.value
  }
}

/// A service calls an asynchronous command of a second, which calls a third and is suspended meanwhile: calls to the
/// third are queued by its limits, however idle it is, so the second's handler cannot run on to its end at once.
public func callChain(_ count: Int, _ options: NodeOptions, _ meter: any Meter) throws -> UInt64 {
  let box = MeterBox(meter: meter)
  return try withNode(options) { node in
    var queued = options.limits
    queued.inPlaceDepth = 0
    let adder = try await node.spawn(limits: queued) { Adder($0) }
    let middle = try await node.spawn { Middle($0, adder) }
    let caller = try await node.spawn { Caller($0) }
    box.meter.start()
    let sum = try await caller.call(Caller.callChain, middle, count, deadline: .never)
    box.meter.stop()
    return sum
  }
}

/// Adds up numbers.
public actor Adder: SkeinService {
  /// Its connection to its node.
  public nonisolated let context: SkeinContext
  private var sum: UInt64 = 0
  /// Makes one that has added nothing.
  public init(_ context: SkeinContext) { self.context = context }

  func plus(_ number: Int) -> UInt64 {
    sum &+= UInt64(number)
    return sum
  }

  /// Adds a number and answers with the sum so far.
  public static let add = Command("ADD") { (adder: isolated Adder, number: Int) in adder.plus(number) }
  /// The commands that peers may call.
  public static let commands: CommandTable<Adder> = [add]
  static let addAsynchronous = Command("ADDASYNC") { (adder: isolated Adder, number: Int) async in adder.plus(number) }
}

/// Answers by asking another.
private actor Middle: SkeinService {
  nonisolated let context: SkeinContext
  private let adder: ServiceRef<Adder>
  init(_ context: SkeinContext, _ adder: ServiceRef<Adder>) {
    self.context = context
    self.adder = adder
  }

  static let pass = Command("PASS") { (middle: isolated Middle, number: Int) async throws in
    try await middle.adder.call(Adder.add, number)
  }
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
  static let callChain = Command("CALLCHAIN") {
    (caller: isolated Caller, middle: ServiceRef<Middle>, count: Int) async throws in
    var sum: UInt64 = 0
    for number in 0..<count { sum = try await middle.call(Middle.pass, number) }
    return sum
  }
}
