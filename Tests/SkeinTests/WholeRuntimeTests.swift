import Skein
import Testing

/// Keeps a sum.
private actor Ledger: SkeinService {
  nonisolated let context: SkeinContext
  private var sum = 0
  init(_ context: SkeinContext) { self.context = context }

  static let add = Command("ADD") { (ledger: isolated Ledger, amount: Int) in
    ledger.sum += amount
    return ledger.sum
  }
  static let commands: CommandTable<Ledger> = [add]
}

/// Asks a ledger.
private actor Teller: SkeinService {
  nonisolated let context: SkeinContext
  private let ledger: ServiceRef<Ledger>
  init(_ context: SkeinContext, ledger: ServiceRef<Ledger>) {
    self.context = context
    self.ledger = ledger
  }

  static let deposit = Command("DEPOSIT") { (teller: isolated Teller, amount: Int) async throws in
    try await teller.ledger.call(Ledger.add, amount)
  }
  static let commands: CommandTable<Teller> = [deposit]
}

@Suite("The whole runtime, through the root package") struct WholeRuntimeTests {
  @Test func `services call each other, and nothing is left of them after a shutdown`() async throws {
    var options = NodeOptions()
    options.workers = 2
    options.log = .silent
    let node = try SkeinNode(options)
    let ledger = try await node.spawn(named: "ledger") { Ledger($0) }
    let teller = try await node.spawn(named: "teller") { Teller($0, ledger: ledger) }
    #expect(try await teller.call(Teller.deposit, 40) == 40)
    #expect(try await ledger.call(Ledger.add, 2) == 42)
    await node.shutDown()
    #expect(node.serviceCount == 0)
    #expect(node.zombieCount == 0)
  }
}
