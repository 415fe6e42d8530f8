// NodeOptions: how a node is set up.

public import SkeinCluster
public import SkeinScheduler

/// How a node is set up. Every limit has a default.
public struct NodeOptions: Sendable {
  /// The node's name, for logs and peers.
  public var name = "skein"
  /// Worker threads, 1 to 64; as many as the machine has cores by default.
  public var workers: Int
  /// The limits of an activation.
  public var budget = RunBudget()
  /// How long a call waits when it says nothing else.
  public var callDeadline = Duration.seconds(5)
  /// Greatest number of services.
  public var services = 1_000_000
  /// What a service may use when its spawn says nothing else.
  public var limits = ServiceLimits()
  /// Greatest number of armed timers of one worker.
  public var timersPerWorker = 1_000_000
  /// Where the log goes.
  public var log = SkeinLog.standard
  /// Limits and times of the connections to peers; the name is the node's.
  public var cluster = ClusterOptions()
  /// The sockets' poller; `nil` makes a node without sockets.
  public var sockets: SocketOptions? = SocketOptions()
  /// Plays the node's worker, for tests: the node has no threads then, no sockets and no cluster, and is made, used and
  /// shut down under the simulation's rule. Several nodes may share one.
  public var simulation: SimulatedScheduler?

  /// The standard options.
  public init() { workers = min(64, max(1, processorCount())) }
}

/// What one service may use.
public struct ServiceLimits: Hashable, Sendable {
  /// Greatest number of unread messages; the next is answered *busy*.
  public var mailbox = 1_024
  /// Greatest number of asynchronous handlers that run at once; further messages wait in the mailbox.
  public var suspendedHandlers = 1_024
  /// How deep calls in place may nest on one stack; 0 queues every call.
  public var inPlaceDepth = 16
  /// Whether the service has a thread of its own, for handlers that block.
  public var isExclusive = false

  /// The standard limits.
  public init() {}
}
