import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIOTesting

@Suite("Flow, faults and time of a simulated network") struct FlowAndFaultTests {
  @Test func `a reader that pauses fills both buffers, and the sender is told of room later`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(server)
    let bytes = pattern(200_000)
    #expect(play.network.send(bytes, on: client) == .accepted(65_536))
    play.run()
    #expect(play.network.send(bytes[65_536...], on: client) == .accepted(65_536))
    play.run()
    #expect(play.network.send(bytes[131_072...], on: client) == .accepted(0))
    #expect(play.story(of: client) == ["connected", "writable"])
    play.network.resumeReading(server)
    play.run()
    #expect(play.story(of: client) == ["connected", "writable", "writable"])
    #expect(play.network.send(bytes[131_072...], on: client) == .accepted(65_536))
    play.run()
    #expect(play.bytes(at: server) == Array(bytes[..<196_608]))
  }

  @Test func `a cut connection fails with a time-out for the sender, and the other side learns of it when it sends`()
    throws
  {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.partition("10.0.0.1", "10.0.0.2")
    let began = play.network.now
    play.network.send([1], on: client)
    play.run()
    #expect(play.story(of: client) == ["connected", "failed ETIMEDOUT"])
    #expect(began.duration(to: play.network.now) >= play.network.conditions.transmissionTimeout)
    #expect(play.story(of: server) == ["accepted"])
    play.network.heal("10.0.0.1", "10.0.0.2")
    play.network.send([1], on: server)
    play.run()
    #expect(play.story(of: server) == ["accepted", "failed ECONNRESET"])
  }

  @Test func `a sender whose acknowledgements are cut off fails, though all has arrived`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.partition(from: "10.0.0.1", to: "10.0.0.2")
    play.network.send([1], on: client)
    play.run()
    #expect(play.story(of: client) == ["connected", "failed ETIMEDOUT"])
    #expect(play.story(of: server) == ["accepted", "received 1"])
  }

  @Test func `a short partition is only a delay`() throws {
    let play = Play(NetworkConditions())
    let (client, server) = try play.connect()
    play.network.partition("10.0.0.1", "10.0.0.2")
    play.network.send(pattern(60_000), on: client)
    play.run(for: .seconds(10))
    #expect(play.bytes(at: server).isEmpty)
    play.network.heal("10.0.0.1", "10.0.0.2")
    play.run()
    #expect(play.bytes(at: server) == pattern(60_000))
    #expect(play.story(of: client) == ["connected"])
  }

  @Test func `a partition that swallows the announcement of room does not stop the sender for ever`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(server)
    play.network.send(pattern(65_536), on: client)
    play.run()
    play.network.send(pattern(65_536), on: client)
    play.network.partition(from: "10.0.0.1", to: "10.0.0.2")
    play.network.resumeReading(server)
    play.run()
    #expect(play.bytes(at: server).count == 65_536)
    play.network.heal(from: "10.0.0.1", to: "10.0.0.2")
    play.run()
    #expect(play.bytes(at: server).count == 131_072)
  }

  @Test func `a crash is silent, and a host that is back answers with RST`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.crash("10.0.0.1")
    play.run()
    #expect(play.story(of: client) == ["connected"])
    #expect(play.network.send([1], on: client) == .accepted(1))
    play.run(for: .seconds(5))
    #expect(play.story(of: client) == ["connected"])
    play.network.restart("10.0.0.1")
    play.run()
    #expect(play.story(of: client) == ["connected", "failed ECONNRESET"])
    #expect(play.story(of: server) == ["accepted"])
    let late = play.network.connect(from: "10.0.0.2", to: "10.0.0.1:7001")
    play.run()
    #expect(play.story(of: late) == ["connectFailed ECONNREFUSED"])
  }

  @Test func `a host that stays away is a time-out, for those who send and those who wait for room`() throws {
    let play = Play()
    let (idle, _) = try play.connect()
    let (sending, _) = try play.connect()
    let (waiting, reader) = try play.connect()
    play.network.pauseReading(reader)
    play.network.send(pattern(65_536), on: waiting)
    play.run()
    play.network.send(pattern(10), on: waiting)
    play.network.crash("10.0.0.1")
    play.network.send(pattern(10), on: sending)
    play.run()
    #expect(play.story(of: idle) == ["connected"])
    #expect(play.story(of: sending) == ["connected", "failed ETIMEDOUT"])
    #expect(play.story(of: waiting) == ["connected", "failed ETIMEDOUT"])
  }

  @Test func `a host that is down can neither listen nor connect`() throws {
    let play = Play()
    play.network.crash("a")
    #expect(throws: SystemCallError(call: "bind", errorNumber: ENETDOWN)) { try play.network.listen(on: "a:1") }
    let client = play.network.connect(from: "a", to: "b:1")
    play.run()
    #expect(play.story(of: client) == ["connectFailed ENETDOWN"])
  }

  @Test func `timers come at their time and in the order of their setting, unless taken back`() {
    let network = SimulatedNetwork(seed: 1)
    let start = network.now
    let second = start.advanced(by: .seconds(1))
    network.wake(at: second, tag: 1)
    let taken = network.wake(at: second, tag: 2)
    network.wake(at: second, tag: 3)
    network.wake(at: start, tag: 4)
    #expect(network.cancel(taken))
    #expect(!network.cancel(taken))
    #expect(network.next() == .timer(tag: 4))
    #expect(network.now == start)
    #expect(network.next() == .timer(tag: 1))
    #expect(network.next() == .timer(tag: 3))
    #expect(network.now == second)
    #expect(network.next() == nil)
  }

  @Test func `a cancelled timer does not move the clock`() {
    let network = SimulatedNetwork(seed: 1)
    let start = network.now
    network.cancel(network.wake(at: start.advanced(by: .seconds(9)), tag: 1))
    #expect(network.next() == nil)
    #expect(network.now == start)
    #expect(network.next(until: start.advanced(by: .seconds(2))) == nil)
    #expect(network.now == start.advanced(by: .seconds(2)))
  }

  @Test func `a fault strikes at its time and is told`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    let start = play.network.now
    play.network.schedule(
      FaultPlan([
        .init(after: .seconds(1), fault: .halfClose("10.0.0.1")), .init(after: .seconds(2), fault: .reset("10.0.0.2")),
      ]))
    #expect(play.network.next() == .fault(.halfClose("10.0.0.1")))
    #expect(play.network.now == start.advanced(by: .seconds(1)))
    play.run()
    #expect(play.story(of: client) == ["connected", "receivedEnd", "failed EPIPE"])
    #expect(play.story(of: server) == ["accepted", "failed ECONNRESET"])
  }

  @Test func `a plan ends what it begins`() {
    for seed in 0..<200 as Range<UInt64> {
      let hosts = ["a", "b", "c"]
      let network = SimulatedNetwork(seed: seed)
      network.schedule(.random(seed: seed, duration: .seconds(10), hosts: hosts, count: 30))
      while network.next() != nil {}
      #expect(!hosts.contains { network.isDown($0) })
      #expect(network.cuts.isEmpty)
    }
  }
}
