// NetworkEvent: what a simulated network tells, and the names it tells it with.

extension SimulatedNetwork {
  /// Names one side of a connection, as a descriptor does on a host; the two sides have different ones.
  ///
  /// Never used again for another side.
  public struct ConnectionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Even for the side that connected, and one more for the side that accepted.
    public let number: UInt64

    /// The other side's name.
    ///
    /// For checks in tests: a host has no such knowledge of its peer.
    public var peer: ConnectionID { ConnectionID(number: number ^ 1) }
    public var description: String { "\(number >> 1)\(number & 1 == 0 ? "client" : "server")" }
    public static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.number < right.number }

    var isServer: Bool { number & 1 == 1 }
  }

  /// Names a listening socket.
  public struct ListenerID: Hashable, Sendable {
    /// Counts up; never used again.
    public let number: UInt64
  }

  /// Names a timer that was set with ``SimulatedNetwork/wake(at:tag:)``.
  public struct TimerID: Hashable, Sendable {
    /// Counts up; never used again.
    public let number: UInt64
  }
}

/// What happens to the users of a ``SimulatedNetwork``.
///
/// Of one connection side the events come in this order: `connected` or `accepted`; then any number of `received` and
/// `writable`; `receivedEnd` at most once, after every `received`; `failed` at most once and after both; `closed` last,
/// exactly once for each side that its host closed or aborted. Nothing comes after the call to `close` or `abort` but
/// `closed`. A side that failed stays, as a descriptor does, until its host closes it.
public enum NetworkEvent: Hashable, Sendable {
  /// The connection that was begun with `connect` is there; bytes may be sent.
  case connected(SimulatedNetwork.ConnectionID)
  /// The connection could not be made: ECONNREFUSED, or ETIMEDOUT when nobody answered. The name is invalid from now
  /// on, and no `closed` follows.
  case connectFailed(SimulatedNetwork.ConnectionID, errno: Int32)
  /// A listener has a new connection, from the address `peer`.
  case accepted(SimulatedNetwork.ConnectionID, listener: SimulatedNetwork.ListenerID, peer: String)
  /// Bytes arrived, at least one: some piece of what was sent.
  case received(SimulatedNetwork.ConnectionID, [UInt8])
  /// The peer sends nothing more (FIN); bytes may still be sent to it.
  case receivedEnd(SimulatedNetwork.ConnectionID)
  /// The connection broke: ECONNRESET, EPIPE when it broke after the peer's FIN, or ETIMEDOUT when what was sent was
  /// not acknowledged in time.
  case failed(SimulatedNetwork.ConnectionID, errno: Int32)
  /// There is room again after a `send` that took less than all.
  case writable(SimulatedNetwork.ConnectionID)
  /// The descriptor, which was closed or aborted, is completely gone.
  case closed(SimulatedNetwork.ConnectionID)
  /// The time of a timer has come.
  case timer(tag: UInt64)
  /// A fault of the plan has just struck. After `crash` and `kill` everything of that host is gone, without events.
  case fault(NetworkFault)
}

/// What became of bytes that were to be sent.
public enum SendOutcome: Hashable, Sendable {
  /// The send buffer took this many; when it is less than all, ``NetworkEvent/writable(_:)`` tells of room.
  case accepted(Int)
  /// Nothing was taken: EPIPE, ECONNRESET, ETIMEDOUT, or EBADF for a side that is not there any more.
  case failed(errno: Int32)
}
