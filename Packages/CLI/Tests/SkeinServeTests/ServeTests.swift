import Glibc
import Skein
import SkeinPlatform
import SkeinRESP
import SkeinSocketIO
import Testing

@testable import SkeinServe

@Suite("A server on a node", .serialized) struct ServeTests {
  @Test func `both backends are tried where io_uring can run`() {
    #expect(backends.contains(.epoll))
    #expect(backends.contains(.ioUring) == (SocketBackend.ioUring.unavailability() == nil))
  }

  @Test(arguments: backends)
  func `pipelined commands over several shards are answered in the order sent`(backend: SocketBackend) async throws {
    try await withServer(backend, shards: 8) { bed in
      let peer = try Peer(bed.address)
      var commands = ""
      var expected = ""
      for number in 0..<3_000 {
        commands += "SET key\(number) value\(number)\r\nGET key\(number)\r\nINCR sum\r\nGET key\(number + 1)\r\n"
        let value = "value\(number)"
        expected += "+OK\r\n$\(value.utf8.count)\r\n\(value)\r\n:\(number + 1)\r\n$-1\r\n"
      }
      commands += "DBSIZE\r\n"
      expected += ":3001\r\n"
      let bytes = Array(commands.utf8)
      let answers = Array(expected.utf8)
      async let sent = onThread { peer.send(bytes) }
      let came = await onThread { peer.read(answers.count) }
      #expect(await sent == bytes.count)
      #expect(came.bytes == answers)
      // Nobody else was there: every round could hold its shards.
      #expect(bed.server.figures.roundsCalled == 0)
    }
  }

  @Test(arguments: backends)
  func `nobody sees a client's later command before an earlier one, although shards are contended`(
    backend: SocketBackend
  ) async throws {
    try await withServer(backend, shards: 2) { bed in
      let last = 3_000
      let pairs = (0..<3).map { number in
        (a: bed.key(of: number % 2, "a\(number)-"), b: bed.key(of: (number + 1) % 2, "b\(number)-"))
      }
      let writers = try pairs.map { _ in try Peer(bed.address) }
      let reader = try Peer(bed.address)
      // One shard is taken: the first rounds of all that need it go by calls.
      let holder = try await bed.node.spawn { ShardHolder($0) }
      let held = Event()
      let letGo = Event()
      holder.send(ShardHolder.hold, bed.server.shards[0], held, letGo)
      await onThread { held.wait() }
      for (writer, pair) in zip(writers, pairs) { writer.send(Array("SET \(pair.a) 0\r\nSET \(pair.b) 0\r\n".utf8)) }
      while bed.server.figures.roundsCalled < writers.count { await Task.yield() }
      letGo.signal()
      for writer in writers { #expect(await onThread { writer.discard(10) } == 10) }
      async let answers = onThreads(writers.count) { index in
        // Many pipelines are on their way at once.
        for start in stride(from: 1, through: last, by: 100) {
          let numbers = start..<start + 100
          let commands = numbers.map { "SET \(pairs[index].a) \($0)\r\nSET \(pairs[index].b) \($0)\r\n" }.joined()
          writers[index].send(Array(commands.utf8))
        }
        return writers[index].discard(10 * last)
      }
      let faults = await onThread { () -> [String] in
        var open = pairs
        while !open.isEmpty {
          for (index, pair) in open.enumerated().reversed() {
            reader.send(Array("GET \(pair.b)\r\nGET \(pair.a)\r\n".utf8))
            let b = Int(reader.readBulk() ?? "")
            let a = Int(reader.readBulk() ?? "")
            guard let a, let b, a >= b else { return ["b is \(b ?? -1) and then a is \(a ?? -1)"] }
            if b == last { open.remove(at: index) }
          }
        }
        return []
      }
      #expect(faults == [])
      #expect(await answers == writers.map { _ in 10 * last })
      // Both ways were gone: more rounds than those that were called.
      #expect(bed.server.figures.roundsCalled >= writers.count)
      let called = bed.server.figures.roundsCalled
      let alone = await onThread { writers[0].ask("GET \(pairs[0].a)\r\nGET \(pairs[0].b)\r\n", expecting: 20) }
      #expect(alone == "$4\r\n\(last)\r\n$4\r\n\(last)\r\n")
      #expect(bed.server.figures.roundsCalled == called)
    }
  }

  @Test(arguments: backends)
  func `one client more than the limit is told so and closed, until another leaves`(
    backend: SocketBackend
  ) async throws {
    try await withServer(backend, maxClients: 2) { bed in
      var peers = try (0..<2).map { _ in try Peer(bed.address) }
      for peer in peers { #expect(await onThread { peer.ask("PING\r\n", expecting: 7) } == "+PONG\r\n") }
      let third = try Peer(bed.address)
      let told = await onThread { third.readAll() }
      #expect(String(decoding: told.bytes, as: UTF8.self) == "-ERR max number of clients reached\r\n")
      #expect(told.end == .fin)
      let kept = peers[0]
      peers.removeLast()
      var answer = ""
      while answer != "+PONG\r\n" {
        let next = try Peer(bed.address)
        answer = await onThread { next.ask("PING\r\n", expecting: 7) }
        #expect(answer == "+PONG\r\n" || answer == "-ERR ma")
      }
      #expect(await onThread { kept.ask("PING\r\n", expecting: 7) } == "+PONG\r\n")
    }
  }

  @Test(arguments: backends)
  func `a node that shuts down answers what it has received and closes`(backend: SocketBackend) async throws {
    try await withServer(backend) { bed in
      let value = String(repeating: "x", count: 64 << 10)
      let idle = try Peer(bed.address)
      #expect(await onThread { idle.ask("SET big \(value.dropLast(200))\r\n", expecting: 5) } == "+OK\r\n")
      let busy = try Peer(bed.address, receiveBuffer: 16 << 10)
      busy.send(Array(String(repeating: "GET big\r\n", count: 64).utf8))
      while bed.server.figures.facts.commandsProcessed < 65 { await Task.yield() }
      async let answers = onThread { busy.readAll() }
      async let end = onThread { idle.readAll().end }
      await bed.node.shutDown()
      #expect(await end == .fin)
      let length = value.utf8.count - 200
      let answer = Array("$\(length)\r\n\(value.dropLast(200))\r\n".utf8)
      let came = await answers
      #expect(came.end == .fin)
      #expect(came.bytes.count == 64 * answer.count)
      #expect(came.bytes.suffix(answer.count).elementsEqual(answer))
      #expect(throws: SystemCallError(call: "connect", errorNumber: ECONNREFUSED)) { try Peer(bed.address) }
    }
  }

  @Test(arguments: backends)
  func `entries whose time is over go, although nobody touches them`(backend: SocketBackend) async throws {
    try await withServer(backend) { bed in
      let peer = try Peer(bed.address)
      let commands = (0..<200).map { "SET key\($0) value PX 50\r\n" }.joined() + "SET stays 1\r\n"
      #expect(await onThread { peer.ask(commands, expecting: 5 * 201) }.count == 201 * 4)
      await onThread {
        var size = ""
        repeat {
          peer.send(Array("DBSIZE\r\n".utf8))
          size = peer.readLine()
        } while size != ":1" && !size.isEmpty
        #expect(size == ":1")
      }
      #expect(await onThread { peer.ask("GET key1\r\nGET stays\r\n", expecting: 12) } == "$-1\r\n$1\r\n1\r\n")
    }
  }

  @Test(arguments: backends)
  func `garbage is answered with a protocol error and the end, and others are not disturbed`(
    backend: SocketBackend
  ) async throws {
    try await withServer(backend) { bed in
      let good = try Peer(bed.address)
      let bad = try Peer(bed.address)
      bad.send(Array("PING\r\n*1\r\n!bad\r\nPING\r\n".utf8))
      let came = await onThread { bad.readAll() }
      let text = String(decoding: came.bytes, as: UTF8.self)
      #expect(text == "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n")
      #expect(came.end == .fin)
      #expect(await onThread { good.ask("PING\r\n", expecting: 7) } == "+PONG\r\n")
    }
  }

  @Test(arguments: backends)
  func `a client that does not read makes the node keep no more than its limit`(backend: SocketBackend) async throws {
    try await withServer(backend) { bed in
      let length = 1 << 20
      let requests = 1_000
      let setter = try Peer(bed.address)
      let bytes = Array("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$\(length)\r\n".utf8) + pattern(length) + [13, 10]
      #expect(await onThread { setter.ask(bytes, expecting: 5) } == "+OK\r\n")
      let before = residentBytes()
      let stopped = try Peer(bed.address)
      stopped.send(Array(String(repeating: "GET big\r\n", count: requests).utf8))
      // Another client has much done for it meanwhile.
      let answer = "$\(length)\r\n".utf8.count + length + 2
      #expect(
        await onThread {
          (0..<100).reduce(0) { sum, _ in
            setter.send(Array("GET big\r\n".utf8))
            return sum + setter.discard(answer)
          }
        } == 100 * answer)
      #expect(residentBytes() - before < 100 << 20)
      // Nothing is lost for it: it goes on when it reads.
      #expect(await onThread { stopped.discard(requests * answer) } == requests * answer)
      #expect(await onThread { stopped.ask("PING\r\n", expecting: 7) } == "+PONG\r\n")
    }
  }

  @Test(arguments: backends)
  func `a GET of 8 MiB that is followed by the end of the input gets its whole answer`(
    backend: SocketBackend
  ) async throws {
    try await withServer(backend) { bed in
      let length = 8 << 20
      let value = pattern(length)
      let setter = try Peer(bed.address)
      let bytes = Array("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$\(length)\r\n".utf8) + value + [13, 10]
      #expect(await onThread { setter.ask(bytes, expecting: 5) } == "+OK\r\n")
      let came = await onThread {
        setter.send(Array("GET big\r\n".utf8))
        setter.shutdownWrite()
        return setter.readAll()
      }
      #expect(came.isExactly(Array("$\(length)\r\n".utf8) + value + [13, 10]))
      while bed.node.connectionCount > 0 { await Task.yield() }
      #expect(bed.server.figures.facts.connectedClients == 0)
    }
  }
}

/// What the process has in memory.
private func residentBytes() -> Int {
  guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
  defer { unsafe fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  guard unsafe fgets(&line, 128, file) != nil else { return 0 }
  let fields = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
  return (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
