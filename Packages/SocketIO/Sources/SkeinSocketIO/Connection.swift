// Connection: what users hold of one TCP connection.

internal import SkeinPlatform
internal import Synchronization

/// One TCP connection of a ``SocketLoop``.
///
/// Bytes are sent from any thread, events go to the handler that ``start(handler:)`` names. A call takes effect at once
/// when no other thread is in the loop, and otherwise just before that thread leaves it; one thread's calls take effect
/// in their order.
///
/// ```swift
/// func accepted(_ connection: Connection) { connection.start(handler: self) }
/// func received(_ connection: Connection, _ bytes: RawSpan) { _ = connection.send(bytes) }
/// ```
///
/// - Thread safety: any thread.
public final class Connection: Sendable {
  /// A number that no other connection of this process has.
  public let id: UInt64
  /// The address at the other end.
  public let peerAddress: SocketEndpoint
  private let core: ConnectionCore

  private static let nextID = Atomic<UInt64>(1)

  init(core: ConnectionCore, peerAddress: SocketEndpoint) {
    // Relaxed: only has to be a new number.
    id = Self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    self.core = core
    self.peerAddress = peerAddress
  }

  deinit {
    // An accepted connection that nobody started and nobody holds any more; otherwise the loop would hold it.
    // Relaxed: nobody else can start it now.
    if core.sendState.load(ordering: .relaxed) == ConnectionCore.SendState.notStarted {
      core.leaveWish { $0.closes = true }
    }
  }

  // MARK: Reading

  /// Begins to read an accepted connection, with `handler` told of its events from now on.
  ///
  /// On a connection that has a handler the new one takes its place, without any event to the old one; if the
  /// peer has ended its direction already, the new one is told so. If the
  /// connection has ended already the handler is told so with ``ConnectionHandler/closed(_:reason:)`` and nothing else.
  public func start(handler: any ConnectionHandler) {
    core.allowSends()
    core.request {
      core.start(handler, self)
    } orLeave: {
      $0.addStart(handler, self)
    }
  }

  /// Stops reading until ``resume()``: the peer's bytes wait in the kernel, then at the peer.
  ///
  /// A reset is still noticed; the end of input is not. When called within a handler nothing more is received.
  public func pause() {
    core.request {
      core.setPaused(true)
    } orLeave: {
      $0.isPaused = true
    }
  }

  /// Reads again after ``pause()``.
  public func resume() {
    core.request {
      core.setPaused(false)
    } orLeave: {
      $0.isPaused = false
    }
  }

  // MARK: Writing

  /// Sends bytes: at once if the kernel has room, later what it has not.
  ///
  /// - Returns: whether they were taken. Accepted bytes reach the peer in order, unless it resets the connection, we
  ///   ``abort()``, or a limit passes after ``close()``. A block into an empty queue is always accepted.
  /// - Complexity: one system call, or a copy.
  public func send(_ bytes: [UInt8]) -> WriteReceipt { send(bytes, .high) }

  /// Sends bytes that are lent for the call.
  public func send(_ bytes: RawSpan) -> WriteReceipt {
    unsafe bytes.withUnsafeBytes { raw in unsafe send(raw, .high) }
  }

  /// Sends a block when nothing of ``send(_:)`` waits; once begun it is finished first.
  public func sendLow(_ bytes: [UInt8]) -> WriteReceipt { send(bytes, .low) }

  private func send(_ bytes: [UInt8], _ priority: SendPriority) -> WriteReceipt {
    send(count: bytes.count, priority) {
      unsafe bytes.withUnsafeBytes { raw in unsafe core.write(raw, priority) }
    } orLeave: { inbox in
      if priority == .high { inbox.high.append(bytes) } else { inbox.low.append(bytes) }
    }
  }

  private func send(_ raw: UnsafeRawBufferPointer, _ priority: SendPriority) -> WriteReceipt {
    send(count: raw.count, priority) {
      unsafe core.write(raw, priority)
    } orLeave: { inbox in
      let bytes = unsafe [UInt8](raw)
      if priority == .high { inbox.high.append(bytes) } else { inbox.low.append(bytes) }
    }
  }

  private func send(
    count: Int, _ priority: SendPriority, now: () -> Void, orLeave: (inout ConnectionInbox) -> Void
  ) -> WriteReceipt {
    // Relaxed: a hint; whether the bytes go out is decided under the gate.
    switch core.sendState.load(ordering: .relaxed) {
    case ConnectionCore.SendState.open: break
    case ConnectionCore.SendState.notStarted: return .notStarted
    default: return .closed
    }
    if count == 0 { return .accepted(queuedBytes: queuedBytes) }
    guard core.reserve(count) != nil else { return .full(limit: core.monitor.limits.maxQueuedBytes) }
    core.request(now, orLeave: orLeave)
    return .accepted(queuedBytes: queuedBytes)
  }

  /// Ends our direction after what is queued (FIN); the peer may still send, and is read.
  public func shutdownWrite() {
    core.refuseSends()
    core.request {
      core.shutdownWrite()
    } orLeave: {
      $0.shutsDownWrite = true
    }
  }

  // MARK: The end

  /// Ends the connection and loses nothing: what is queued is written, then FIN is sent.
  ///
  /// The handler is told at once. The descriptor stays until the peer has ended its direction too, at most as long as
  /// ``SocketLimits/flushLimit`` and ``SocketLimits/lingerTime`` say; what the peer sends meanwhile is discarded.
  public func close() {
    core.refuseSends()
    core.request {
      core.close()
    } orLeave: {
      $0.closes = true
    }
  }

  /// Ends the connection at once; queued bytes are dropped.
  public func abort() {
    core.refuseSends()
    core.request {
      core.abort()
    } orLeave: {
      $0.aborts = true
    }
  }

  // MARK: What it is like

  // Relaxed: a recent number is enough.
  /// Bytes that wait to be written.
  public var queuedBytes: Int { core.queued.load(ordering: .relaxed) }
  /// Why it is over; `nil` while it is not.
  public var closeReason: CloseReason? { core.reason.withLock { $0 } }
  /// Whether the peer has ended its direction, or reset the connection, as far as this machine's kernel knows: also
  /// while the event waits to be told, or bytes before it wait to be read.
  ///
  /// For protocols in which a peer that has ended its direction does not answer any more: ask before a request is
  /// written, since a request that is written afterwards is lost. `true` when the connection is over or not yet there.
  ///
  /// - Complexity: one system call.
  public var peerHasEnded: Bool { core.peerHasEnded }
  /// Bytes read so far.
  public var bytesReceived: Int { core.bytesReceived.value }
  /// Bytes that the kernel took so far.
  public var bytesSent: Int { core.bytesSent.value }
}
