import SkeinSocketIO
import Testing

@Suite("SocketAddress") struct SocketAddressTests {
  @Test(arguments: ["127.0.0.1:6379", "0.0.0.0:0", "[::1]:80", "[fe80::1:2]:65535"])
  func `an address reads as it is written`(text: String) throws {
    #expect(try SocketAddress(text).description == text)
  }

  @Test(
    arguments: [
      "", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]", "[127.0.0.1]:1", "1.2.3:4",
    ])
  func `what is no address is refused`(text: String) {
    #expect(throws: SocketError.invalidAddress(text)) { try SocketAddress(text) }
  }

  @Test func `loopback addresses are known`() throws {
    #expect(try SocketAddress("127.9.9.9:1").isLoopback)
    #expect(try SocketAddress("[::1]:1").isLoopback)
    #expect(try SocketAddress("[::ffff:127.0.0.1]:1").isLoopback)
    #expect(try !SocketAddress("[::ffff:10.0.0.1]:1").isLoopback)
    #expect(try !SocketAddress("0.0.0.0:1").isLoopback)
    #expect(try !SocketAddress("[::]:1").isLoopback)
    #expect(SocketAddress.loopback(port: 7).description == "127.0.0.1:7")
    #expect(SocketAddress.loopbackIPv6(port: 7).description == "[::1]:7")
  }
}
