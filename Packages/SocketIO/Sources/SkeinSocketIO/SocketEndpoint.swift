// SocketEndpoint: an IPv4 or IPv6 address with a port, as a small value.

internal import CSkeinPlatform
internal import Glibc

/// An address of TCP: IPv4 or IPv6, and a port.
///
/// Addresses are literal: names are not resolved.
public struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// The port; 0 lets the kernel choose when listening.
  public var port: UInt16
  /// Whether it is an IPv6 address.
  public let isIPv6: Bool
  /// The address in network order; IPv4 takes the first four bytes.
  private let bytes: InlineBytes
  /// The interface of a link-local IPv6 address, or 0.
  private let scope: UInt32

  private struct InlineBytes: Hashable {
    var high: UInt64
    var low: UInt64
  }

  /// Reads `127.0.0.1:6379` or `[::1]:6379`.
  ///
  /// - Throws: ``SocketError/invalidAddress(_:)``.
  public init(_ text: String) throws(SocketError) {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), let port = UInt16(text[text.index(after: colon)...])
    else { throw .invalidAddress(text) }
    var host = String(text[..<colon])
    if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
      host = String(host.dropFirst().dropLast())
      guard host.utf8.contains(UInt8(ascii: ":")) else { throw .invalidAddress(text) }
    } else if host.utf8.contains(UInt8(ascii: ":")) {
      throw .invalidAddress(text)
    }
    do throws(SocketError) { self = try SocketEndpoint(host: host, port: port) } catch { throw .invalidAddress(text) }
  }

  /// Makes an address from a literal host, such as `0.0.0.0` or `fe80::1%eth0`, and a port.
  ///
  /// - Throws: ``SocketError/invalidAddress(_:)``.
  public init(host: String, port: UInt16) throws(SocketError) {
    let parts = host.split(separator: "%", maxSplits: 1)
    var six = in6_addr()
    var four = in_addr()
    if unsafe inet_pton(AF_INET, host, &four) == 1 {
      self.init(family: false, port: port, high: UInt64(four.s_addr), low: 0, scope: 0)
    } else if let address = parts.first, unsafe inet_pton(AF_INET6, String(address), &six) == 1 {
      let scope = parts.count == 2 ? Self.scope(named: String(parts[1])) : 0
      guard parts.count == 1 || scope != 0 else { throw .invalidAddress(host) }
      let words = unsafe withUnsafeBytes(of: &six) { raw in
        unsafe (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      self.init(family: true, port: port, high: words.0, low: words.1, scope: scope)
    } else {
      throw .invalidAddress(host)
    }
  }

  private static func scope(named name: String) -> UInt32 {
    if let number = UInt32(name) { return number }
    return unsafe if_nametoindex(name)
  }

  private init(family isIPv6: Bool, port: UInt16, high: UInt64, low: UInt64, scope: UInt32) {
    self.isIPv6 = isIPv6
    self.port = port
    bytes = InlineBytes(high: high, low: low)
    self.scope = scope
  }

  /// The IPv4 address 127.0.0.1 with a port.
  public static func loopback(port: UInt16) -> SocketEndpoint {
    SocketEndpoint(family: false, port: port, high: UInt64(UInt32(0x7F00_0001).bigEndian), low: 0, scope: 0)
  }

  /// The IPv6 address ::1 with a port.
  public static func loopbackIPv6(port: UInt16) -> SocketEndpoint {
    SocketEndpoint(family: true, port: port, high: 0, low: UInt64(1).bigEndian, scope: 0)
  }

  /// Whether it names this machine only: 127.0.0.0/8, ::1, or an IPv4 loopback address within IPv6.
  public var isLoopback: Bool {
    if !isIPv6 { return bytes.high & 0xFF == 127 }
    let mapped = bytes.high == 0 && UInt32(truncatingIfNeeded: bytes.low).bigEndian == 0xFFFF
    return bytes.high == 0 && bytes.low.bigEndian == 1 || mapped && (bytes.low >> 32) & 0xFF == 127
  }

  /// The address without its port, such as `127.0.0.1` or `::1`.
  public var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    var raw = bytes
    let capacity = socklen_t(text.count)
    let family = isIPv6 ? AF_INET6 : AF_INET
    let name = unsafe text.withUnsafeMutableBufferPointer { buffer in
      unsafe withUnsafePointer(to: &raw) { source in
        unsafe String(cString: inet_ntop(family, source, buffer.baseAddress!, capacity))
      }
    }
    return scope == 0 ? name : "\(name)%\(scope)"
  }

  /// The address as text, such as `127.0.0.1:6379` or `[::1]:6379`.
  public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension SocketEndpoint {
  /// The address family's number.
  var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

  /// The address as the kernel takes it.
  var storage: sockaddr_storage {
    var storage = sockaddr_storage()
    unsafe withUnsafeMutableBytes(of: &storage) { raw in
      if isIPv6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_scope_id = scope
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { target in
          unsafe target.storeBytes(of: bytes.high, as: UInt64.self)
          unsafe target.storeBytes(of: bytes.low, toByteOffset: 8, as: UInt64.self)
        }
        unsafe raw.storeBytes(of: address, as: sockaddr_in6.self)
      } else {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: bytes.high)
        unsafe raw.storeBytes(of: address, as: sockaddr_in.self)
      }
    }
    return storage
  }

  /// Reads what the kernel gave; another family than IPv4 and IPv6 becomes 0.0.0.0:0.
  init(_ storage: sockaddr_storage) {
    self = unsafe withUnsafeBytes(of: storage) { raw in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let address = unsafe raw.loadUnaligned(as: sockaddr_in.self)
        return SocketEndpoint(
          family: false, port: UInt16(bigEndian: address.sin_port), high: UInt64(address.sin_addr.s_addr), low: 0,
          scope: 0)
      case AF_INET6:
        let address = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
        let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
        return unsafe SocketEndpoint(
          family: true, port: UInt16(bigEndian: address.sin6_port),
          high: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
          low: raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self), scope: address.sin6_scope_id)
      default: return SocketEndpoint(family: false, port: 0, high: 0, low: 0, scope: 0)
      }
    }
  }
}
