// LinkHarness: a link and what it asked for, with a driver that keeps the contract.

import SkeinPlatform
import Testing

@testable import SkeinCluster

/// A link whose actions are recorded; the test plays the network.
struct LinkHarness {
  var link: LinkMachine
  var now = start
  /// Everything the link asked for, in order.
  var log: [LinkAction] = []
  var output: [UInt8] = []
  /// Whether checks find the connection alive at once.
  var answersChecks = true
  /// Whether the kernel takes what is written at once.
  var kernelTakesAll = true
  /// What the kernel has taken of a connection that the link ends.
  var sentWhileClosing = 0
  var results: [UInt64: Result<[UInt8], ClusterError>] = [:]
  var completions: [UInt64: Int] = [:]
  var armed: MonotonicInstant?

  init(
    _ directory: LinkMachine.Directory = .address("h:1"), introduction: [UInt8]? = nil,
    _ change: (inout LinkConfiguration) -> Void = { _ in }
  ) {
    var configuration = LinkConfiguration()
    change(&configuration)
    link = LinkMachine(
      peer: "db2", directory: directory, configuration: configuration, introduction: introduction, seed: 1)
  }

  /// A link that is up, on attempt 1.
  static func up(_ change: (inout LinkConfiguration) -> Void = { _ in }) -> LinkHarness {
    var harness = LinkHarness(.address("h:1"), change)
    harness.step { $0.dial(now: $1) }
    harness.step { $0.connected(1, now: $1) }
    harness.log = []
    return harness
  }

  /// Tells the link something and carries out what it asks for.
  mutating func step(_ event: (inout LinkMachine, MonotonicInstant) -> Void) {
    event(&link, now)
    settle()
  }

  private mutating func settle() {
    while true {
      let actions = link.takeActions()
      if actions.isEmpty { return }
      log += actions
      for action in actions {
        switch action {
        case .complete(let id, let result):
          results[id] = result
          completions[id, default: 0] += 1
        case .checkConnection(let attempt) where answersChecks:
          link.checked(attempt, peerHasEnded: false, now: now)
        case .write(let attempt):
          output += link.takeOutput()
          if kernelTakesAll { link.queuedBytes(attempt, 0) }
        case .checkProgress(let attempt): link.closing(attempt, sentBytes: sentWhileClosing, now: now)
        case .arm(let time): armed = time
        case .disarm: armed = nil
        default: break
        }
      }
    }
  }

  /// Moves the clock; fires the timer as often as it is asked for.
  mutating func advance(_ seconds: Double) {
    let end = now.advanced(by: .nanoseconds(Int64(seconds * 1e9)))
    while let time = armed, time <= end {
      armed = nil
      now = max(now, time)
      step { $0.timerFired(now: $1) }
    }
    now = end
  }

  mutating func call(
    _ id: UInt64, _ body: [UInt8] = [1, 2, 3], seconds: Double? = 5, waits: Bool = false, trace: [UInt8]? = nil
  ) {
    let deadline = seconds.map { now.advanced(by: .nanoseconds(Int64($0 * 1e9))) }
    step {
      $0.call(
        id, to: .number(1_024), body: body, deadline: deadline, waitsForConnection: waits, trace: trace, now: $1)
    }
  }

  mutating func send(_ body: [UInt8] = [9]) -> ClusterSendReceipt {
    var receipt = ClusterSendReceipt.queued
    step { receipt = $0.send(to: .number(1_024), body: body, now: $1) }
    return receipt
  }

  mutating func receive(_ attempt: UInt64 = 1, _ bytes: [UInt8]) {
    step { link, now in bytes.withRawSpan { link.received(attempt, $0, now: now) } }
  }

  /// Answers a session with a small body.
  mutating func answer(_ session: UInt32, _ body: [UInt8], attempt: UInt64 = 1) {
    var packet: [UInt8] = []
    AnswerPacket.appendSmall(session: session, body: body, into: &packet)
    receive(attempt, packet)
  }

  /// The code of a call's error; nil when it has none.
  func code(_ id: UInt64) -> ClusterError.Code? { error(id)?.code }

  func error(_ id: UInt64) -> ClusterError? {
    if case .failure(let error) = results[id] { error } else { nil }
  }

  func body(_ id: UInt64) -> [UInt8]? { try? results[id]?.get() }

  /// Requests that were written.
  func written() throws -> [ArrivedRequest] { try requests(in: packets(of: output)).requests }

  var connects: [UInt64] {
    log.compactMap { if case .connect(_, let attempt) = $0 { attempt } else { nil } }
  }
}
