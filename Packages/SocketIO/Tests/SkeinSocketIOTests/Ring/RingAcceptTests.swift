import CSkeinPlatform
import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("RingPoller accepting") struct RingAcceptTests {
  @Test func `many connections at once are all accepted`() throws {
    let harness = try RingHarness(submissions: 8, completions: 16)
    let (token, port) = harness.listen()
    harness.poller.beginAccept(token)
    harness.poller.flush()
    let peers = (0..<300).map { _ in TestPeer.connected(to: port) }
    #expect(harness.run { harness.accepted.count == peers.count })
    for descriptor in harness.accepted { #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0) }
    for descriptor in harness.accepted { _ = skein_close(descriptor) }
  }

  @Test func `accepting stops and begins again with one request`() throws {
    let harness = try RingHarness()
    let (token, port) = harness.listen()
    for _ in 0..<10 {
      harness.poller.beginAccept(token)
      harness.poller.stopAccept(token)
    }
    harness.poller.beginAccept(token)
    harness.poller.flush()
    let peer = TestPeer.connected(to: port)
    #expect(harness.run { harness.accepted.count == 1 })
    #expect(harness.poller.used(token)?.requests == 1)
    for descriptor in harness.accepted { _ = skein_close(descriptor) }
    peer.close()
  }

  @Test func `closing a listener closes what was accepted too late`() throws {
    let harness = try RingHarness()
    let (token, port) = harness.listen()
    harness.poller.beginAccept(token)
    harness.poller.flush()
    harness.turn()
    let peers = (0..<20).map { _ in TestPeer.connected(to: port) }
    #expect(!harness.poller.close(token, resetting: false))
    harness.poller.flush()
    #expect(harness.run { harness.seen[token]?.last == .released })
    for peer in peers { #expect(peer.awaitInput() == nil) }
  }

  /// In a process of its own, since the limit is the process'.
  @Test func `running out of descriptors stops accepting until it is begun again`() async {
    await #expect(processExitsWith: .success) {
      let harness = try RingHarness()
      let (token, port) = harness.listen()
      harness.poller.beginAccept(token)
      harness.poller.flush()
      harness.turn()
      let peers = (0..<3).map { _ in TestPeer.connected(to: port) }
      precondition(harness.run { harness.accepted.count == 3 }, "they are accepted")
      let late = skein_socket_stream(AF_INET)
      let firstFree = dup(late)
      _ = skein_close(firstFree)
      let old = RingAcceptTests.setDescriptorLimit(rlim_t(firstFree))
      // A request keeps the limit of the moment in which it was made.
      harness.poller.stopAccept(token)
      harness.poller.beginAccept(token)
      harness.poller.flush()
      TestPeer.connect(late, to: port)
      precondition(harness.run { harness.seen[token]?.contains(.acceptFailed(EMFILE)) == true }, "it is told")
      precondition(harness.poller.used(token)?.requests == 0, "it has stopped")
      _ = RingAcceptTests.setDescriptorLimit(old)
      harness.poller.beginAccept(token)
      harness.poller.flush()
      precondition(harness.run { harness.accepted.count == 4 }, "it goes on")
      _ = peers
    }
  }

  /// - Returns: the limit before.
  private static func setDescriptorLimit(_ count: rlim_t) -> rlim_t {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let before = limit.rlim_cur
    limit.rlim_cur = count
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return before
  }

  @Test func `a connection is awaited, and a refused one fails`() throws {
    let harness = try RingHarness()
    let (listener, port) = TestPeer.listener()
    let good = SlotToken(index: 100, generation: 1)
    let bad = SlotToken(index: 101, generation: 1)
    func start(_ token: SlotToken) {
      let descriptor = skein_socket_stream(AF_INET)
      var address = SocketEndpoint.loopback(port: port).storage
      _ = unsafe skein_socket_connect(descriptor, &address)
      harness.poller.adopt(descriptor, as: token, kind: .connection)
      harness.poller.awaitConnect(token)
      harness.poller.flush()
    }
    start(good)
    #expect(harness.run { harness.seen[good] == [.connected] })
    _ = skein_close(listener)
    start(bad)
    #expect(harness.run { harness.seen[bad] == [.connectFailed(ECONNREFUSED)] })
    harness.poller.signal()
    harness.turn()
    #expect(harness.seen[bad] == [.connectFailed(ECONNREFUSED)])
  }
}
#endif
