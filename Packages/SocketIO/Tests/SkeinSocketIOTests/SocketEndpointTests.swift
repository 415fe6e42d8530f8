import SkeinSocketIO
import Testing

@Suite("SocketEndpoint") struct SocketEndpointTests {
  @Test(arguments: ["127.0.0.1:6379", "0.0.0.0:0", "[::1]:80", "[fe80::1:2]:65535"])
  func `an address reads as it is written`(text: String) throws {
    #expect(try SocketEndpoint(text).description == text)
  }

  @Test(
    arguments: [
      "", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]", "[127.0.0.1]:1", "1.2.3:4",
    ])
  func `what is no address is refused`(text: String) {
    #expect(throws: SocketError.invalidAddress(text)) { try SocketEndpoint(text) }
  }

  @Test func `loopback addresses are known`() throws {
    #expect(try SocketEndpoint("127.9.9.9:1").isLoopback)
    #expect(try SocketEndpoint("[::1]:1").isLoopback)
    #expect(try SocketEndpoint("[::ffff:127.0.0.1]:1").isLoopback)
    #expect(try !SocketEndpoint("[::ffff:10.0.0.1]:1").isLoopback)
    #expect(try !SocketEndpoint("0.0.0.0:1").isLoopback)
    #expect(try !SocketEndpoint("[::]:1").isLoopback)
    #expect(SocketEndpoint.loopback(port: 7).description == "127.0.0.1:7")
    #expect(SocketEndpoint.loopbackIPv6(port: 7).description == "[::1]:7")
  }
}
