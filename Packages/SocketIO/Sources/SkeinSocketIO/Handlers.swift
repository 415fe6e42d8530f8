// What a loop tells its users: of listeners and of connections.

public import SkeinPlatform

/// Hears of a listener's connections.
///
/// Methods run on whichever thread dispatches the loop's events, one at a time, and keep all of the loop's connections
/// waiting: push into a mailbox and return. They may call anything of the loop.
public protocol ListenerHandler: AnyObject, Sendable {
  /// A client has connected. Call ``Connection/start(handler:)``, now or later; until then nothing is read.
  ///
  /// A connection that is not started, and to which no reference is left, is closed.
  func accepted(_ connection: Connection)
  /// Descriptors or memory have run out. Clients wait in the backlog; accepting is tried again every `retryAfter`.
  ///
  /// Comes once until ``acceptResumed()``.
  func acceptPaused(_ error: SocketError, retryAfter: Duration)
  /// Accepting goes on.
  func acceptResumed()
}

extension ListenerHandler {
  /// Does nothing: clients wait in the backlog.
  public func acceptPaused(_ error: SocketError, retryAfter: Duration) {}
  /// Does nothing.
  public func acceptResumed() {}
}

/// Hears of one connection, or of many.
///
/// Methods run on whichever thread dispatches the loop's events, one at a time, and keep all of the loop's connections
/// waiting: push into a mailbox and return. They may call anything of the loop. The loop keeps the handler until
/// ``closed(_:reason:)``, which comes exactly once and last.
public protocol ConnectionHandler: AnyObject, Sendable {
  /// An outgoing connection is there. Comes first, and not for accepted connections.
  func connected(_ connection: Connection)
  /// Bytes arrived; they are lent for the call.
  func received(_ connection: Connection, _ bytes: RawSpan)
  /// The peer sends nothing more (FIN). We may still send, and must ``Connection/close()`` when done.
  func inputEnded(_ connection: Connection)
  /// The write queue has reached the high watermark (`false`), or has drained to the low one again (`true`).
  ///
  /// Each drain is told, also one from a height that was never told because the loop was never seen there: whoever has
  /// found ``Connection/queuedBytes`` at the high watermark or above will hear `true`.
  func writabilityChanged(_ connection: Connection, isWritable: Bool)
  /// The connection is over for its owner: nothing more is told of it, and its sends are refused.
  ///
  /// After ``Connection/close()`` it comes at once, while the loop still writes what is queued.
  func closed(_ connection: Connection, reason: CloseReason)
}

extension ConnectionHandler {
  /// Does nothing.
  public func connected(_ connection: Connection) {}
  /// Closes: what is queued is still sent.
  public func inputEnded(_ connection: Connection) { connection.close() }
  /// Does nothing.
  public func writabilityChanged(_ connection: Connection, isWritable: Bool) {}
}

/// Why a connection is over.
public enum CloseReason: Hashable, Sendable, CustomStringConvertible {
  /// ``Connection/close()`` was called.
  case closed
  /// ``Connection/abort()`` was called.
  case aborted
  /// The peer has ended its direction and ``Connection/shutdownWrite()`` ours.
  case ended
  /// The peer reset the connection, or the network failed.
  case failed(SystemCallError)
  /// The outgoing connection did not come about.
  case connectFailed(SystemCallError)
  /// The loop was shut down.
  case loopShutDown

  /// The reason in a phrase.
  public var description: String {
    switch self {
    case .closed: "closed by us"
    case .aborted: "aborted by us"
    case .ended: "both directions have ended"
    case .failed(let error), .connectFailed(let error): error.description
    case .loopShutDown: "the socket loop was shut down"
    }
  }
}

/// The answer to a send, at once.
public enum WriteReceipt: Hashable, Sendable {
  /// Taken; so many bytes now wait to be written. They reach the peer unless it resets, or a limit of ``SocketLimits``
  /// passes after a close.
  case accepted(queuedBytes: Int)
  /// Not taken: the queue would exceed `limit`. Wait for ``ConnectionHandler/writabilityChanged(_:isWritable:)``.
  case full(limit: Int)
  /// Not taken: the connection is closed, or its output has ended.
  case closed
  /// Not taken: the connection was accepted and not yet started.
  case notStarted

  /// Whether the bytes were taken.
  public var isAccepted: Bool {
    if case .accepted = self { true } else { false }
  }
}
