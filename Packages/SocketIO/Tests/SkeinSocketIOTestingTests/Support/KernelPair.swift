// KernelPair: a client and a server of the real kernel on loopback, to compare the simulated ones with.

import Glibc

/// FIN or RST of the peer; GNU's, which Swift does not import.
let pollPeerEnded: Int32 = 0x2000

struct KernelPair: ~Copyable {
  let client: Int32
  let server: Int32
  private var isServerOpen = true

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let isConnected = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(listener, pointer, size) == 0 && listen(listener, 1) == 0
          && getsockname(listener, pointer, &size) == 0 && connect(client, pointer, size) == 0
      }
    }
    self.client = client
    server = isConnected ? accept(listener, nil, nil) : -1
    if server < 0 { throw KernelFailure(errorNumber: errno) }
  }

  struct KernelFailure: Error { let errorNumber: Int32 }

  func send(_ count: Int, from side: Int32) {
    _ = unsafe [UInt8](repeating: 7, count: count).withUnsafeBytes { bytes in
      unsafe Glibc.send(side, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
  }

  mutating func closeServer(aborting: Bool = false) {
    var choice = linger(l_onoff: aborting ? 1 : 0, l_linger: 0)
    unsafe setsockopt(server, SOL_SOCKET, SO_LINGER, &choice, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(server)
    isServerOpen = false
  }

  /// Waits until one of the events is there; errors and hang-ups always are.
  func wait(for events: Int32, on side: Int32) -> Bool {
    var one = pollfd(fd: side, events: Int16(events), revents: 0)
    return unsafe poll(&one, 1, 10_000) == 1
  }

  /// What the client is told, in the words of a `Play`.
  func story() -> [String] {
    var words: [String] = []
    var total = 0
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe recv(client, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
      }
      let error = errno
      if count > 0 {
        total += count
        continue
      }
      if total > 0 { words.append("received \(total)") }
      if count < 0 { return error == EAGAIN ? words : words + ["failed \(name(ofError: error))"] }
      words.append("receivedEnd")
      var pending: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      unsafe getsockopt(client, SOL_SOCKET, SO_ERROR, &pending, &size)
      return pending == 0 ? words : words + ["failed \(name(ofError: pending))"]
    }
  }

  deinit {
    Glibc.close(client)
    if isServerOpen { Glibc.close(server) }
  }
}
