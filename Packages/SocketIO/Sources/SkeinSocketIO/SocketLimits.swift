// SocketLimits: how much a loop holds, how long it waits, how much it does in one turn.

/// The limits of one loop.
public struct SocketLimits: Hashable, Sendable {
  /// Greatest number of connections, the lingering ones among them; one more is accepted and reset at once.
  public var maxConnections = 16_384
  /// Greatest number of bytes that wait in one connection to be written; a send into an empty queue may exceed it.
  public var maxQueuedBytes = 8 << 20
  /// Queued bytes from which the handler is told to hold back.
  public var highWatermark = 1 << 20
  /// Queued bytes at or below which the handler is told to go on.
  public var lowWatermark = 256 << 10
  /// How long a closed connection may make no progress in writing what is queued; then it is reset.
  public var flushLimit = Duration.seconds(30)
  /// How long a closed connection that has sent its FIN waits for the peer's.
  public var lingerTime = Duration.seconds(2)
  /// How many bytes such a connection reads and discards meanwhile.
  public var lingerBytes = 1 << 20
  /// How long a listener waits when descriptors or memory have run out.
  public var acceptRetryDelay = Duration.milliseconds(100)
  /// Greatest number of connections that one listener accepts in a turn.
  public var acceptsPerTurn = 64
  /// About how many bytes one connection reads, or writes, in a turn.
  public var bytesPerTurn = 256 << 10

  /// Makes the default limits.
  public init() {}
}
