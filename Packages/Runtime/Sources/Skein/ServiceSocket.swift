// ServiceSocket: the connection of one service: what has arrived waits here until the service reads it.
//
// Shared by:  the loop, whose events come under its lock on whichever thread dispatches, and the service.
// Invariants:
//   I1  at most one "changed" message is on its way: `isNotified` is set by whoever sends it and cleared by the
//       service's turn before it looks, so a change after that look sends the next one.
//   I2  while `unread` is at its limit the connection is paused: `received` pauses it whenever the limit is reached,
//       and `read`, which empties it, resumes it afterwards. Nothing calls the loop while the lock is held, so the
//       two calls may come in the wrong order: `received` looks again after its pause, and whoever finds `unread`
//       below the limit resumes.

internal import SkeinPlatform
internal import SkeinScheduler
public import SkeinSocketIO

/// A connection as its service sees it.
///
/// The service is told of changes with ``SocketService/socketChanged()`` and looks here what they are.
///
/// - Thread safety: any thread; meant for the service's own.
public final class ServiceSocket: Sendable {
  private struct Inbox {
    var unread: [UInt8] = []
    var hasEnded = false
    var closeReason: CloseReason?
    var isWritable = true
    var isDraining = false
    var isNotified = false
    var notify: (@Sendable () -> Void)?
  }

  /// The address at the other end.
  public var peerAddress: SocketEndpoint { connection.peerAddress }
  let connection: Connection
  private let unreadLimit: Int
  // MARK: Under lock
  private let inbox = Lock(Inbox())

  init(_ connection: Connection, unreadLimit: Int) {
    self.connection = connection
    self.unreadLimit = unreadLimit
  }

  // MARK: - The service's side

  /// Takes everything that has arrived; reading goes on if it was paused.
  public func read() -> [UInt8] {
    let (bytes, wasFull) = inbox.withLock { inbox in
      let bytes = inbox.unread
      inbox.unread = []
      return (bytes, bytes.count >= unreadLimit)
    }
    if wasFull { connection.resume() }
    return bytes
  }

  /// Whether the peer has sent its last byte and all of them were read.
  public var inputEnded: Bool { inbox.withLock { $0.hasEnded && $0.unread.isEmpty } }
  /// Whether bytes wait to be read.
  public var hasUnread: Bool { inbox.withLock { !$0.unread.isEmpty } }
  /// Why the connection is over; `nil` while it is not.
  public var closeReason: CloseReason? { inbox.withLock { $0.closeReason } }
  /// Whether the node shuts down: answer what was received and close.
  public var isDraining: Bool { inbox.withLock { $0.isDraining } }
  /// Whether the write queue is below its high watermark.
  public var isWritable: Bool { inbox.withLock { $0.isWritable } }
  /// Bytes that wait to be written.
  public var queuedBytes: Int { connection.queuedBytes }

  /// Sends bytes; see `Connection.send(_:)`.
  @discardableResult
  public func write(_ bytes: [UInt8]) -> WriteReceipt { connection.send(bytes) }

  /// Ends the connection and loses nothing; the service exits afterwards.
  public func close() { connection.close() }

  /// Ends the connection at once; the service exits afterwards.
  public func abort() { connection.abort() }

  // MARK: - The runtime's side

  /// Sets what sends the "changed" message, and sends the first one.
  func attach(_ notify: @escaping @Sendable () -> Void) {
    inbox.withLock { $0.notify = notify }
    connection.start(handler: self)
    change { _ in }
  }

  /// The "changed" message has arrived: a later change sends another.
  func acknowledge() { inbox.withLock { $0.isNotified = false } }

  /// Asks the service to come to an end.
  func drain() { change { $0.isDraining = true } }

  private func change(_ body: (inout Inbox) -> Void) {
    let notify = inbox.withLock { inbox in
      body(&inbox)
      if inbox.isNotified { return nil as (@Sendable () -> Void)? }
      inbox.isNotified = true
      return inbox.notify
    }
    notify?()
  }
}

extension ServiceSocket: ConnectionHandler {
  /// Keeps the bytes for the service; called by the loop.
  public func received(_ connection: Connection, _ bytes: RawSpan) {
    var isFull = false
    change { inbox in
      unsafe bytes.withUnsafeBytes { raw in unsafe inbox.unread.append(contentsOf: raw) }
      isFull = inbox.unread.count >= unreadLimit
    }
    guard isFull else { return }
    connection.pause()
    // The service may have read between the two, and its resumption have come before the pause.
    if inbox.withLock({ $0.unread.count < unreadLimit }) { connection.resume() }
  }

  /// Notes the end of the input; called by the loop.
  public func inputEnded(_ connection: Connection) { change { $0.hasEnded = true } }

  /// Notes whether more may be written; called by the loop.
  public func writabilityChanged(_ connection: Connection, isWritable: Bool) {
    change { $0.isWritable = isWritable }
  }

  /// Notes the end; called by the loop.
  public func closed(_ connection: Connection, reason: CloseReason) { change { $0.closeReason = reason } }
}

/// A service that serves one connection.
///
/// It is made when the connection is accepted (without ``SkeinService/start()``), and exits when it is closed; when
/// the service ends first, the connection is closed.
public protocol SocketService: SkeinService {
  /// The service's connection; store what it was made with.
  nonisolated var socket: ServiceSocket { get }

  /// Something about ``socket`` has changed: bytes arrived, the input ended, more may be written, the node drains,
  /// or it is closed. Called once at the beginning too. Several changes may come as one.
  func socketChanged()
}
