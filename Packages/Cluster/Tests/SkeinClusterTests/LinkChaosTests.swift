// Any event at any time, also those that no driver would send: what must hold whatever happens.

import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("LinkMachine under chaos") struct LinkChaosTests {
  private static let seeds = isPureSoak ? 20_000 : 300

  /// What is known of the network, from the link's own actions and our events.
  private struct World {
    var link: LinkMachine
    var now = start
    var random: SplitMix64
    var deadlines: [UInt64: MonotonicInstant] = [:]
    var completions: [UInt64: Int] = [:]
    var nextCall: UInt64 = 1
    /// The attempt that may be written to: it was connected, and no end of it is known to the link.
    var writable: UInt64?
    /// The attempt of which something is left.
    var present: UInt64?
    var armed: MonotonicInstant?
    var problems: [String] = []

    mutating func perform() {
      while true {
        let actions = link.takeActions()
        if actions.isEmpty { return }
        for action in actions { perform(action) }
      }
    }

    private mutating func perform(_ action: LinkAction) {
      switch action {
      case .connect(_, let attempt):
        if let present { problems.append("connect \(attempt) although \(present) is there") }
        present = attempt
      case .write(let attempt):
        let output = link.takeOutput()
        if !output.isEmpty && writable != attempt { problems.append("written to \(attempt), which has ended") }
      case .close(let attempt), .abort(let attempt):
        if present != attempt { problems.append("\(attempt) is ended, which is not there") }
        if writable == attempt { writable = nil }
      case .complete(let id, _):
        completions[id, default: 0] += 1
        if let deadline = deadlines[id], now > deadline, now != start {
          problems.append("call \(id) ended after its deadline")
        }
      case .checkProgress(let attempt):
        link.closing(attempt, sentBytes: Int.random(in: 0...9, using: &random), now: now)
      case .arm(let time):
        armed = time
        if Int.random(in: 0..<100, using: &random) == 0 {
          armed = nil
          link.timerFailed("all are armed", now: now)
        }
      case .disarm: armed = nil
      case .checkConnection, .stateChanged, .log: break
      }
    }

    /// Moves the clock by at most so much, stopping at the timer.
    mutating func advance(_ nanoseconds: Int64) {
      let end = now.advanced(by: .nanoseconds(nanoseconds))
      while let time = armed, time <= end {
        armed = nil
        now = max(now, time)
        link.timerFired(now: now)
        perform()
      }
      now = end
    }

    mutating func step() {
      // Mostly the present attempt; sometimes an old one or one that never was.
      let attempt =
        Int.random(in: 0..<10, using: &random) == 0 ? UInt64.random(in: 0...9, using: &random) : link.attempt
      let error = SystemCallError(call: "x", errorNumber: ECONNRESET)
      switch Int.random(in: 0..<26, using: &random) {
      case 0...5:
        let id = nextCall
        nextCall += 1
        let size = [0, 3, 100, 32_768, 70_000][Int.random(in: 0..<5, using: &random)]
        let deadline = now.advanced(by: .milliseconds(Int.random(in: 0...8_000, using: &random)))
        deadlines[id] = deadline
        link.call(
          id, to: .number(1), body: [UInt8](repeating: 1, count: size), deadline: deadline,
          waitsForConnection: Bool.random(using: &random), now: now)
      case 6: _ = link.send(to: .number(1), body: [1], now: now)
      case 7: link.cancel(UInt64.random(in: 1...max(1, nextCall), using: &random), now: now)
      case 8: link.dial(now: now)
      case 9: link.setAddress("h:\(Int.random(in: 1...2, using: &random))", now: now)
      case 10: if Int.random(in: 0..<4, using: &random) == 0 { link.setDown(now: now) }
      case 11: link.disconnect(reason: "r", now: now)
      case 12: link.peerSaidHello(now: now)
      case 13, 14:
        if present == attempt && writable == nil && link.state == .connecting { writable = attempt }
        link.connected(attempt, now: now)
      case 15:
        if present == attempt && (link.state == .connecting || link.state == .closing) { present = nil }
        link.connectFailed(attempt, error, now: now)
      case 16, 17: link.checked(attempt, peerHasEnded: false, now: now)
      case 18:
        link.checked(attempt, peerHasEnded: true, now: now)
        if link.peerHasEnded { writable = nil }
      case 19:
        let count = Int.random(in: 0...40, using: &random)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...12, using: &random) }
        let now = now
        bytes.withRawSpan { link.received(attempt, $0, now: now) }
      case 20:
        var packet: [UInt8] = []
        let session = UInt32.random(in: 0...UInt32(nextCall), using: &random)
        AnswerPacket.appendSmall(session: session, body: [], into: &packet)
        let now = now
        packet.withRawSpan { link.received(attempt, $0, now: now) }
      case 21:
        if writable == attempt { writable = nil }
        link.inputEnded(attempt, now: now)
      case 22:
        if writable == attempt { writable = nil }
        link.failed(attempt, error, now: now)
      case 23, 24:
        if present == attempt {
          present = nil
          writable = nil
        }
        link.connectionClosed(attempt, now: now)
      default: link.queuedBytes(attempt, Int.random(in: 0...100_000, using: &random))
      }
      perform()
      advance(Int64.random(in: 0...50_000_000, using: &random))
    }
  }

  @Test func `calls end once and in time, nothing is written to an ended connection, and there is one at a time`() {
    for seed in 0..<Self.seeds {
      var configuration = LinkConfiguration()
      configuration.maxPendingCalls = 20
      configuration.maxQueuedBytes = 300_000
      configuration.window = 50_000
      var world = World(
        link: LinkMachine(
          peer: "p", directory: .address("h:1"), configuration: configuration,
          introduction: seed % 2 == 0 ? [1, 2] : nil, seed: UInt64(seed)),
        random: SplitMix64(state: UInt64(seed)))
      for _ in 0..<200 { world.step() }
      world.advance(10_000_000_000)
      world.link.shutDown(now: world.now)
      world.perform()
      let all = Array(1..<world.nextCall)
      if world.completions.count != all.count { world.problems.append("calls are unfinished") }
      if world.completions.values.contains(where: { $0 != 1 }) { world.problems.append("a call ended twice") }
      if !world.link.calls.isEmpty || !world.link.sessions.isEmpty { world.problems.append("something is left") }
      if world.link.queue.bytes != 0 || !world.link.queue.isEmpty { world.problems.append("the queue is not empty") }
      if !world.problems.isEmpty { Issue.record("seed \(seed): \(world.problems)") }
    }
  }
}
