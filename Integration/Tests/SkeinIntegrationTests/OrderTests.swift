// OrderTests: one connection's commands take effect in the order sent, also across the instances of the key store.

import Testing

extension Integration {
  @Suite("Order") struct OrderTests {
    @Test(arguments: IOBackend.allCases)
    func `commands on all keys see what was sent before them in the same pipeline`(io: IOBackend) throws {
      try withNode(io, ["--services", "4"]) { node in
        let client = try node.client()
        for round in 1...(isSoak ? 500 : 50) {
          let keys = 97
          var pipeline: [UInt8] = []
          for key in 0..<keys { pipeline += Request.bytes("SET", "key \(round) \(key)", "\(key)") }
          pipeline += Request.bytes("DBSIZE") + Request.bytes("FLUSHALL") + Request.bytes("DBSIZE")
          pipeline += Request.bytes("SET", "after", "\(round)") + Request.bytes("GET", "key \(round) 1")
          pipeline += Request.bytes("DBSIZE") + Request.bytes("FLUSHALL")
          try client.send(pipeline)
          for _ in 0..<keys { try #require(client.readReply() == .ok) }
          try #expect(client.readReply() == .integer(keys), "DBSIZE sees every SET before it")
          try #expect(client.readReply() == .ok)
          try #expect(client.readReply() == .integer(0), "DBSIZE sees the FLUSHALL before it")
          try #expect(client.readReply() == .ok)
          try #expect(client.readReply() == .null, "FLUSHALL reached every instance")
          try #expect(client.readReply() == .integer(1), "FLUSHALL takes nothing that came after it")
          try #expect(client.readReply() == .ok)
        }
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `answers come in the order of the requests whatever instance gives them`(io: IOBackend) throws {
      try withNode(io, ["--services", "4"]) { node in
        let client = try node.client()
        let count = 5_000
        var pipeline: [UInt8] = []
        for index in 0..<count {
          pipeline += Request.bytes("SET", "key \(index % 64)", "\(index)") + Request.bytes("GET", "key \(index % 64)")
        }
        let sending = Background("sending the pipeline") { [pipeline] in try client.send(pipeline) }
        for index in 0..<count {
          try #require(client.readReply() == .ok)
          try #require(client.readReply() == .text("\(index)"), "request \(index)")
        }
        try sending.value()
      }
    }

    @Test(arguments: IOBackend.allCases)
    func `another client never sees a later SET of a pipeline without an earlier one`(io: IOBackend) throws {
      try withNode(io, ["--services", "4"]) { node in
        // Eight keys, so that they lie on several instances; each round sets them in this order.
        let keys = (0..<8).map { "key \($0)" }
        let rounds = isSoak ? 200_000 : 20_000
        let port = node.port
        let setup = try node.client()
        for key in keys { try #expect(setup.ask("SET", key, "0") == .ok) }
        let writing = Background("writing \(rounds) rounds") {
          let writer = try RawClient(port: port)
          var round = 0
          while round < rounds {
            // Batches, so that pipelines are long and the observer looks into their middle.
            var pipeline: [UInt8] = []
            let batch = min(50, rounds - round)
            for step in 1...batch {
              for key in keys { pipeline += Request.bytes("SET", key, "\(round + step)") }
            }
            round += batch
            try writer.send(pipeline)
            for _ in 0..<(batch * keys.count) {
              guard try writer.readReply() == .ok else { throw Failure("a SET was refused") }
            }
          }
        }
        let observer = try node.client()
        var random = SplitMix(seed: 0x0BDE)
        var looks = 0
        var newest = 0
        var midway = 0
        while newest < rounds {
          // The later key first, the earlier one second: by then it must be as new.
          let later = Int.random(in: 1..<keys.count, using: &random)
          let earlier = Int.random(in: 0..<later, using: &random)
          try observer.send(Request.bytes("GET", keys[later]) + Request.bytes("GET", keys[earlier]))
          guard let atLater = try observer.readReply().number, let atEarlier = try observer.readReply().number
          else { throw Failure("a key has no number") }
          try #require(atEarlier >= atLater, "\(keys[later]) is of round \(atLater), \(keys[earlier]) of \(atEarlier)")
          looks += 1
          newest = atLater
          if newest > 0, newest < rounds { midway += 1 }
        }
        try writing.value(withinSeconds: 3 * Environment.hangGuardSeconds)
        #expect(midway > 100, "the observer looked \(looks) times, \(midway) of them while rounds were written")
      }
    }
  }
}
