import Glibc
import Skein
import SkeinPlatform
import SkeinSocketIO
import Testing

/// A node that listens on loopback, and what its services report.
private struct Bed: Sendable {
  let node: SkeinNode
  let address: SocketEndpoint
  let book: SocketBook
}

/// Runs `body` with a node whose connections are served in one manner, shuts it down, and sees that nothing is left.
private func withBed(
  _ backend: SocketBackend, _ manner: SocketManner, unreadLimit: Int? = nil, services: Int? = nil,
  log: SkeinLog = .silent, _ body: (Bed) async throws -> Void
) async throws {
  let book = SocketBook()
  let settings = options { options in
    var sockets = SocketOptions()
    sockets.backend = backend
    if let unreadLimit { sockets.unreadLimit = unreadLimit }
    options.sockets = sockets
    if let services { options.services = services }
    options.log = log
  }
  try await withNode(settings) { node in
    #expect(node.socketBackend == backend)
    let address = try node.listen(on: try SocketEndpoint("127.0.0.1:0")) { context, socket in
      SocketProbe(context, socket, book, manner)
    }
    try await body(Bed(node: node, address: address, book: book))
  }
  let made = book.now.made
  await onThread { book.released.wait(made) }
}

@Suite("Services behind connections", .serialized) struct SocketTests {
  @Test func `both backends are tried, unless the kernel or the build says why one cannot be`() async throws {
    #expect(backends.contains(.epoll))
    let reason = SocketBackend.ioUring.unavailability()
    #expect(backends.contains(.ioUring) == (reason == nil))
    try await withNode(options { $0.sockets = SocketOptions() }) { node in
      let explanation = try #require(node.socketBackendExplanation)
      if unsafe getenv("SKEIN_IO") == nil {
        #expect(node.socketBackend == (reason == nil ? .ioUring : .epoll))
        if let reason { #expect(explanation.contains(reason)) }
      }
    }
  }

  @Test(arguments: backends)
  func `what many clients send comes back to each of them, in order`(backend: SocketBackend) async throws {
    try await withBed(backend, .echo) { bed in
      let peers = try (0..<20).map { _ in try Peer(bed.address) }
      for round in 1...20 {
        for (number, peer) in peers.enumerated() { peer.send([UInt8(round), UInt8(number)]) }
        let answers = await onThread { peers.map { $0.read(2).bytes } }
        #expect(answers == (0..<20).map { [UInt8(round), UInt8($0)] })
      }
      // Optimized code lets the peers go, which closes them, as soon as it does not need them.
      withExtendedLifetime(peers) {
        #expect(bed.node.connectionCount == 20)
        #expect(bed.node.serviceCount == 20)
      }
    }
  }

  @Test(arguments: backends)
  func `a request that is followed by the end of the input gets its whole answer`(backend: SocketBackend) async throws {
    try await withBed(backend, .answersAtEnd(8 << 20)) { bed in
      let stream = await onThread {
        let peer = try? Peer(bed.address)
        peer?.send([1, 2, 3])
        peer?.shutdownWrite()
        return peer?.readAll()
      }
      #expect(stream?.end == .fin)
      #expect(stream?.bytes.count == 8 << 20)
      #expect(stream?.isExactly(pattern(8 << 20)) == true)
      while bed.node.serviceCount != 0 { await Task.yield() }
    }
  }

  @Test(arguments: backends)
  func `8 MiB go both ways past a slow reader, and little of it is kept on the way`(backend: SocketBackend) async throws
  {
    try await withBed(backend, .echo) { bed in
      let peer = try Peer(bed.address, receiveBuffer: 16 << 10)
      let bytes = pattern(8 << 20)
      async let sent = onThread {
        defer { peer.shutdownWrite() }
        return peer.send(bytes)
      }
      async let stream = onThread { peer.readAll(piece: 2_048) }
      #expect(await sent == 8 << 20)
      let received = await stream
      #expect(received.bytes.count == bytes.count)
      #expect(received.isExactly(bytes))
      let facts = bed.book.now
      let limits = SocketLimits()
      // What is read in one turn comes on top of the limit or watermark that it reaches.
      let unread = SocketOptions().unreadLimit + limits.bytesPerTurn
      #expect(facts.largestRead <= unread)
      #expect(facts.largestQueue <= limits.highWatermark + unread)
    }
  }

  @Test(arguments: backends)
  func `a service that does not read stops its client after a bounded number of bytes, until it reads`(
    backend: SocketBackend
  ) async throws {
    let limit = 64 << 10
    let all = 96 << 20
    try await withBed(backend, .reluctant, unreadLimit: limit) { bed in
      let peer = try Peer(bed.address, sendBuffer: 64 << 10)
      let block = pattern(1 << 20)
      let sent = await onThread { peer.sendUntilStuck(block, limit: all) }
      #expect(sent > limit)
      #expect(sent < all / 2)
      #expect(bed.book.now.bytesRead == 0)
      let service = try #require(bed.book.now.services.first)
      #expect(service.send(SocketProbe.readNow) == .delivered)
      await onThread { bed.book.progress.wait() }
      // Whatever was kept is the first read.
      #expect(bed.book.now.largestRead >= limit)
      let more = await onThread {
        defer { peer.shutdownWrite() }
        return peer.send(block)
      }
      #expect(more == block.count)
      #expect(await onThread { peer.readAll().end } == .fin)
      #expect(bed.book.now.bytesRead == sent + more)
      #expect(bed.book.now.largestRead <= limit + SocketLimits().bytesPerTurn)
    }
  }

  @Test(arguments: backends)
  func `a service that ends closes its connection, and what it wrote arrives`(backend: SocketBackend) async throws {
    try await withBed(backend, .echo) { bed in
      let peer = try Peer(bed.address)
      peer.send([1])
      #expect(await onThread { peer.read(1).bytes } == [1])
      let service = try #require(bed.book.now.services.first)
      let bytes = pattern(1 << 20)
      #expect(service.send(SocketProbe.leave, bytes) == .delivered)
      let stream = await onThread { peer.readAll() }
      #expect(stream.bytes.count == bytes.count)
      #expect(stream.isExactly(bytes))
      #expect(await service.waitUntilGone() == .exited)
      #expect(bed.node.connectionCount == 0)
      #expect(bed.node.serviceCount == 0)
      // So does one that is killed.
      let second = try Peer(bed.address)
      second.send([2])
      #expect(await onThread { second.read(1).bytes } == [2])
      let killed = try #require(bed.book.now.services.last)
      killed.kill()
      #expect(await onThread { second.readAll() }.end == .fin)
      #expect(await killed.waitUntilGone() == .killed)
      #expect(bed.book.stopped.value == 1)
    }
  }

  @Test(arguments: backends)
  func `a connection that ends, in order or by reset, ends its service`(backend: SocketBackend) async throws {
    try await withBed(backend, .echo) { bed in
      for round in 0..<20 {
        do {
          let peer = try Peer(bed.address)
          peer.send([1])
          #expect(await onThread { peer.read(1).bytes } == [1])
          #expect(bed.node.serviceCount == 1)
          if round % 2 == 0 { peer.resetWhenDropped() }
        }
        await onThread { bed.book.released.wait(round + 1) }
        // The service is released a moment before the node's books are closed.
        while bed.node.serviceCount > 0 || bed.node.connectionCount > 0 { await Task.yield() }
      }
      #expect(bed.book.stopped.value == 20)
    }
  }

  @Test(arguments: backends)
  func `a node that shuts down answers what it has received, loses nothing, and lets nobody in`(
    backend: SocketBackend
  ) async throws {
    try await withBed(backend, .answersWhenDraining(4 << 20)) { bed in
      let peers = try (0..<4).map { _ in try Peer(bed.address, receiveBuffer: 16 << 10) }
      for peer in peers { peer.send([7]) }
      await onThread { bed.book.progress.wait(4) }
      async let streams = onThread { peers.map { $0.readAll() } }
      await bed.node.shutDown()
      for stream in await streams {
        #expect(stream.bytes.count == 4 << 20)
        #expect(stream.isExactly(pattern(4 << 20)))
      }
      #expect(bed.node.serviceCount == 0)
      #expect(bed.book.stopped.value == 4)
      #expect(throws: SystemCallError(call: "connect", errorNumber: ECONNREFUSED)) { try Peer(bed.address) }
    }
  }

  @Test(arguments: backends)
  func `a connection whose service cannot be made is ended and logged, and others are not disturbed`(
    backend: SocketBackend
  ) async throws {
    let log = LogBook()
    try await withBed(backend, .echo, services: 1, log: log.log) { bed in
      let other = try bed.node.listen(on: try SocketEndpoint("127.0.0.1:0")) { _, _ throws -> SocketProbe in
        throw Refusal(text: "not today")
      }
      let failed = try Peer(other)
      #expect(await onThread { failed.readAll().end } != .timeout)
      #expect(log.text.contains { $0.contains("not today") })
      let first = try Peer(bed.address)
      first.send([1])
      #expect(await onThread { first.read(1).bytes } == [1])
      let second = try Peer(bed.address)
      let refused = await onThread { second.readAll() }
      #expect(refused.bytes.isEmpty)
      #expect(refused.end == .fin || refused.end == .reset)
      #expect(log.text.contains { $0.hasPrefix("warning: a connection was refused error=") })
      first.send([2])
      #expect(await onThread { first.read(1).bytes } == [2])
      #expect(bed.node.serviceCount == 1)
    }
    #expect(log.text.count == 2)
  }
}
