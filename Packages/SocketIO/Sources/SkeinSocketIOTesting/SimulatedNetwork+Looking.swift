// SimulatedNetwork+Looking: what there is, for hosts that ask and for tests that look for leaks.

extension SimulatedNetwork {
  /// The sides that a host holds, and has not closed, in the order of their making; for finding leaks.
  public func openConnections(of host: String) -> [ConnectionID] {
    hosts[number(ofHost: host)].connections.sorted().compactMap { number in
      guard let side = sides[number], side.hasDescriptor else { return nil }
      return side.isKnown || !side.id.isServer ? side.id : nil
    }
  }

  /// Whether the peer's FIN, or what broke the connection, has reached this side's kernel, told or not.
  ///
  /// It is what `poll` with POLLRDHUP says: a host may ask before it sends. Asking changes nothing. A connection that is
  /// being made has not ended; one that its host has closed has.
  public func hasEnded(_ connection: ConnectionID) -> Bool {
    guard let side = sides[connection.number], side.hasDescriptor else { return true }
    return side.isEndReceived || side.error != nil
  }

  /// The address of the host's own side, with the port that it got; `nil` when the connection is gone.
  public func localAddress(of connection: ConnectionID) -> String? { sides[connection.number]?.address }

  /// The address of the other side; `nil` when the connection is gone.
  public func peerAddress(of connection: ConnectionID) -> String? { sides[connection.number]?.peerAddress }
}
