// LatencyTests: what a client sees beside a service that keeps its worker busy.

import Testing

extension Integration {
  @Suite("Latency") struct LatencyTests {
    /// What docs/adr/0001 promises for the 99th percentile when one of two workers is stuck.
    static func promise(_ io: IOBackend) -> Duration {
      switch io {
      case .epoll: .milliseconds(2)
      case .uring: .milliseconds(6)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `round trips beside a service that blocks 5 ms at a time keep the promised p99`(io: IOBackend) throws {
      try withNode(io, ["--workers", "2", "--blocker", "1"]) { node in
        let client = try node.client()
        try #expect(client.ask("SET", "key", "value") == .ok)
        let count = isSoak ? 10_000 : 2_000
        let machine = try MachineShare([node.figures])
        let durations = try roundTrips(count, client).sorted()
        // What the slowest hundredth took beyond the promise must be the machine's.
        let p99 = durations[count * 99 / 100]
        let share = try machine.taken() / (count / 100)
        #expect(
          p99 <= Self.promise(io) + share, "p99 \(p99), greatest \(durations[count - 1]), machine's share \(share)")

        // The service did block meanwhile: it goes on without anybody's request, which only an interval can show.
        let before = try node.figures.processorNanoseconds()
        Interval.pass(milliseconds: 300)
        let busy = try node.figures.processorNanoseconds() - before
        #expect(busy > 60_000_000, "\(busy) ns in 300 ms")
      }
    }

    /// How long each of `count` requests, one after the other, took.
    private func roundTrips(_ count: Int, _ client: RawClient) throws -> [Duration] {
      var durations: [Duration] = []
      for round in 0..<count {
        let began = ContinuousClock.now
        if round.isMultiple(of: 2) {
          try #require(client.ask("GET", "key") == .text("value"))
        } else {
          try #require(client.ask("PING") == .pong)
        }
        durations.append(ContinuousClock.now - began)
      }
      return durations
    }
  }
}
