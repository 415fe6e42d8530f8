import Glibc
import Testing

@testable import SkeinSocketIO

@Suite("Options of a connection's socket") struct SocketOptionTests {
  private func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = -1
    var size = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe getsockopt(descriptor, level, name, &value, &size)
    return value
  }

  @Test func `small segments are sent at once, and a vanished peer is noticed within two minutes`() throws {
    let descriptor = try SocketCalls.makeStream(for: .loopback(port: 0))
    defer { _ = close(descriptor) }
    let tcp = Int32(IPPROTO_TCP)
    #expect(option(descriptor, tcp, TCP_NODELAY) == 1 && option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
    let seconds =
      option(descriptor, tcp, TCP_KEEPIDLE)
      + option(descriptor, tcp, TCP_KEEPINTVL) * option(descriptor, tcp, TCP_KEEPCNT)
    #expect(seconds == 120)
  }
}
