import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("ClusterError") struct ClusterErrorTests {
  private func error(
    _ code: ClusterError.Code, mayHaveExecuted: Bool = false, text: String? = nil, systemError: SystemCallError? = nil
  ) -> ClusterError {
    ClusterError(
      code, peer: "db2", address: "10.0.0.2:2528", mayHaveExecuted: mayHaveExecuted, text: text,
      systemError: systemError, attempts: 3, nextAttempt: at(1), retryAfter: .milliseconds(170), limit: 10)
  }

  @Test func `each error says who, where, what, and whether the request may have been executed`() {
    let refused = SystemCallError(call: "connect", errorNumber: ECONNREFUSED)
    let who = "peer db2 (10.0.0.2:2528)"
    let expected: [(ClusterError, String)] = [
      (
        error(.answerLost, mayHaveExecuted: true, text: "the peer closed the connection"),
        "\(who): the connection ended before the answer came: the peer closed the connection"
          + "; the request may have been executed"
      ),
      (
        error(.connectFailed, systemError: refused),
        "\(who) is down: \(refused), failed attempts: 3, next attempt in 170 ms"
      ),
      (error(.deadlineExceeded), "\(who): no answer before the deadline; the request was not executed"),
      (
        error(.cancelled, mayHaveExecuted: true),
        "\(who): the call was cancelled; the request may have been executed"
      ),
      (error(.busy, text: "unfinished calls"), "\(who) is busy: unfinished calls"),
      (error(.tooLarge), "\(who): the request is above the limit of 10 bytes"),
      (error(.remoteError, text: "call failed"), "\(who) answered with an error: call failed"),
      (
        error(.invalidAnswer, mayHaveExecuted: true, text: "too short"),
        "\(who) sent an invalid answer: too short; the request may have been executed"
      ),
      (error(.unknownPeer), "\(who) has no known address"),
      (error(.peerDown), "\(who) is down: the directory says so"),
      (
        error(.disconnected, text: "maintenance"),
        "\(who) was disconnected: maintenance; the request was not executed"
      ),
      (error(.shuttingDown), "\(who): this node is shutting down; the request was not executed"),
    ]
    for (error, text) in expected { #expect(error.description == text) }
  }

  @Test func `errors are equal when all that they say is equal`() {
    #expect(error(.busy) == error(.busy) && error(.busy).hashValue == error(.busy).hashValue)
    #expect(error(.busy) != error(.busy, text: "x"))
    #expect(error(.busy) != error(.busy, mayHaveExecuted: true))
    #expect(error(.busy).saying(mayHaveExecuted: true) == error(.busy, mayHaveExecuted: true))
  }
}

@Suite("BackOff") struct BackOffTests {
  @Test func `a delay is between the half and the whole of its step, whatever the count`() {
    var backOff = BackOff(base: .milliseconds(100), cap: .seconds(30), seed: 1)
    for (failures, full) in [(1, 100), (2, 200), (5, 1_600), (9, 25_600), (10, 30_000), (1_000_000, 30_000)] {
      for _ in 0..<100 {
        let delay = backOff.delay(failures: failures)
        #expect(delay <= .milliseconds(full) && delay >= .milliseconds(full) / 2)
      }
    }
  }

  @Test func `equal seeds give equal delays, others others`() {
    func delays(_ seed: UInt64) -> [Duration] {
      var backOff = BackOff(base: .milliseconds(100), cap: .seconds(30), seed: seed)
      return (1...20).map { backOff.delay(failures: $0) }
    }
    #expect(delays(1) == delays(1) && delays(1) != delays(2))
  }

  @Test func `a cap below the base, or nothing at all, is no trap`() {
    var small = BackOff(base: .seconds(1), cap: .milliseconds(1), seed: 1)
    #expect(small.delay(failures: 3) <= .milliseconds(1))
    var none = BackOff(base: .zero, cap: .zero, seed: 1)
    #expect(none.delay(failures: 3) <= .nanoseconds(1))
    var huge = BackOff(base: .seconds(1), cap: .seconds(Int64.max), seed: 1)
    #expect(huge.delay(failures: 200) > .zero)
  }
}

@Suite("DeadlineQueue") struct DeadlineQueueTests {
  @Test func `due ids come in the order of their deadlines, without those that were taken back`() {
    var random = SplitMix64(state: 3)
    for _ in 0..<50 {
      var queue = DeadlineQueue()
      var live: [UInt64: MonotonicInstant] = [:]
      for id in 0..<UInt64.random(in: 0...300, using: &random) {
        let deadline = start.advanced(by: .nanoseconds(Int.random(in: 0...50, using: &random)))
        live[id] = deadline
        queue.add(deadline, id, liveCount: live.count) { [live] in live[$0] != nil }
        if Bool.random(using: &random) { live[UInt64.random(in: 0...id, using: &random)] = nil }
      }
      #expect(queue.entryCount <= 2 * 300 + 64)
      let expected = live.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
      let first = queue.first { [live] in live[$0] != nil }
      #expect(first == live.values.min())
      var found: [UInt64] = []
      for nanoseconds in 0...50 {
        let now = start.advanced(by: .nanoseconds(nanoseconds))
        while let id = queue.takeDue(now: now, isLive: { [live] in live[$0] != nil }) {
          #expect(live[id] == now)
          live[id] = nil
          found.append(id)
        }
      }
      #expect(found == expected && queue.entryCount == 0)
    }
  }
}
