import SkeinSocketIO

let address = try SocketEndpoint("127.0.0.1:6380")
precondition(address.isLoopback && address.port == 6380)
precondition(SocketBackend.epoll.unavailability() == nil)
let loop = try SocketLoop(backend: .epoll)
loop.shutDown()
