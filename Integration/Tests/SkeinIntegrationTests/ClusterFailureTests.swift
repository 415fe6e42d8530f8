// ClusterFailureTests: a node that is killed, one that stops, one that was set up otherwise.

import Glibc
import Testing

extension Integration {
  @Suite("Cluster: failures") struct ClusterFailureTests {
    @Test(arguments: backendPairs)
    func `a killed node's keys fail at once and come back with it, under 1,000 requests a second`(
      backends: [IOBackend]
    ) throws {
      try withCluster(backends, ["--call-deadline", "1"]) { cluster in
        try cluster.start(0)
        try cluster.start(1)
        try cluster.awaitPeers()
        let ours = cluster.ring.keys(of: "db1", 20)
        let theirs = cluster.ring.keys(of: "db2", 20)
        let machine = try MachineShare([cluster[0].figures, cluster[1].figures])
        let load = SteadyLoad()
        let loaded = try cluster[0].client()
        let work = Background("the load") { try load.run(loaded, keys: zip(ours, theirs).flatMap { [$0, $1] }) }
        try load.awaitAnswers(300)

        let client = try cluster[0].client()
        cluster.kill(1)
        var (text, took) = try Self.failure(client, theirs[0])
        #expect(text.contains("peer db2 is down"), "\(text)")
        #expect(took < .seconds(1), "\(took)")
        try #expect(client.ask("SET", ours[0], "served") == .ok)
        try #expect(client.ask("DBSIZE").errorText?.contains("db2") == true)
        try #expect(client.ask("FLUSHALL").errorText?.contains("db2") == true)
        try #expect(client.ask("MGET", ours[0], theirs[0]).errorText?.contains("peer db2 is down") == true)
        try load.awaitAnswers(300)
        (text, took) = try Self.failure(client, theirs[1])
        #expect(took < .seconds(1), "\(took)")
        let failed = try #require(text.firstMatch(of: /failed attempts: (\d+)/), "\(text)")
        let step = Duration.milliseconds(100 << min(Int(failed.1) ?? 0, 8))

        try cluster.start(1)
        let back = ContinuousClock.now
        try Poll.until("db2's keys are served again") { try client.ask("SET", theirs[2], "back") == .ok }
        let away = ContinuousClock.now - back
        let share = try machine.taken()
        #expect(
          away < step + .milliseconds(100) + share,
          "\(away) after its ready line, with \(failed.1) failed attempts, machine's share \(share)")
        try load.awaitAnswers(300)
        let milliseconds = load.end()
        let outcomes = try work.value()
        let all = try machine.taken()
        #expect(
          Double(outcomes.count) >= 0.95 * (milliseconds - all / .milliseconds(1)),
          "\(outcomes.count) requests in \(milliseconds) ms, machine's share \(all)")

        let slowest = outcomes.map(\.took).max() ?? .zero
        #expect(slowest < .milliseconds(1_100) + all, "the deadline and 100 ms: \(slowest), machine's share \(all)")
        let failures = outcomes.filter { $0.reply != .ok }
        #expect(failures.count > 50, "the load has met the failure")
        for outcome in failures {
          #expect(theirs.contains(outcome.key), "db1's keys go on being served: \(outcome.reply)")
          #expect(outcome.reply.errorText?.contains("peer db2 is down") == true, "\(outcome.reply)")
        }
        #expect(outcomes.suffix(100).allSatisfy { $0.reply == .ok }, "all is well again")
      }
    }

    /// Asks for a key that cannot be had; the error, and how long it took.
    private static func failure(_ client: RawClient, _ key: String) throws -> (String, Duration) {
      let began = ContinuousClock.now
      let reply = try client.ask("GET", key)
      guard let text = reply.errorText else { throw Failure("GET \(key) gave \(reply) and no error") }
      return (text, ContinuousClock.now - began)
    }

    @Test(arguments: backendPairs)
    func `requests that are on their way when a node is killed fail within a second`(backends: [IOBackend]) throws {
      try withCluster(backends) { cluster in
        let clients = try cluster.start(0)
        let other = try cluster.start(1)
        try cluster.awaitPeers()
        let key = cluster.key(of: 1)
        // Stopped, it takes requests and answers none; killed, it fails what it took.
        other.process.signal(SIGSTOP)
        try Poll.until("all threads of db2 have stopped") { try other.figures.isStopped() }
        let waiting = try (0..<50).map { _ in try clients.client() }
        for client in waiting { try client.send(Request.bytes("INCR", key) + Request.bytes("PING")) }
        try #expect(clients.client().ask("SET", cluster.key(of: 0), "served") == .ok)
        #expect(!waiting.contains { $0.isReadable(withinMilliseconds: 0) })
        let began = ContinuousClock.now
        cluster.kill(1)
        for client in waiting {
          let text = try client.readReply().errorText ?? ""
          #expect(text.contains("peer db2 is down"), "\(text)")
          try #expect(client.readReply() == .pong)
        }
        #expect(ContinuousClock.now - began < .seconds(1))
      }
    }

    @Test(arguments: backendPairs)
    func `SIGTERM ends a cluster node with status 0, and the other says that it is down`(
      backends: [IOBackend]
    ) throws {
      try withCluster(backends) { cluster in
        try cluster.start(0)
        let leaving = try cluster.start(1)
        try cluster.awaitPeers()
        let client = try cluster[0].client()
        try #expect(client.ask("SET", cluster.key(of: 1), "there") == .ok)
        let began = ContinuousClock.now
        try #expect(leaving.stop() == .code(0))
        #expect(ContinuousClock.now - began < .seconds(5))
        let text = try client.ask("GET", cluster.key(of: 1)).errorText ?? ""
        #expect(text.contains("peer db2 is down"), "\(text)")
        try Poll.until("INFO does not call db2 up") { try !cluster.peerLine(0, "db2").contains("state=up") }
        try #expect(client.ask("SET", cluster.key(of: 0), "served") == .ok)
        client.disconnect()
        try #expect(cluster[0].stop() == .code(0), "without its peer as well")
      }
    }

    @Test(arguments: backendPairs)
    func `nodes with different lists of names refuse each other's keys, and say so`(backends: [IOBackend]) throws {
      try withCluster(backends) { cluster in
        try cluster.start(0)
        let third = try FreePort()
        try cluster.start(
          1, peers: ["db1=127.0.0.1:\(cluster.ports[0])", "db3=127.0.0.1:\(third.port)"])
        let rings = [cluster.ring, KeyRing(["db1", "db2", "db3"])]
        for index in 0..<2 {
          let other = cluster.names[1 - index]
          try Poll.until("\(cluster.names[index]) knows that the lists differ") {
            try cluster.peerLine(index, other).hasSuffix("names=differ")
          }
          let client = try cluster[index].client()
          let text = try client.ask("GET", rings[index].keys(of: other, 1)[0]).errorText ?? ""
          #expect(text.contains("peer \(other) refuses") && text.contains("list of nodes"), "\(text)")
          try #expect(client.ask("SET", rings[index].keys(of: cluster.names[index], 1)[0], "own") == .ok)
          let log = try cluster[index].process.log
          #expect(log.contains("another list of nodes") && log.contains("peer=\(other)"), "\(log)")
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a node that knows no peers has another list than one that counts on it`(io: IOBackend) throws {
      try withCluster([io, io]) { cluster in
        try cluster.start(1, peers: [])
        try cluster.start(0)
        try Poll.until("db1 knows that the lists differ") {
          try cluster.peerLine(0, "db2").hasSuffix("names=differ")
        }
        let text = try cluster[0].client().ask("GET", cluster.key(of: 1)).errorText ?? ""
        #expect(text.contains("peer db2 refuses") && text.contains("list of nodes"), "\(text)")
        try #expect(cluster[1].client().ask("SET", cluster.key(of: 0), "alone") == .ok)
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a node that is asked for its keys by one with another list says so, once, with both fingerprints`(
      io: IOBackend
    ) throws {
      try withCluster([io, io], ["--peer-wait", "60"]) { cluster in
        // It waits for db2, so it is asked before db1 knows what list db2 has.
        let (waiting, other) = try (cluster.start(0).client(), cluster[0].client())
        try waiting.send(Request.bytes("SET", cluster.key(of: 0), "begun") + Request.bytes("GET", cluster.key(of: 1)))
        try Poll.until("the one before is executed") { try other.ask("GET", cluster.key(of: 0)) == .text("begun") }
        let refusing = try cluster.start(1, peers: [])
        try #expect(waiting.readReply() == .ok)
        let text = try waiting.readReply().errorText ?? ""
        #expect(text.contains("peer db2 refuses") && text.contains("list of nodes"), "\(text)")
        let info = try cluster.info(1, "cluster").split(separator: "\r\n")
        let theirs = try #require(info.first { $0.hasPrefix("skein_refused_names_hash:") }, "\(info)").suffix(16)
        let ours = try #require(info.first { $0.hasPrefix("skein_cluster_names_hash:") }).suffix(16)
        #expect(try cluster.info(0, "cluster").contains("skein_cluster_names_hash:\(theirs)"))
        let lines = refusing.process.log.split(separator: "\n").filter {
          $0.contains("a node with another list of nodes asks for our keys; it is refused")
        }
        #expect(lines.count == 1 && lines[0].contains("ours=\(ours)") && lines[0].contains("theirs=\(theirs)"))
      }
    }
  }
}
