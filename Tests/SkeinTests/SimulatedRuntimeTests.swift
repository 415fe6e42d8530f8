// The whole runtime on one thread, in many orders: SKEIN_SEED=n replays one, SKEIN_SOAK=1 tries many more.
//
// Each check runs in a process of its own, since what reaches Swift's global pool fails it, and since hashing is fixed
// there, so that one seed is one order.

import Foundation
import Skein
import SkeinPlatform
import SkeinScheduler
import SkeinSchedulerTesting
import SkeinTimer
import Testing

@Suite("The whole runtime, simulated") struct SimulatedRuntimeTests {
  /// The environment of the processes that the tests begin.
  init() { unsafe setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1) }

  @Test func `money is moved and never made, whatever the order`() async throws {
    let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      GlobalPoolCheck.tell {
        try SimulatedScheduler.check(seeds: someSeeds(40)) { try Bank.moveMoney(on: $0, slips: false) }
      }
    }
    #expect(text(result.standardErrorContent) == GlobalPoolCheck.allIsWell)
  }

  @Test func `a lost update is found, and its seed replays it`() async throws {
    let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      GlobalPoolCheck.tell {
        try SimulatedScheduler.check(seeds: 0..<40) { try Bank.moveMoney(on: $0, slips: true) }
      }
    }
    let told = text(result.standardErrorContent)
    let seed = try #require(told.firstMatch(of: /SKEIN_SEED=(\d+) replays it/).flatMap { UInt64($0.output.1) })
    let again = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      [seed = seed as UInt64] in
      GlobalPoolCheck.tell {
        try SimulatedScheduler.check(seeds: seed..<seed + 1) { try Bank.moveMoney(on: $0, slips: true) }
      }
    }
    #expect(text(again.standardErrorContent) == told, "the same steps lead to the same sum")
  }

  @Test func `each call ends once when its service is killed, exits or is late`() async throws {
    let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      GlobalPoolCheck.tell {
        try SimulatedScheduler.check(
          seeds: someSeeds(60),
          making: { SimulatedScheduler(seed: $0, longestStall: .milliseconds(Int64($0 % 3) * 10)) }
        ) { try endCalls(on: $0) }
      }
    }
    #expect(text(result.standardErrorContent) == GlobalPoolCheck.allIsWell)
  }

  @Test func `a day of calls each minute takes no time, and a deadline is met on the minute`() async throws {
    let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      GlobalPoolCheck.tell {
        let simulation = SimulatedScheduler(seed: 1)
        try simulation.run {
          let node = try SkeinNode(options(simulation))
          let ledger = try await node.spawn { Account($0, balance: 0) }
          let clock = SkeinClock(node.pool.timers)
          let began = MonotonicInstant.now
          for minute in 0..<1_440 {
            guard try await ledger.call(Account.add, 1) == minute + 1 else { throw Wrong(text: "a call was lost") }
            try await clock.sleep(for: .seconds(60))
          }
          let day = began.duration(to: .now)
          guard day >= .seconds(86_400) && day < .seconds(86_404) else { throw Wrong(text: "a day took \(day)") }
          let asked = MonotonicInstant.now
          do {
            try await ledger.call(Account.think, .seconds(120), deadline: .after(.seconds(60)))
            throw Wrong(text: "a late call was answered")
          } catch let error as CallError where error.code == .deadlineExceeded {}
          let waited = asked.duration(to: .now)
          guard waited >= .seconds(60) && waited < .milliseconds(60_010) else { throw Wrong(text: "waited \(waited)") }
          await node.shutDown()
        }
      }
    }
    #expect(text(result.standardErrorContent) == GlobalPoolCheck.allIsWell)
  }

  @Test func `two processes run one seed in the same order`() async throws {
    var told: [String] = []
    for _ in 0..<2 {
      let result = try await #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
        GlobalPoolCheck.run {
          let moved = try SimulatedScheduler.check(seeds: 0..<10) { try Bank.moveMoney(on: $0, slips: false) }
          let ended = try SimulatedScheduler.check(seeds: 0..<10) { try endCalls(on: $0) }
          print("orders: \(moved + ended)")
        }
      }
      let line = try #require(text(result.standardOutputContent).firstMatch(of: /orders: \[(.*)\]/))
      told.append(String(line.output.1))
    }
    #expect(told[0] == told[1])
    #expect(Set(told[0].split(separator: ",")).count == 20)
  }
}

// MARK: - What the checks share

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func someSeeds(_ count: UInt64) -> Range<UInt64> {
  0..<(ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1" ? 100 * count : count)
}

private func options(_ simulation: SimulatedScheduler) -> NodeOptions {
  var options = NodeOptions()
  options.log = .silent
  options.simulation = simulation
  return options
}

private struct Wrong: Error {
  let text: String
}

// MARK: - Money

/// Keeps an amount; some of its handlers suspend.
private actor Account: SkeinService {
  nonisolated let context: SkeinContext
  private var balance: Int
  init(_ context: SkeinContext, balance: Int) {
    self.context = context
    self.balance = balance
  }

  static let add = Command("ADD") { (account: isolated Account, amount: Int) in
    account.balance += amount
    return account.balance
  }
  static let think = Command("THINK") { (account: isolated Account, time: Duration) async throws in
    try await account.context.sleep(for: time)
  }
  /// What is wrong here: the balance may have changed while the handler slept.
  static let slip = Command("SLIP") { (account: isolated Account, amount: Int) async throws in
    let before = account.balance
    try await account.context.sleep(for: .milliseconds(1))
    account.balance = before + amount
    return account.balance
  }
  static let commands: CommandTable<Account> = [add, think, slip]
}

/// Moves amounts between accounts.
private actor Bank: SkeinService {
  nonisolated let context: SkeinContext
  private let accounts: [ServiceRef<Account>]
  private let command: Command<Account, Int, Int>
  init(_ context: SkeinContext, _ accounts: [ServiceRef<Account>], _ command: Command<Account, Int, Int>) {
    self.context = context
    self.accounts = accounts
    self.command = command
  }

  static let move = Command("MOVE") { (bank: isolated Bank, from: Int, to: Int, amount: Int) async throws in
    _ = try await bank.accounts[from].call(bank.command, -amount)
    try await bank.context.sleep(for: .milliseconds(amount % 3))
    _ = try await bank.accounts[to].call(bank.command, amount)
  }
  static let commands: CommandTable<Bank> = [move]

  /// Moves amounts between four accounts from two banks at once; throws when the sum is not what it was.
  static func moveMoney(on simulation: SimulatedScheduler, slips: Bool) throws {
    let sum = try simulation.run {
      let node = try SkeinNode(options(simulation))
      var accounts: [ServiceRef<Account>] = []
      for _ in 0..<4 { accounts.append(try await node.spawn { Account($0, balance: 100) }) }
      let all = accounts
      var banks: [ServiceRef<Bank>] = []
      for _ in 0..<2 { banks.append(try await node.spawn { Bank($0, all, slips ? Account.slip : Account.add) }) }
      for round in 0..<20 { _ = banks[round % 2].send(Bank.move, round % 4, (round * 7 + 1) % 4, round) }
      // The banks end when their handlers have: what was taken from one account is then given to another.
      try await SkeinClock(node.pool.timers).sleep(for: .seconds(10))
      var sum = 0
      for account in accounts { sum += try await account.call(Account.add, 0) }
      await node.shutDown()
      guard node.serviceCount == 0 && node.zombieCount == 0 else { throw Wrong(text: "services are left") }
      return sum
    }
    guard sum == 400 else { throw Wrong(text: "\(sum) is left of 400") }
  }
}

// MARK: - Ends

/// Notes how each of its calls ended.
private actor Caller: SkeinService {
  nonisolated let context: SkeinContext
  private let target: ServiceRef<Account>
  private var ends: [Int: Int] = [:]
  init(_ context: SkeinContext, _ target: ServiceRef<Account>) {
    self.context = context
    self.target = target
  }

  static let call = Command("CALL") { (caller: isolated Caller, number: Int) async in
    do {
      switch number % 3 {
      case 0: _ = try await caller.target.call(Account.add, 1)
      case 1: try await caller.target.call(Account.think, .milliseconds(number))
      default: try await caller.target.call(Account.think, .seconds(60), deadline: .after(.milliseconds(5)))
      }
    } catch {}
    caller.ends[number, default: 0] += 1
  }
  static let ended = Command("ENDED") { (caller: isolated Caller) in caller.ends }
  static let commands: CommandTable<Caller> = [call, ended]
}

/// Calls a service from two others while it is killed or exits; throws when a call ends twice or never.
private func endCalls(on simulation: SimulatedScheduler) throws {
  let ends = try simulation.run {
    let node = try SkeinNode(options(simulation))
    let target = try await node.spawn(named: "target") { Account($0, balance: 0) }
    let callers = [
      try await node.spawn(named: "one") { Caller($0, target) },
      try await node.spawn(named: "two") { Caller($0, target) },
    ]
    for number in 0..<12 { for caller in callers { _ = caller.send(Caller.call, number) } }
    let clock = SkeinClock(node.pool.timers)
    try await clock.sleep(for: .milliseconds(Int64(simulation.seed % 7)))
    if simulation.seed % 2 == 0 { target.kill() } else { target.exit() }
    _ = await target.waitUntilGone()
    try await clock.sleep(for: .seconds(120))
    var ends: [[Int: Int]] = []
    for caller in callers { ends.append(try await caller.call(Caller.ended)) }
    await node.shutDown()
    guard node.serviceCount == 0 && node.zombieCount == 0 else { throw Wrong(text: "services are left") }
    return ends
  }
  let once = Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, 1) })
  guard ends == [once, once] else { throw Wrong(text: "calls ended \(ends) times") }
}
