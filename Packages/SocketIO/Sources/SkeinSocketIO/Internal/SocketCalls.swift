// SocketCalls: the few system calls that both backends and the loop make, with Swift types.

internal import CSkeinPlatform
internal import Glibc
internal import SkeinPlatform

/// The errnos that are told apart.
enum Errno {
  static let again = EAGAIN
  static let interrupted = EINTR
  static let inProgress = EINPROGRESS
  static let noBuffers = ENOBUFS
  static let noMemory = ENOMEM

  /// Whether a failing `accept` says nothing about the next: the client went away, or its network did.
  static func concernsOneClient(_ number: Int32) -> Bool {
    switch number {
    case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
      ENETUNREACH, ETIMEDOUT:
      true
    default: false
    }
  }
}

/// System calls on sockets.
enum SocketCalls {
  /// Accepts one connection: its descriptor, or -errno.
  static func accept(_ descriptor: Int32) -> (Int32, SocketEndpoint) {
    var storage = sockaddr_storage()
    let accepted = unsafe skein_socket_accept(descriptor, &storage)
    return (accepted, SocketEndpoint(storage))
  }

  /// The address at the other end; 0.0.0.0:0 when it is gone.
  static func peer(of descriptor: Int32) -> SocketEndpoint {
    var storage = sockaddr_storage()
    _ = unsafe skein_socket_peer(descriptor, &storage)
    return SocketEndpoint(storage)
  }

  /// Whether the socket has a peer.
  static func isConnected(_ descriptor: Int32) -> Bool {
    var storage = sockaddr_storage()
    return unsafe skein_socket_peer(descriptor, &storage) == 0
  }

  /// Makes a non-blocking TCP socket for a connection.
  static func makeStream(for address: SocketEndpoint) throws(SocketError) -> Int32 {
    let descriptor = try check("socket", skein_socket_stream(address.family))
    prepare(descriptor)
    return descriptor
  }

  /// What every connection has: small segments are sent at once, and a peer whose host is gone is noticed within two
  /// minutes even if nothing is sent.
  static func prepare(_ descriptor: Int32) {
    let tcp = Int32(IPPROTO_TCP)
    _ = skein_socket_set_option(descriptor, tcp, TCP_NODELAY, 1)
    _ = skein_socket_set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    _ = skein_socket_set_option(descriptor, tcp, TCP_KEEPIDLE, 60)
    _ = skein_socket_set_option(descriptor, tcp, TCP_KEEPINTVL, 15)
    _ = skein_socket_set_option(descriptor, tcp, TCP_KEEPCNT, 4)
  }

  /// Begins to connect.
  static func connect(_ descriptor: Int32, to address: SocketEndpoint) throws(SocketError) {
    var storage = address.storage
    let outcome = unsafe skein_socket_connect(descriptor, &storage)
    if outcome == -EINPROGRESS || outcome == -EINTR { return }
    _ = try check("connect", outcome)
  }

  /// Makes a listening socket.
  static func makeListener(
    on address: SocketEndpoint, options: ListenOptions
  ) throws(SocketError) -> (descriptor: Int32, local: SocketEndpoint) {
    let descriptor = try check("socket", skein_socket_stream(address.family))
    do throws(SocketError) {
      if options.reuseAddress {
        _ = try check("setsockopt", skein_socket_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1))
      }
      if options.reusePort {
        _ = try check("setsockopt", skein_socket_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1))
      }
      var storage = address.storage
      _ = try check("bind", unsafe skein_socket_bind(descriptor, &storage))
      _ = try check("listen", skein_socket_listen(descriptor, Int32(clamping: options.backlog)))
      _ = try check("getsockname", unsafe skein_socket_local(descriptor, &storage))
      return (descriptor, SocketEndpoint(storage))
    } catch {
      _ = skein_close(descriptor)
      throw error
    }
  }

  private static func check(_ call: String, _ result: Int32) throws(SocketError) -> Int32 {
    guard result >= 0 else { throw .system(SystemCallError(call: call, errorNumber: -result)) }
    return result
  }
}
