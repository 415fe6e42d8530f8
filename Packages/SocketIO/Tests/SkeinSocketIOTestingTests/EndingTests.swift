import Glibc
import SkeinPlatform
import SkeinSocketIOTesting
import Testing

@Suite("How simulated connections end") struct EndingTests {
  @Test func `what was sent before close arrives, and then the end`() throws {
    let play = Play(NetworkConditions())
    let (client, server) = try play.connect()
    #expect(play.network.send(pattern(50_000), on: client) == .accepted(50_000))
    play.network.close(client)
    play.run()
    #expect(play.story(of: client) == ["connected", "closed"])
    #expect(play.story(of: server) == ["accepted", "received 50000", "receivedEnd"])
    #expect(play.bytes(at: server) == pattern(50_000))
    play.network.close(server)
    play.run()
    #expect(play.story(of: server).last == "closed")
    #expect(play.network.localAddress(of: client) == nil)
    #expect(play.network.localAddress(of: server) == nil)
  }

  @Test func `after the peer's shutdown there is an answer, and both ends are orderly`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.send(pattern(10), on: client)
    play.network.shutdownWrite(client)
    play.run()
    #expect(play.network.send(pattern(1), on: client) == .failed(errno: EPIPE))
    #expect(play.network.send(pattern(1_000), on: server) == .accepted(1_000))
    play.network.close(server)
    play.run()
    play.network.close(client)
    play.run()
    #expect(play.story(of: server) == ["accepted", "received 10", "receivedEnd", "closed"])
    #expect(play.story(of: client) == ["connected", "received 1000", "receivedEnd", "closed"])
  }

  @Test func `the first send to a closed peer is taken, is answered with RST, and the next fails`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.close(server)
    play.run()
    #expect(play.story(of: client) == ["connected", "receivedEnd"])
    #expect(play.network.send(pattern(10), on: client) == .accepted(10))
    play.run()
    // The peer's FIN came first, as Linux has it.
    #expect(play.story(of: client) == ["connected", "receivedEnd", "failed EPIPE"])
    #expect(play.network.send(pattern(10), on: client) == .failed(errno: EPIPE))
  }

  @Test func `bytes that cross a close reset it, and the tail is lost`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(client)
    play.network.send(pattern(65_536), on: server)
    play.run()
    #expect(play.network.send(pattern(65_536), on: server) == .accepted(65_536))
    play.network.close(server)
    play.network.send(pattern(100), on: client)
    play.run()
    // The unread bytes of a reader that is paused are lost with it.
    #expect(play.story(of: client) == ["connected", "failed ECONNRESET"])
    #expect(play.story(of: server) == ["accepted", "closed"])
  }

  @Test func `closing with unread input resets`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(server)
    play.network.send(pattern(100), on: client)
    play.run()
    play.network.close(server)
    play.run()
    #expect(play.story(of: client) == ["connected", "failed ECONNRESET"])
    #expect(play.story(of: server) == ["accepted", "closed"])
  }

  @Test func `an abort resets after what has already gone`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.send(pattern(50), on: client)
    play.network.abort(client)
    play.run()
    #expect(play.story(of: client) == ["connected", "closed"])
    #expect(play.story(of: server) == ["accepted", "received 50", "failed ECONNRESET"])
    #expect(play.network.send([1], on: server) == .failed(errno: EPIPE))
  }

  @Test func `a side that is paused is told of a reset, but not of an end`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(server)
    play.network.close(client)
    play.run()
    #expect(play.story(of: server) == ["accepted"])
    play.network.send([1], on: server)
    play.run()
    #expect(play.story(of: server) == ["accepted", "failed EPIPE"])
  }

  @Test func `an end that waits is told when reading goes on`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.pauseReading(server)
    play.network.send(pattern(100), on: client)
    play.network.close(client)
    play.run()
    #expect(play.story(of: server) == ["accepted"])
    play.network.resumeReading(server)
    play.run()
    #expect(play.story(of: server) == ["accepted", "received 100", "receivedEnd"])
  }

  @Test func `an end can be asked for before it is told`() throws {
    var conditions = NetworkConditions.calm
    conditions.wakeDelay = .seconds(1) ... .seconds(1)
    let play = Play(conditions)
    let (client, server) = try play.connect()
    let (other, aborting) = try play.connect()
    play.network.close(server)
    play.network.abort(aborting)
    #expect(!play.network.hasEnded(client))
    #expect(!play.network.hasEnded(other))
    play.run(for: .milliseconds(1))
    #expect(play.story(of: client) == ["connected"])
    #expect(play.story(of: other) == ["connected"])
    #expect(play.network.hasEnded(client))
    #expect(play.network.hasEnded(other))
    #expect(play.network.hasEnded(server))
    play.run()
    #expect(play.story(of: client) == ["connected", "receivedEnd"])
    #expect(play.story(of: other) == ["connected", "failed ECONNRESET"])
  }

  @Test func `both sides may close in one moment`() throws {
    let play = Play()
    let (client, server) = try play.connect()
    play.network.close(client)
    play.network.close(server)
    play.run()
    #expect(play.story(of: client) == ["connected", "closed"])
    #expect(play.story(of: server) == ["accepted", "closed"])
  }

  @Test func `closing is told once and later calls are ignored`() throws {
    let play = Play()
    let (client, _) = try play.connect()
    play.network.close(client)
    play.network.close(client)
    play.network.abort(client)
    play.network.shutdownWrite(client)
    #expect(play.network.send([1], on: client) == .failed(errno: EBADF))
    play.run()
    #expect(play.story(of: client) == ["connected", "closed"])
  }

  @Test func `a killed process leaves FIN, and RST where it had not read`() throws {
    let play = Play()
    let (one, _) = try play.connect()
    let (two, busy) = try play.connect()
    play.network.pauseReading(busy)
    play.network.send([1, 2, 3], on: two)
    play.run()
    play.network.kill("10.0.0.1")
    play.run()
    #expect(play.story(of: one) == ["connected", "receivedEnd"])
    #expect(play.story(of: two) == ["connected", "failed ECONNRESET"])
    let late = play.network.connect(from: "10.0.0.2", to: "10.0.0.1:7001")
    play.run()
    #expect(play.story(of: late) == ["connectFailed ECONNREFUSED"])
    #expect(play.network.openConnections(of: "10.0.0.1").isEmpty)
  }
}
