// FreePort, MutePort: a port on loopback, held or found; one where nobody answers.

import Glibc

/// A listening socket that holds a port.
@safe final class FreePort {
  let port: UInt16
  private var descriptor: Int32

  /// Listens on a port: 0 for one of the kernel's choice.
  ///
  /// - Parameter backlog: one less than the connections that the kernel makes while nobody accepts them.
  init(port wanted: UInt16 = 0, backlog: Int32 = 1) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
    address.sin_port = wanted.bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let socket = descriptor
    let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(socket, pointer, size) | listen(socket, backlog) | getsockname(socket, pointer, &size)
      }
    }
    guard status == 0 else {
      close(descriptor)
      descriptor = -1
      throw Failure("no port to listen on: errno \(errno)")
    }
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Hands the listening socket over to the caller.
  func release() -> Int32 {
    defer { descriptor = -1 }
    return descriptor
  }

  /// Listens on a port below those that the kernel gives to outgoing connections, so that it stays free when it is
  /// left for a moment.
  static func lasting() throws -> FreePort {
    for _ in 0..<1_000 {
      if let port = try? FreePort(port: .random(in: 15_000..<30_000)) { return port }
    }
    throw Failure("no port of 1,000 is free")
  }

  /// A port that was free a moment ago.
  static func find() throws -> UInt16 { try FreePort().port }
}

/// A port whose kernel drops what comes: the address of a host that does not answer. Its backlog is full.
final class MutePort {
  private let held: FreePort
  private let filler: RawClient

  var port: UInt16 { held.port }

  init() throws {
    held = try FreePort(backlog: 0)
    filler = try RawClient(port: held.port)
  }
}
