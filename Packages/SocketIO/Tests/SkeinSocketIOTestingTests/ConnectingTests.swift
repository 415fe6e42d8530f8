import Glibc
import SkeinPlatform
import SkeinSocketIOTesting
import Testing

@Suite("Connecting over a simulated network") struct ConnectingTests {
  @Test func `a client is connected and the listener accepts it`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    #expect(play.story(of: client) == ["connected"])
    #expect(play.story(of: server) == ["accepted"])
    let listener = try #require(play.listener)
    let address = try #require(play.network.localAddress(of: client))
    #expect(play.all.contains(.accepted(server, listener: listener, peer: address)))
    #expect(address.hasPrefix("10.0.0.2:"))
    #expect(play.network.localAddress(of: server) == "10.0.0.1:7001")
    #expect(play.network.openConnections(of: "10.0.0.1") == [server])
  }

  @Test func `where nobody listens a client is refused and nothing is left`() {
    let play = Play()
    let client = play.network.connect(from: "a", to: "b:1")
    play.run()
    #expect(play.story(of: client) == ["connectFailed ECONNREFUSED"])
    #expect(play.network.openConnections(of: "a").isEmpty)
  }

  @Test func `a client that is cut off gets a time-out, at its time`() throws {
    let play = Play()
    _ = try play.network.listen(on: "b:1")
    play.network.partition("a", "b")
    let began = play.network.now
    let client = play.network.connect(from: "a", to: "b:1")
    play.run()
    #expect(play.story(of: client) == ["connectFailed ETIMEDOUT"])
    #expect(began.duration(to: play.network.now) >= play.network.conditions.connectTimeout)
  }

  @Test(arguments: [true, false])
  func `a client is connected when the partition heals in time`(cutsAnswers: Bool) throws {
    let play = Play()
    _ = try play.network.listen(on: "b:1")
    if cutsAnswers { play.network.partition(from: "b", to: "a") } else { play.network.partition(from: "a", to: "b") }
    let client = play.network.connect(from: "a", to: "b:1")
    play.run(for: .seconds(3))
    #expect(play.story(of: client).isEmpty)
    play.network.heal("a", "b")
    play.run()
    #expect(play.story(of: client) == ["connected"])
    #expect(play.story(of: client.peer) == ["accepted"])
  }

  @Test func `a connection that is closed before it is there is never told to anyone`() throws {
    let play = Play()
    _ = try play.network.listen(on: "b:1")
    let client = play.network.connect(from: "a", to: "b:1")
    play.network.close(client)
    play.run()
    #expect(play.story(of: client) == ["closed"])
    #expect(play.accepted.isEmpty)
    #expect(play.network.localAddress(of: client) == nil)
  }

  @Test func `an address has one listener at a time`() throws {
    let network = SimulatedNetwork(seed: 1)
    let first = try network.listen(on: "b:1")
    #expect(throws: SystemCallError(call: "bind", errorNumber: EADDRINUSE)) { try network.listen(on: "b:1") }
    network.stopListening(first)
    _ = try network.listen(on: "b:1")
  }

  @Test func `a listener that stops resets those who wait to be accepted`() throws {
    let play = Play()
    let listener = try play.network.listen(on: "b:1")
    play.network.stallAccepts(of: "b", for: .seconds(60))
    let client = play.network.connect(from: "a", to: "b:1")
    play.run(for: .seconds(1))
    #expect(play.story(of: client) == ["connected"])
    play.network.stopListening(listener)
    play.run()
    #expect(play.story(of: client) == ["connected", "failed ECONNRESET"])
    #expect(play.accepted.isEmpty)
  }

  @Test func `a listener that does not accept lets clients send, and gets it all later`() throws {
    let play = Play()
    _ = try play.network.listen(on: "b:1")
    play.network.stallAccepts(of: "b", for: .seconds(5))
    let client = play.network.connect(from: "a", to: "b:1")
    play.run(for: .seconds(1))
    play.network.send(pattern(100), on: client)
    play.network.close(client)
    play.run(for: .seconds(1))
    #expect(play.accepted.isEmpty)
    play.run()
    #expect(play.story(of: client.peer) == ["accepted", "received 100", "receivedEnd"])
  }

  @Test func `clients beyond the backlog wait for room`() throws {
    let play = Play()
    _ = try play.network.listen(on: "b:1", backlog: 1)
    play.network.stallAccepts(of: "b", for: .seconds(2))
    let first = play.network.connect(from: "a", to: "b:1")
    play.run(for: .milliseconds(100))
    let second = play.network.connect(from: "a", to: "b:1")
    play.run(for: .milliseconds(1_500))
    #expect(play.story(of: first) == ["connected"])
    #expect(play.story(of: second).isEmpty)
    play.run()
    #expect(play.story(of: second) == ["connected"])
    #expect(play.accepted == [first.peer, second.peer])
  }

  @Test(arguments: [
    ("10.0.0.1:7001", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("[::1]:80", "[::1]:81"), ("::1", "::1"), ("a:1", "a:2"),
  ])
  func `a host is meant by its name and by each of its addresses`(one: String, other: String) {
    let network = SimulatedNetwork(seed: 1)
    network.crash(one)
    #expect(network.isDown(other))
  }
}
