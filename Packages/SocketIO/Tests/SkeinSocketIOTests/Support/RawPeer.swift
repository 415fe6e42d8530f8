// RawPeer: the other end, with blocking system calls, which tells FIN and RST apart.

import Glibc
import SkeinPlatform
import SkeinSocketIO

enum WireEnd: Equatable, Sendable {
  case fin, reset, timeout
  case failed(Int32)
}

struct Wire: Sendable {
  var bytes: [UInt8]
  var end: WireEnd
}

final class RawPeer: Sendable {
  private let descriptor: Lock<Int32>
  private var fd: Int32 { descriptor.withLock { $0 } }

  init(adopting fd: Int32) {
    descriptor = Lock(fd)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// A socket that is not connected yet.
  static func make(receiveBuffer: Int32? = nil, isIPv6: Bool = false) -> RawPeer {
    let fd = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(fd >= 0, "no descriptor for a test")
    if var size = receiveBuffer {
      unsafe setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    return RawPeer(adopting: fd)
  }

  deinit { close() }

  func connect(port: UInt16, isIPv6: Bool = false) {
    let outcome: Int32
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      outcome = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          unsafe Glibc.connect(fd, generic, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      outcome = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          unsafe Glibc.connect(fd, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    // io_uring's completions interrupt calls of the thread that made the requests; the connecting goes on.
    if outcome < 0 && errno == EINTR { return awaitConnected() }
    precondition(outcome == 0, "a test could not connect: errno \(errno)")
  }

  private func awaitConnected() {
    var request = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    while unsafe poll(&request, 1, -1) < 0 { precondition(errno == EINTR, "a test could not wait") }
    let number = pendingError
    precondition(number == 0, "a test could not connect: errno \(number)")
  }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { raw in
        unsafe Glibc.send(fd, raw.baseAddress! + sent, raw.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      sent += count
    }
  }

  /// Reads until the end of the stream, `pieceSize` bytes at a time.
  func readAll(pieceSize: Int = 65_536) -> Wire {
    var wire = Wire(bytes: [], end: .fin)
    while read(atMost: pieceSize, into: &wire) {}
    return wire
  }

  /// Reads `count` bytes, or fewer when the stream ends.
  func read(_ count: Int) -> Wire {
    var wire = Wire(bytes: [], end: .fin)
    while wire.bytes.count < count, read(atMost: count - wire.bytes.count, into: &wire) {}
    return wire
  }

  private func read(atMost size: Int, into wire: inout Wire) -> Bool {
    var piece = [UInt8](repeating: 0, count: size)
    var count: Int
    repeat {
      count = unsafe piece.withUnsafeMutableBytes { raw in unsafe recv(fd, raw.baseAddress!, raw.count, 0) }
    } while count < 0 && errno == EINTR
    if count > 0 {
      wire.bytes += piece[..<count]
      return true
    }
    let number = errno
    if count < 0 { wire.end = number == ECONNRESET ? .reset : number == EAGAIN ? .timeout : .failed(number) }
    return false
  }

  /// Reads on another thread.
  func readAllInBackground(pieceSize: Int = 65_536, done: @escaping @Sendable () -> Void) throws -> Reading {
    let wire = Reading.Result()
    let thread = try PlatformThread.start(name: "peer") {
      let all = self.readAll(pieceSize: pieceSize)
      wire.value.withLock { $0 = all }
      done()
    }
    return Reading(wire, thread)
  }

  /// What another thread reads; joined at the end.
  final class Reading: Sendable {
    final class Result: Sendable {
      let value = Lock<Wire?>(nil)
    }
    private struct Once: ~Copyable {
      var thread: PlatformThread?
    }
    private let wire: Result
    private let thread: Lock<Once>

    fileprivate init(_ wire: Result, _ thread: consuming sending PlatformThread) {
      self.wire = wire
      self.thread = Lock(Once(thread: thread))
    }

    deinit { if let ending = thread.withLock({ once -> PlatformThread? in once.thread.take() }) { ending.join() } }

    var result: Wire? { wire.value.withLock { $0 } }
  }

  func shutdownWrite() { _ = shutdown(fd, Int32(SHUT_WR)) }
  func shutdownRead() { _ = shutdown(fd, Int32(SHUT_RD)) }

  func close() {
    let closing = descriptor.withLock { fd in
      defer { fd = -1 }
      return fd
    }
    if closing >= 0 { _ = Glibc.close(closing) }
  }

  /// Closes so that the other end sees RST.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// The socket's pending error.
  var pendingError: Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length)
    return value
  }
}

/// A listening socket outside of any loop.
final class RawListener: Sendable {
  private let fd: Int32
  let port: UInt16

  init() {
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = fd
    let outcome = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(descriptor, generic, length) == 0 && Glibc.listen(descriptor, 16) == 0
          && getsockname(descriptor, generic, &length) == 0
      }
    }
    precondition(outcome, "a test could not listen")
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { _ = Glibc.close(fd) }

  func accept() -> RawPeer { RawPeer(adopting: Glibc.accept(fd, nil, nil)) }
}
