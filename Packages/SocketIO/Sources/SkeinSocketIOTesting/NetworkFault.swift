// NetworkFault: what can go wrong on purpose.

/// A fault that a ``FaultPlan`` brings about, or what ends one. Hosts may be given as addresses; the port is ignored.
public enum NetworkFault: Hashable, Sendable {
  /// Nothing gets from the first host to the second any more, nor, unless it is one-way, back.
  case partition(String, String, oneWay: Bool)
  /// Ends a partition.
  case heal(String, String, oneWay: Bool)
  /// The host vanishes: no FIN, no RST, nothing answers. Its peers see nothing, or time-outs.
  case crash(String)
  /// The crashed host is there again, without connections and listeners; it answers what is left of old ones with RST.
  case restart(String)
  /// The host's process is killed: its kernel closes every descriptor, with FIN, or with RST where input was unread.
  case kill(String)
  /// One of the host's connections is reset for both sides, as by some box in between; nothing without connections.
  case reset(String)
  /// One of the host's connections ends its direction (FIN) and goes on reading.
  case halfClose(String)
  /// The host accepts no connection for this long; clients are connected all the same, and wait.
  case stallAccepts(String, Duration)
}
