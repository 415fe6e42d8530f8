// RawPeer: a peer made of bare sockets, which does what it is told and nothing else.

import Glibc
import SkeinPlatform

/// A socket of a peer; blocking.
final class RawPeer: Sendable {
  private let descriptor: Int32

  init(adopting descriptor: Int32) { self.descriptor = descriptor }

  /// Connects to a port of this machine.
  convenience init(port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let failure = unsafe RawPeer.withLoopback(port) { address, size in unsafe Glibc.connect(descriptor, address, size) }
    precondition(failure == 0, "connect: errno \(errno)")
    self.init(adopting: descriptor)
  }

  deinit { _ = Glibc.close(descriptor) }

  static func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  func send(_ bytes: [UInt8]) {
    var at = 0
    while at < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { raw in
        unsafe Glibc.send(descriptor, raw.baseAddress! + at, raw.count - at, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      at += count
    }
  }

  /// The next `count` bytes, fewer when the other side has ended.
  func read(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var piece = [UInt8](repeating: 0, count: count - bytes.count)
      let size = unsafe piece.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress!, $0.count, 0) }
      if size <= 0 { break }
      bytes += piece[..<size]
    }
    return bytes
  }

  /// The next packet without its size bytes; `nil` at the end.
  func readPacket() -> [UInt8]? {
    let size = read(2)
    guard size.count == 2 else { return nil }
    let count = Int(size[0]) << 8 | Int(size[1])
    let packet = read(count)
    return packet.count == count ? packet : nil
  }

  /// Ends our direction.
  func finish() { _ = shutdown(descriptor, Int32(SHUT_WR)) }
}

/// A port of this machine that is taken: connections to it are refused until somebody listens.
final class RawPort: Sendable {
  let descriptor: Int32
  let number: UInt16

  init() {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bound = descriptor
    let failure = unsafe RawPeer.withLoopback(0) { address, size in unsafe bind(bound, address, size) }
    precondition(failure == 0, "bind: errno \(errno)")
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(bound, $0, &size) }
    }
    number = UInt16(bigEndian: address.sin_port)
  }

  deinit { _ = close(descriptor) }
}

/// A listening socket of this machine.
final class RawListener: Sendable {
  private let bound = RawPort()
  var port: UInt16 { bound.number }

  init() { precondition(listen(bound.descriptor, 128) == 0, "listen: errno \(errno)") }

  /// Waits for a connection; `nil` once the listener is stopped.
  func accept() -> RawPeer? {
    let accepted = Glibc.accept(bound.descriptor, nil, nil)
    return accepted < 0 ? nil : RawPeer(adopting: accepted)
  }

  func stop() { _ = shutdown(bound.descriptor, Int32(SHUT_RDWR)) }
}

/// A small request's session, whatever its address.
func session(of packet: [UInt8]) -> [UInt8] {
  packet[0] & 0x80 == 0 ? Array(packet[5..<9]) : Array(packet[(2 + Int(packet[1]))...].prefix(4))
}

/// A packet with its size bytes.
func packet(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes }
