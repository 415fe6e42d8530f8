// ClusterKeysTests: keys that are spread over nodes are every node's keys.

import Testing

extension Integration {
  @Suite("Cluster: keys") struct ClusterKeysTests {
    @Test(arguments: backendPairs)
    func `keys set through one node are read through the other, and each lives on one of them`(
      backends: [IOBackend]
    ) throws {
      try withCluster(backends) { cluster in
        let clients = try [1, 0].map { try cluster.start($0) }.reversed().map { try $0.client() }
        let keys = (0..<200).map { "key\($0)" }
        for (number, key) in keys.enumerated() {
          try #expect(clients[number % 2].ask("SET", key, "value of \(key)") == .ok)
          try #expect(clients[1 - number % 2].ask("GET", key) == .text("value of \(key)"))
        }
        for (index, name) in cluster.names.enumerated() {
          try #expect(cluster.keysHeld(index) == keys.count { cluster.ring.owner($0) == name }, "\(name)")
          try #expect(clients[index].ask("DBSIZE") == .integer(200))
        }
        for index in 0..<2 { #expect(try cluster.keysHeld(index) > 50) }
      }
    }

    @Test(arguments: backendPairs)
    func `commands with several keys work over both nodes, in the order of their arguments`(
      backends: [IOBackend]
    ) throws {
      try withCluster(backends) { cluster in
        let (first, second) = try (cluster.start(0).client(), cluster.start(1).client())
        let ours = cluster.ring.keys(of: "db1", 3)
        let theirs = cluster.ring.keys(of: "db2", 3)
        let mixed = [theirs[0], ours[0], ours[1], theirs[1], theirs[2], ours[2]]
        try first.send(Request.bytes((["MSET"] + mixed.flatMap { [$0, "<\($0)>"] }).map { Array($0.utf8) }))
        try #expect(first.readReply() == .ok)
        for client in [first, second] {
          let asked = mixed + ["nobody", theirs[0]]
          try client.send(Request.bytes((["MGET"] + asked).map { Array($0.utf8) }))
          let expected = asked.map { $0 == "nobody" ? Reply.null : .text("<\($0)>") }
          try #expect(client.readReply() == .array(expected))
          try #expect(client.ask("EXISTS", ours[0], theirs[0], theirs[0], "nobody") == .integer(3))
        }
        try #expect(second.ask("DEL", ours[0], theirs[0], "nobody") == .integer(2))
        try #expect(first.ask("EXISTS", ours[0], theirs[0], ours[1], theirs[1]) == .integer(2))
        try #expect(first.ask("INCRBY", theirs[0], "7") == .integer(7))
        try #expect(second.ask("INCR", theirs[0]) == .integer(8))
        try #expect(first.ask("INCR", theirs[1]).errorText == "ERR value is not an integer or out of range")
        try #expect(second.ask("DBSIZE") == .integer(5))
        try #expect(first.ask("FLUSHALL") == .ok)
        for client in [first, second] { try #expect(client.ask("DBSIZE") == .integer(0)) }
      }
    }

    @Test(arguments: backendPairs)
    func `a pipeline over both nodes is answered in order, with values of a megabyte`(backends: [IOBackend]) throws {
      try withCluster(backends) { cluster in
        let (first, second) = try (cluster.start(0).client(), cluster.start(1).client())
        let keys = (0..<12).map { "key\($0)" }
        let values = keys.indices.map { Pattern.bytes((1 << 20) + $0) }
        let writer = Background("the pipeline") {
          for (key, value) in zip(keys, values) {
            try first.send(Request.bytes([Array("SET".utf8), Array(key.utf8), value]))
          }
        }
        for key in keys {
          let reply = try first.readReply()
          #expect(reply == .ok, "\(key) of \(cluster.ring.owner(key))")
        }
        try writer.value()
        try second.send(keys.flatMap { Request.bytes("GET", $0) })
        for value in values { try #expect(second.readReply() == .bulk(value)) }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a pipeline whose answers are more than one message between nodes may hold is answered in order`(
      io: IOBackend
    ) throws {
      try withCluster([io, io]) { cluster in
        let (asked, owner) = try (cluster.start(0).client(), cluster.start(1).client())
        try cluster.awaitPeers()
        let keys = cluster.ring.keys(of: "db2", 20)
        let values = keys.indices.map { Pattern.bytes((1 << 20) + $0) }
        for (key, value) in zip(keys, values) {
          try owner.send(Request.bytes([Array("SET".utf8), Array(key.utf8), value]))
          try #expect(owner.readReply() == .ok)
        }
        try asked.send(keys.flatMap { Request.bytes("GET", $0) + Request.bytes("STRLEN") })
        for (number, value) in values.enumerated() {
          let reply = try asked.readReply()
          #expect(reply == .bulk(value), "answer \(number)")
          try #expect(asked.readReply().errorText?.contains("unknown command") == true)
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a value that is too long to be forwarded is an error, and its neighbours are answered`(
      io: IOBackend
    ) throws {
      try withCluster([io, io]) { cluster in
        let (asked, owner) = try (cluster.start(0).client(), cluster.start(1).client())
        try cluster.awaitPeers()
        let keys = cluster.ring.keys(of: "db2", 4)
        let long = Pattern.bytes(14_900_000)
        for (key, value) in zip(keys, [Pattern.bytes(10), Pattern.bytes(17 << 20), long, Pattern.bytes(20)]) {
          try owner.send(Request.bytes([Array("SET".utf8), Array(key.utf8), value]))
          try #expect(owner.readReply() == .ok)
        }
        try asked.send(keys.flatMap { Request.bytes("GET", $0) })
        try #expect(asked.readReply() == .bulk(Pattern.bytes(10)))
        let text = try asked.readReply().errorText ?? ""
        #expect(text == "ERR the value is above the 15000000 bytes that another node can forward")
        let reply = try asked.readReply()
        #expect(reply == .bulk(long), "it is below the limit")
        try #expect(asked.readReply() == .bulk(Pattern.bytes(20)))
        try #expect(asked.ask("MGET", keys[0], keys[1]).errorText == text)
        try #expect(asked.ask("EXISTS", keys[1], keys[3]) == .integer(2))
      }
    }

    static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    @Test(arguments: orders)
    func `three nodes on mixed backends find each other in whatever order they start`(order: [Int]) throws {
      // Each backend is the odd one in three of the orders.
      let backends: [IOBackend] = order[0] < order[1] ? [.epoll, .uring, .epoll] : [.uring, .epoll, .uring]
      try withCluster(backends) { cluster in
        for index in order { try cluster.start(index) }
        let clients = try (0..<3).map { try cluster[$0].client() }
        let keys = (0..<60).map { "key\($0)" }
        for (number, key) in keys.enumerated() { try #expect(clients[number % 3].ask("SET", key, key) == .ok) }
        for (number, key) in keys.enumerated() {
          try #expect(clients[(number + 1) % 3].ask("GET", key) == .text(key))
          try #expect(clients[(number + 2) % 3].ask("GET", key) == .text(key))
        }
        for index in 0..<3 {
          try #expect(cluster.keysHeld(index) == keys.count { cluster.ring.owner($0) == cluster.names[index] })
        }
        try cluster.awaitPeers()
        try #expect(clients[0].ask("DBSIZE") == .integer(60))
      }
    }

    @Test(arguments: backendPairs)
    func `a request for a peer that has not been up waits for it, and is answered when it comes up`(
      backends: [IOBackend]
    ) throws {
      try withCluster(backends, ["--peer-wait", "60"]) { cluster in
        let client = try cluster.start(0).client()
        let key = cluster.key(of: 1)
        try client.send(Request.bytes("SET", key, "early") + Request.bytes("GET", key))
        let own = try cluster[0].client()
        try #expect(own.ask("SET", cluster.key(of: 0), "ours") == .ok, "its own keys are served at once")
        #expect(!client.isReadable(withinMilliseconds: 0), "it waits")
        let late = try cluster.start(1)
        try #expect(client.readReply() == .ok)
        try #expect(client.readReply() == .text("early"))
        try #expect(late.client().ask("GET", key) == .text("early"))
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `a peer that never comes up costs a pipeline one second and errors that name it`(io: IOBackend) throws {
      try withCluster([io, io]) { cluster in
        let client = try cluster.start(0).client()
        let began = ContinuousClock.now
        try client.send(
          (0..<4).flatMap { _ in Request.bytes("GET", cluster.key(of: 1)) + Request.bytes("GET", cluster.key(of: 0)) })
        for _ in 0..<4 {
          let text = try client.readReply().errorText ?? ""
          #expect(text.hasPrefix("ERR ") && text.contains("peer db2 is down"), "\(text)")
          try #expect(client.readReply() == .null)
        }
        let took = ContinuousClock.now - began
        #expect(took > .milliseconds(900) && took < .milliseconds(2_000), "\(took)")
        try #expect(client.ask("PING") == .pong)
      }
    }
  }
}
