// A ring poller with a loop of a few lines, and plain sockets at the other end.

#if SKEIN_IOURING
import CSkeinPlatform
import CSkeinRing
import Glibc
import SkeinPlatform
import Testing

@testable import SkeinSocketIO

/// An event as a value.
enum Seen: Hashable {
  case received(Int)
  case receivedEnd
  case receiveFailed(Int32)
  case sent(Int)
  case sendFailed(Int32)
  case accepted
  case acceptFailed(Int32)
  case connected
  case connectFailed(Int32)
  case hangUp(Int32)
  case released
}

/// One thread that does what a loop does.
final class RingHarness {
  let poller: RingPoller
  /// All events by slot, without the received bytes.
  private(set) var seen: [SlotToken: [Seen]] = [:]
  /// How many bytes were received by slot.
  private(set) var input: [SlotToken: Int] = [:]
  /// How many times they were not what the peer had sent next.
  private(set) var mismatches = 0
  /// Accepted descriptors.
  private(set) var accepted: [Int32] = []
  private(set) var eventCount = 0
  /// Called after an event was noted.
  var onEvent: ((SlotToken, Seen) -> Void)?
  private var nextIndex: UInt32 = 0

  init(submissions: UInt32 = 256, completions: UInt32 = 1024, buffers: UInt32 = 64, bufferSize: UInt32 = 4096) throws {
    poller = try RingPoller(
      options: skein_ring_options(
        submission_entries: submissions, completion_entries: completions, buffer_count: buffers,
        buffer_size: bufferSize), batch: 32)
    // The calling thread becomes the owner.
    turn()
  }

  /// Waits, collects and flushes once.
  ///
  /// - Returns: whether anything happened before `deadline`.
  @discardableResult
  func turn(until deadline: MonotonicInstant? = nil) -> Bool {
    let before = eventCount
    let mayCollect = poller.waitInKernel(until: deadline ?? .now.advanced(by: .seconds(20)))
    if mayCollect { collect(afterWait: true) }
    return mayCollect || eventCount != before
  }

  /// Collects and flushes.
  func collect(afterWait: Bool) {
    _ = unsafe poller.collect(afterWait: afterWait) { token, event in unsafe note(token, event) }
    poller.flush()
  }

  /// Turns until `condition` holds; after 20 s in which nothing happens it gives up.
  func run(until condition: () -> Bool) -> Bool {
    while !condition() {
      if !turn() { return condition() }
    }
    return true
  }

  private func note(_ token: SlotToken, _ event: PollerEvent) {
    eventCount += 1
    let entry: Seen
    switch unsafe event {
    case .received(let bytes):
      if unsafe !TestPeer.matches(bytes, at: input[token, default: 0]) { mismatches += 1 }
      input[token, default: 0] += bytes.count
      entry = .received(bytes.count)
    case .receivedEnd: entry = .receivedEnd
    case .receiveFailed(let number): entry = .receiveFailed(number)
    case .sent(let count): entry = .sent(count)
    case .sendFailed(let number): entry = .sendFailed(number)
    case .accepted(let descriptor, _):
      accepted.append(descriptor)
      entry = .accepted
    case .acceptFailed(let number): entry = .acceptFailed(number)
    case .connected: entry = .connected
    case .connectFailed(let number): entry = .connectFailed(number)
    case .hangUp(let number): entry = .hangUp(number)
    case .released: entry = .released
    }
    if case .received = entry {} else { seen[token, default: []].append(entry) }
    onEvent?(token, entry)
  }

  /// Adopts one end of a new connection; the other end is the test's.
  func connect() -> (token: SlotToken, peer: TestPeer) {
    let pair = TestPeer.pair()
    let token = SlotToken(index: nextIndex, generation: 1)
    nextIndex += 1
    poller.adopt(pair.ours, as: token, kind: .connection)
    return (token, pair.peer)
  }

  /// Adopts a listener on a free port of loopback.
  func listen() -> (token: SlotToken, port: UInt16) {
    let (descriptor, port) = TestPeer.listener()
    let token = SlotToken(index: nextIndex, generation: 1)
    nextIndex += 1
    poller.adopt(descriptor, as: token, kind: .listener)
    return (token, port)
  }
}

/// The far end of a connection: a plain non-blocking socket.
final class TestPeer {
  let descriptor: Int32
  private(set) var sentCount = 0

  init(descriptor: Int32) { self.descriptor = descriptor }
  deinit { close() }

  private(set) var isClosed = false
  func close() {
    if !isClosed { _ = skein_close(descriptor) }
    isClosed = true
  }

  func reset() {
    _ = skein_socket_set_linger_reset(descriptor)
    close()
  }

  func endOutput() { _ = skein_socket_shutdown_write(descriptor) }

  /// What every test peer sends, from the beginning on.
  private static let stream = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  /// Whether `bytes` stand at `offset` of the stream.
  static func matches(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    unsafe stream.withUnsafeBytes { all in
      unsafe memcmp(all.baseAddress! + offset, bytes.baseAddress!, bytes.count) == 0
    }
  }

  /// Sends the next bytes of the stream up to a total of `total`, as many as fit.
  ///
  /// - Returns: whether some were sent.
  @discardableResult
  func send(upTo total: Int) -> Bool {
    let before = sentCount
    while sentCount < total {
      let count = unsafe Self.stream.withUnsafeBytes { all in
        unsafe skein_socket_send(descriptor, all.baseAddress! + sentCount, min(64 << 10, total - sentCount))
      }
      if count <= 0 { break }
      sentCount += count
    }
    return sentCount != before
  }

  /// What can be read now; `nil` at the end or after an error.
  func receive() -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe chunk.withUnsafeMutableBytes { bytes in
      unsafe skein_socket_receive(descriptor, bytes.baseAddress!, bytes.count)
    }
    if count == -Int(EAGAIN) { return [] }
    return count <= 0 ? nil : Array(chunk[..<count])
  }

  /// Waits until something can be read, then reads it; `nil` at the end or after an error.
  func awaitInput() -> [UInt8]? {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = unsafe Glibc.poll(&entry, 1, 20_000)
    return receive()
  }

  static func listener() -> (descriptor: Int32, port: UInt16) {
    let descriptor = skein_socket_stream(AF_INET)
    var address = SocketEndpoint.loopback(port: 0).storage
    precondition(unsafe skein_socket_bind(descriptor, &address) == 0, "bind")
    precondition(skein_socket_listen(descriptor, 512) == 0, "listen")
    precondition(unsafe skein_socket_local(descriptor, &address) == 0, "getsockname")
    return (descriptor, SocketEndpoint(address).port)
  }

  /// Connects to a port of loopback.
  static func connected(to port: UInt16) -> TestPeer {
    let descriptor = skein_socket_stream(AF_INET)
    connect(descriptor, to: port)
    return TestPeer(descriptor: descriptor)
  }

  static func connect(_ descriptor: Int32, to port: UInt16) {
    var address = SocketEndpoint.loopback(port: port).storage
    _ = unsafe skein_socket_connect(descriptor, &address)
  }

  /// Two ends of a connection over loopback.
  static func pair() -> (ours: Int32, peer: TestPeer) {
    let (listener, port) = Self.listener()
    defer { _ = skein_close(listener) }
    let peer = connected(to: port)
    var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    _ = unsafe Glibc.poll(&entry, 1, 20_000)
    var address = sockaddr_storage()
    let ours = unsafe skein_socket_accept(listener, &address)
    precondition(ours >= 0, "accept")
    return (ours, peer)
  }
}
#endif
