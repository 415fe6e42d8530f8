// RawClient: a client that blocks, on a bare socket, so that tests decide when bytes are sent and read.
//
// Owns:       the socket, and the bytes that were read and not yet asked for.
// Shared by:  one thread at a time.

import Glibc

/// A TCP client of a server on 127.0.0.1. No wait is longer than the hang guard; reaching it is an error.
///
/// `@unchecked Sendable`: used by one thread at a time; a test that hands it to another thread awaits that thread.
@safe final class RawClient: @unchecked Sendable {
  private(set) var descriptor: Int32
  private var buffer: [UInt8] = []
  private var consumed = 0

  /// Connects.
  ///
  /// - Parameters:
  ///   - receiveBuffer: size of the kernel's receive buffer in bytes; nil lets the kernel grow it.
  ///   - sendBuffer: size of the kernel's send buffer in bytes; nil lets the kernel grow it.
  init(port: UInt16, receiveBuffer: Int? = nil, sendBuffer: Int? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("no socket: errno \(errno)") }
    if let receiveBuffer { try set(SOL_SOCKET, SO_RCVBUF, Int32(receiveBuffer)) }
    if let sendBuffer { try set(SOL_SOCKET, SO_SNDBUF, Int32(sendBuffer)) }
    try set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    let guardTime = timeval(tv_sec: Environment.hangGuardSeconds, tv_usec: 0)
    try set(SOL_SOCKET, SO_RCVTIMEO, guardTime)
    try set(SOL_SOCKET, SO_SNDTIMEO, guardTime)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
    let status = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Failure("cannot connect to port \(port): errno \(errno)") }
  }

  /// The other end of a connection that was accepted.
  init(adopting descriptor: Int32) throws {
    self.descriptor = descriptor
    let guardTime = timeval(tv_sec: Environment.hangGuardSeconds, tv_usec: 0)
    try set(SOL_SOCKET, SO_RCVTIMEO, guardTime)
    try set(SOL_SOCKET, SO_SNDTIMEO, guardTime)
  }

  deinit { disconnect() }

  /// Closes the socket.
  func disconnect() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  /// Closes the socket with a RST: what was not sent or read is lost.
  func reset() throws {
    try set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    disconnect()
  }

  private func set<Value: BitwiseCopyable>(_ level: Int32, _ option: Int32, _ value: Value) throws {
    var value = value
    let size = socklen_t(MemoryLayout<Value>.size)
    guard unsafe setsockopt(descriptor, level, option, &value, size) == 0 else {
      throw Failure("socket option \(option) is refused: errno \(errno)")
    }
  }

  // MARK: Sending

  /// Sends all of `bytes`.
  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = push(bytes, from: sent, flags: Int32(MSG_NOSIGNAL))
      guard count > 0 else {
        throw Failure(
          errno == EAGAIN ? "the server took no byte for \(Environment.hangGuardSeconds) s" : "send: errno \(errno)")
      }
      sent += count
    }
  }

  /// Sends what the kernel takes of `bytes` beyond `start` without waiting, and says how much that was.
  func offer(_ bytes: [UInt8], from start: Int) throws -> Int {
    let count = push(bytes, from: start, flags: Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    guard count >= 0 || errno == EAGAIN else { throw Failure("send: errno \(errno)") }
    return max(count, 0)
  }

  /// Sends our FIN; the server's bytes can still be read.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  private func push(_ bytes: [UInt8], from start: Int, flags: Int32) -> Int {
    unsafe bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return 0 }
      return unsafe Glibc.send(descriptor, base + start, raw.count - start, flags)
    }
  }

  // MARK: Receiving

  /// Waits up to `milliseconds` for a byte or the end of the stream.
  func isReadable(withinMilliseconds milliseconds: Int) -> Bool {
    if consumed < buffer.count { return true }
    var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&interest, 1, Int32(milliseconds)) > 0
  }

  /// The next `count` bytes.
  func read(exactly count: Int) throws -> [UInt8] {
    while buffer.count - consumed < count {
      guard try receive() else { throw Failure("the stream ended \(count - buffer.count + consumed) bytes early") }
    }
    let bytes = Array(buffer[consumed..<(consumed + count)])
    consumed += count
    return bytes
  }

  /// The next byte, or nil at the end of the stream.
  func readByte() throws -> UInt8? {
    if consumed == buffer.count {
      guard try receive() else { return nil }
    }
    consumed += 1
    return buffer[consumed - 1]
  }

  /// Everything up to the end of the stream.
  func readToEnd() throws -> [UInt8] {
    while try receive() {}
    return try read(exactly: buffer.count - consumed)
  }

  /// Whether the stream ends here. Waits for the end or for a byte.
  func isAtEnd() throws -> Bool {
    guard consumed == buffer.count else { return false }
    return try !receive()
  }

  /// The next answer.
  func readReply() throws -> Reply {
    let line = try readLine()
    let text = String(decoding: line.dropFirst(), as: UTF8.self)
    switch line.first {
    case UInt8(ascii: "+"): return .simple(text)
    case UInt8(ascii: "-"): return .error(text)
    case UInt8(ascii: ":"):
      if let value = Int(text) { return .integer(value) }
    case UInt8(ascii: "$"):
      guard let count = Int(text) else { break }
      if count < 0 { return .null }
      let bytes = try read(exactly: count)
      if try read(exactly: 2) == [13, 10] { return .bulk(bytes) }
    case UInt8(ascii: "*"):
      guard let count = Int(text) else { break }
      if count < 0 { return .nullArray }
      var elements: [Reply] = []
      for _ in 0..<count { elements.append(try readReply()) }
      return .array(elements)
    default: break
    }
    throw Failure("this is no RESP: \(String(decoding: line, as: UTF8.self))")
  }

  /// Sends one request and reads its answer.
  func ask(_ arguments: String...) throws -> Reply {
    try send(Request.bytes(arguments.map { Array($0.utf8) }))
    return try readReply()
  }

  private func readLine() throws -> [UInt8] {
    var looked = 0
    while true {
      if let end = buffer[(consumed + looked)...].firstIndex(of: 10) {
        let line = Array(buffer[consumed..<(end - 1)])
        consumed = end + 1
        return line
      }
      looked = buffer.count - consumed
      let before = consumed
      guard try receive() else { throw Failure("the stream ended where an answer was due") }
      precondition(before >= consumed, "receiving moves the buffer's content to the front only")
    }
  }

  /// Adds what has arrived to the buffer; waits for it. False at the end of the stream.
  private func receive() throws -> Bool {
    if consumed > 0, consumed == buffer.count || consumed > 1 << 20 {
      buffer.removeSubrange(..<consumed)
      consumed = 0
    }
    let old = buffer.count
    let room = 262_144
    let descriptor = descriptor
    var count = 0
    var number: Int32 = 0
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: room) { space, used in
      count = unsafe recv(descriptor, space.baseAddress, room, 0)
      number = errno
      used = max(count, 0)
    }
    if count > 0 {
      buffer += chunk
      return buffer.count > old
    }
    if count == 0 { return false }
    throw Failure(
      number == EAGAIN ? "no byte came for \(Environment.hangGuardSeconds) s" : "receive: errno \(number)")
  }
}
