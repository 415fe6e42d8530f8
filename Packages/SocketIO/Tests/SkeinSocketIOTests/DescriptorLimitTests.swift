// DescriptorLimitTests: case 52, a process without descriptors. In a process of its own, since the limit is everyone's.

import Glibc
import SkeinPlatform
import SkeinSocketIO
import Testing

@Suite("Descriptor limit") struct DescriptorLimitTests {
  @Test(.enabled(if: Setting.backends.contains(.epoll)))
  func `case 52, epoll: without descriptors clients wait and are served later`() async {
    await #expect(processExitsWith: .success) { try Self.survive(.epoll) }
  }

  @Test(.enabled(if: Setting.backends.contains(.ioUring)))
  func `case 52, io_uring: without descriptors clients wait and are served later`() async {
    await #expect(processExitsWith: .success) { try Self.survive(.ioUring) }
  }

  private static func survive(_ backend: SocketBackend) throws {
    var limits = SocketLimits()
    limits.acceptRetryDelay = .milliseconds(20)
    let bed = try Bed(Setting(backend: backend, driver: .owner), limits: limits)
    let log = EndCounter(noted: bed.noted)
    let acceptor = Acceptor(
      onAccept: { connection in
        connection.start(handler: log)
        return true
      }, noted: bed.noted)
    let listener = try bed.loop.listen(on: .loopback(port: 0), handler: acceptor)
    bed.loop.wait(until: .now)
    let peers = (0..<3).map { _ in RawPeer.make() }
    var limit = rlimit(rlim_cur: 128, rlim_max: 128)
    precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    var fillers: [Int32] = []
    func fill() { while case let filler = dup(0), filler >= 0 { fillers.append(filler) } }
    fill()
    for peer in peers { peer.connect(port: listener.localAddress.port) }
    // The test's own process may still let go of a descriptor, which then serves a client: until none is left.
    var isStarved = false
    for _ in 0..<4 where !isStarved {
      fill()
      let before = (pauses: acceptor.pauses, failures: bed.loop.statistics.acceptFailures)
      let turns = bed.loop.statistics.turns
      try bed.wait(for: "several tries") { bed.loop.statistics.acceptFailures >= before.failures + 4 }
      #expect(bed.loop.statistics.turns - turns <= 16, "it spins")
      isStarved = before.pauses > 0 && acceptor.pauses == before.pauses
    }
    #expect(isStarved, "told once, though several tries fail")
    #expect(acceptor.resumptions == acceptor.pauses - 1 && acceptor.connections.count < 3)
    for filler in fillers { close(filler) }
    try bed.wait(for: "the clients") { acceptor.connections.count == 3 }
    #expect(acceptor.resumptions == acceptor.pauses, "told once")
    for connection in acceptor.connections { connection.close() }
    for peer in peers { peer.close() }
    try bed.waitUntilEmpty()
    #expect(log.ends == 3)
  }
}
