// Peer: the other end of a connection, with blocking system calls, which tells FIN and RST apart.

import Glibc
import Skein
import SkeinPlatform
import SkeinSocketIO

/// How a peer's stream ended.
enum StreamEnd: Equatable, Sendable {
  case fin, reset, timeout
  case failed(Int32)
}

/// What a peer has read.
struct Stream: Sendable {
  var bytes: [UInt8] = []
  var end: StreamEnd?
}

/// A client's blocking socket. Its calls give up after 20 s, so that a fault fails a test instead of hanging it.
final class Peer: Sendable {
  private let fd: Int32

  /// Connects.
  ///
  /// - Throws: ``SystemCallError`` when the connection is refused.
  init(_ address: SocketEndpoint, receiveBuffer: Int32? = nil, sendBuffer: Int32? = nil) throws(SystemCallError) {
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(fd >= 0, "no descriptor for a test")
    if var size = receiveBuffer {
      unsafe setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    if var size = sendBuffer {
      unsafe setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var loopback = sockaddr_in()
    loopback.sin_family = sa_family_t(AF_INET)
    loopback.sin_port = address.port.bigEndian
    loopback.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let descriptor = fd
    let outcome = unsafe withUnsafePointer(to: &loopback) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if outcome != 0 { throw SystemCallError(call: "connect", errorNumber: errno) }
    // After connect: with a limit the kernel does not restart it when a thread that serves io_uring is interrupted.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(fd) }

  /// Sends all of it, unless the connection ends.
  ///
  /// - Returns: how many bytes the kernel took.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Int {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { raw in
        unsafe Glibc.send(fd, raw.baseAddress! + sent, raw.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { break }
      sent += count
    }
    return sent
  }

  /// Sends `block` again and again while the kernel takes it, and stops when it has not for half a second.
  ///
  /// - Returns: how many bytes the kernel took, at most about `limit`.
  func sendUntilStuck(_ block: [UInt8], limit: Int) -> Int {
    var sent = 0
    var interest = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    while sent < limit {
      guard unsafe poll(&interest, 1, 500) == 1 else { break }
      // Goes on in the middle of the block, so that what arrives is the block, repeated.
      let start = sent % block.count
      let count = unsafe block.withUnsafeBytes { raw in
        unsafe Glibc.send(fd, raw.baseAddress! + start, raw.count - start, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count > 0 { sent += count } else if errno != EAGAIN { break }
    }
    return sent
  }

  /// Reads `count` bytes, or fewer when the stream ends.
  func read(_ count: Int) -> Stream {
    var stream = Stream()
    while stream.bytes.count < count && readPiece(count - stream.bytes.count, into: &stream) {}
    return stream
  }

  /// Reads one packet of the cluster's wire, without its size.
  func readPacket() -> [UInt8] {
    let size = read(2).bytes
    return size.count == 2 ? read(Int(size[0]) << 8 | Int(size[1])).bytes : []
  }

  /// Reads to the end of the stream, a piece at a time.
  func readAll(piece: Int = 65_536) -> Stream {
    var stream = Stream()
    while readPiece(piece, into: &stream) {}
    return stream
  }

  private func readPiece(_ size: Int, into stream: inout Stream) -> Bool {
    var piece = [UInt8](repeating: 0, count: size)
    let count = unsafe piece.withUnsafeMutableBytes { raw in unsafe recv(fd, raw.baseAddress!, raw.count, 0) }
    let number = errno
    if count < 0 && number == EINTR { return true }
    if count > 0 {
      stream.bytes += piece[..<count]
      return true
    }
    stream.end =
      count == 0 ? .fin : number == ECONNRESET ? .reset : number == EAGAIN ? .timeout : .failed(number)
    return false
  }

  func shutdownWrite() { shutdown(fd, Int32(SHUT_WR)) }

  /// Lets the other end see RST when the peer is dropped.
  func resetWhenDropped() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }
}

/// Runs what blocks on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    do throws(SystemCallError) {
      _ = try PlatformThread.start(name: "peer") { continuation.resume(returning: body()) }
    } catch {
      preconditionFailure("no thread for a test: \(error)")
    }
  }
}

/// Bytes that repeat only after 251 of them, so that what is lost or doubled shows.
func pattern(_ count: Int) -> [UInt8] {
  let block = (0..<251).map { UInt8($0) }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + block.count)
  while bytes.count < count { bytes += block }
  bytes.removeLast(bytes.count - count)
  return bytes
}

extension Stream {
  /// Whether it is exactly these bytes; `#expect` would compute for hours in what two long arrays differ.
  func isExactly(_ expected: [UInt8]) -> Bool { end == .fin && bytes == expected }
}

/// The backends that run here.
let backends: [SocketBackend] = [.epoll, .ioUring].filter { $0.unavailability() == nil }
