// SocketStatistics: what a loop has done, as numbers.

/// What a loop has done so far, and holds now.
public struct SocketStatistics: Hashable, Sendable {
  /// Connections that hold a descriptor, the draining and lingering ones among them.
  public var connections = 0
  /// Connections accepted.
  public var accepted = 0
  /// Connections accepted and reset at once, since the loop was full.
  public var refused = 0
  /// Outgoing connections that came about.
  public var connected = 0
  /// How often accepting failed for want of descriptors or memory.
  public var acceptFailures = 0
  /// Bytes read, the discarded ones among them.
  public var bytesReceived = 0
  /// Bytes that the kernel took.
  public var bytesSent = 0
  /// Turns in which something was handled.
  public var turns = 0
  /// Commands that a thread left to whoever held the loop.
  public var commands = 0
}

/// The counters behind ``SocketStatistics``.
struct LoopCounters: ~Copyable {
  let accepted = Counter()
  let refused = Counter()
  let connected = Counter()
  let acceptFailures = Counter()
  let bytesReceived = Counter()
  let bytesSent = Counter()
  let turns = Counter()
  let commands = Counter()
}
