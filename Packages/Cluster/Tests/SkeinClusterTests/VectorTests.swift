// The bytes of real Skynet nodes, both ways, through the code that links and acceptors use.

import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("Vectors") struct VectorTests {
  /// What a link writes for a request whose session counter is the vector's.
  private func written(_ vector: Vector) throws -> [UInt8] {
    if vector.kind == "trace" {
      var output: [UInt8] = []
      try RequestPacket.appendTrace(tag: vector.body, into: &output)
      return output
    }
    var link = LinkMachine(
      peer: "peer", directory: .address("h:1"), seed: 1, firstSession: try #require(vector.counter))
    let address = try #require(vector.address)
    if vector.kind == "push" {
      #expect(link.send(to: address, body: vector.body, now: start) == .queued)
    } else {
      link.call(1, to: address, body: vector.body, deadline: nil, now: start)
    }
    link.connected(1, now: start)
    link.checked(1, peerHasEnded: false, now: start)
    // A module line of a small push gives the function's result, which the sender ignores.
    if vector.source == "capture" || vector.session != 0 { #expect(link.counter.upcoming == vector.nextCounter) }
    return link.takeOutput()
  }

  /// What an acceptor writes as the answer to a call with the vector's session.
  private func answered(_ vector: Vector) throws -> [UInt8] {
    var request: [UInt8] = []
    // Session 0 is a push, which we never answer; Skynet does, and that packet is written here by hand.
    let session = try #require(vector.session)
    if session == 0 {
      AnswerPacket.appendError(session: 0, text: vector.body, into: &request)
      return request
    }
    RequestPacket.appendSmall(to: .number(1_024), session: session, body: [], into: &request)
    var acceptor = AcceptorMachine()
    request.withRawSpan { acceptor.received($0, now: start) }
    if vector.kind == "error" && String(validating: vector.body, as: UTF8.self) != nil {
      acceptor.fail(1, text: String(decoding: vector.body, as: UTF8.self), now: start)
    } else if vector.kind == "error" {
      var output: [UInt8] = []
      AnswerPacket.appendError(session: session, text: vector.body, into: &output)
      return output
    } else {
      acceptor.answer(1, body: vector.body, now: start)
    }
    return acceptor.takeOutput()
  }

  private func encode(_ vector: Vector) throws -> [UInt8] {
    vector.direction == "request" ? try written(vector) : try answered(vector)
  }

  @Test func `there are 140 lines`() throws { try #expect(Vector.all.count == 140) }

  @Test(arguments: try Vector.all.filter { $0.direction != "stream" })
  func `a message becomes the packets that Skynet makes of it, and they become the message`(vector: Vector) throws {
    #expect(sha256(vector.body) == vector.bodySHA256)
    let wire = try encode(vector)
    #expect(wire.count == vector.wireLength)
    #expect(sha256(wire) == vector.wireSHA256)
    let found = packets(of: wire)
    try #require(found.count == vector.frames.count)
    for (packet, frame) in zip(found, vector.frames) {
      let whole = [UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)] + packet
      #expect(whole.count == frame.length)
      if let bytes = frame.bytes { #expect(whole == bytes) } else { #expect(sha256(whole) == frame.sha256) }
    }
    // These are Skynet's packets, as the hashes have shown; read, they are the message again.
    try expectMeaning(of: found, vector)
  }

  private func expectMeaning(of packets: [[UInt8]], _ vector: Vector) throws {
    switch vector.kind {
    case "trace":
      let (found, tag) = try requests(in: packets)
      #expect(found.isEmpty && tag == vector.body)
    case "call", "push", "query":
      let (found, tag) = try requests(in: packets)
      let request = try #require(found.first)
      #expect(found.count == 1 && tag == nil)
      #expect(request.kind == (vector.kind == "call" ? .call : vector.kind == "push" ? .push : .nameQuery))
      #expect(request.address == vector.address)
      #expect(request.session == vector.session)
      #expect(request.body == vector.body)
    default:
      let answer = try #require(try answers(in: packets).first)
      let isError = vector.kind == "error"
      #expect(answer.isError == isError)
      #expect(answer.session == vector.session)
      #expect(answer.body == (isError ? Array(vector.body.prefix(32_768)) : vector.body))
    }
  }

  @Test(arguments: try Vector.all.filter { $0.direction != "stream" })
  func `a message cut at any byte is the same message`(vector: Vector) throws {
    let wire = try encode(vector)
    let whole = packets(of: wire)
    // Every position of a short one; of a long one every position near a packet's border, and a spread of others.
    var borders: [Int] = [0]
    for packet in whole { borders.append(borders.last! + packet.count + 2) }
    let positions = (1..<max(2, wire.count)).filter { position in
      position < wire.count
        && (wire.count <= (isPureSoak ? 70_000 : 1_024) || position % 4_099 == 0
          || borders.contains { abs($0 - position) <= 8 })
    }
    for position in positions {
      let found = packets(of: wire, cuts: [position])
      if !areEqual(found, whole) { Issue.record("cut at \(position)") }
    }
    if wire.count <= 1_024 { #expect(packets(of: wire, cuts: Array(1..<max(1, wire.count))) == whole) }
  }

  /// The capture lines of a direction, in their order.
  private func captured(_ direction: String) throws -> [Vector] {
    try Vector.all.filter { $0.source == "capture" && $0.direction == direction }.sorted { $0.sequence! < $1.sequence! }
  }

  @Test func `the captured connections are their messages, joined`() throws {
    for (stream, direction) in [("requests", "request"), ("responses", "response")] {
      let vector = try #require(try Vector.all.first { $0.direction == "stream" && $0.kind == stream })
      let wire = try captured(direction).flatMap(encode)
      #expect(wire.count == vector.wireLength)
      if let hash = vector.wireSHA256 { #expect(sha256(wire) == hash) }
      let found = packets(of: wire)
      #expect(found.map { $0.count + 2 } == vector.frameLengths)
      #expect(found.map { $0[direction == "request" ? 0 : 4] } == vector.frameTypes)
    }
  }

  @Test(arguments: ["request", "response"])
  func `a captured connection cut at every byte has the same packets`(direction: String) throws {
    let wire = try captured(direction).flatMap(encode)
    let whole = packets(of: wire)
    // One byte at a time: every position is a cut.
    #expect(areEqual(packets(of: wire, cuts: Array(1..<wire.count)), whole))
    // One cut at each position; what is far before a packet does not matter, so each is cut with its neighbors.
    for index in whole.indices {
      let near = whole[max(0, index - 1)...min(whole.count - 1, index + 1)].flatMap {
        [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0
      }
      let expected = packets(of: near)
      for position in 1..<near.count where near.count <= 512 || position % 1_021 == 0 || position < 40 {
        if !areEqual(packets(of: near, cuts: [position]), expected) {
          Issue.record("packet \(index) cut at \(position)")
        }
      }
    }
  }

  @Test func `a captured connection played to an acceptor gives each request once, in any cut`() throws {
    let vectors = try captured("request")
    let wire = try vectors.flatMap(encode)
    var random = SplitMix64(state: 1)
    for round in 0..<8 {
      var acceptor = AcceptorMachine()
      var requests: [ClusterRequest] = []
      var rest = wire[...]
      while !rest.isEmpty {
        let piece = Array(rest.prefix(round == 0 ? 1_000_000 : Int.random(in: 1...40_000, using: &random)))
        rest = rest.dropFirst(piece.count)
        piece.withRawSpan { acceptor.received($0, now: start) }
        for case .deliver(let request) in acceptor.takeActions() { requests.append(request) }
      }
      let expected = vectors.filter { $0.kind != "trace" }
      #expect(areEqual(requests.map(\.body), expected.map(\.body)))
      #expect(requests.map(\.address) == expected.map(\.address))
      let tags = vectors.enumerated().filter { $0.element.kind != "trace" }.map { index, _ in
        index > 0 && vectors[index - 1].kind == "trace" ? vectors[index - 1].body : nil
      }
      #expect(requests.map(\.trace) == tags)
    }
  }
}
