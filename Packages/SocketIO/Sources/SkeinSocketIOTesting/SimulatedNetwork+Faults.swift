// SimulatedNetwork+Faults: what goes wrong, at once or by a plan.

internal import SkeinPlatform

extension SimulatedNetwork {
  // MARK: Partitions

  /// Lets nothing through between two hosts, in either direction, until ``heal(_:_:)``.
  ///
  /// What is sent meanwhile is sent again and again, until its time-out.
  public func partition(_ a: String, _ b: String) {
    partition(from: a, to: b)
    partition(from: b, to: a)
  }

  /// Lets nothing through from one host to another; the other direction is as it was.
  public func partition(from a: String, to b: String) {
    let route = Route(from: number(ofHost: a), to: number(ofHost: b))
    guard route.from != route.to, cuts.insert(route).inserted else { return }
    for side in connections(of: route.from) where side.peerHost == route.to { transmit(side) }
  }

  /// Ends partitions between two hosts, in both directions.
  public func heal(_ a: String, _ b: String) {
    heal(from: a, to: b)
    heal(from: b, to: a)
  }

  /// Ends the partition from one host to another.
  public func heal(from a: String, to b: String) {
    let route = Route(from: number(ofHost: a), to: number(ofHost: b))
    guard cuts.remove(route) != nil else { return }
    for side in connections(of: route.from) where side.peerHost == route.to && side.isAcknowledgementHeld {
      planAcknowledgement(side)
    }
  }

  // MARK: Hosts

  /// Makes a host vanish, with its connections and listeners, without FIN or RST; of its sides nothing is told any more.
  ///
  /// - Complexity: O(n log n) in the host's connections.
  public func crash(_ host: String) {
    let number = number(ofHost: host)
    guard !hosts[number].isDown else { return }
    hosts[number].isDown = true
    for id in listeners(of: number) {
      guard let address = listenerAddresses.removeValue(forKey: id) else { continue }
      listeners[address] = nil
    }
    let lost = connections(of: number)
    for side in lost {
      side.kernel = .dead
      side.hasDescriptor = false
      side.isClosedTold = true
      side.received.removeAll()
      side.unsent.removeAll()
    }
    for side in lost {
      if let peer = peer(of: side) { transmit(peer) }
      removeIfFinished(side)
    }
  }

  /// Brings a crashed host back, without anything. What its old peers still send is answered with RST.
  public func restart(_ host: String) { hosts[number(ofHost: host)].isDown = false }

  /// Whether a host has crashed and is not back.
  public func isDown(_ host: String) -> Bool { hosts[number(ofHost: host)].isDown }

  /// Kills a host's process: its kernel closes every listener and connection as ``close(_:)`` does, without events.
  ///
  /// - Complexity: O(n log n) in the host's connections.
  public func kill(_ host: String) {
    let number = number(ofHost: host)
    for id in listeners(of: number) { stopListening(id) }
    for side in connections(of: number) {
      if side.hasDescriptor { release(side) }
      side.isClosedTold = true
      removeIfFinished(side)
    }
  }

  /// Lets a host accept nothing for a while; clients are connected all the same, and wait.
  public func stallAccepts(of host: String, for duration: Duration) {
    hosts[number(ofHost: host)].acceptsAgainAt = now.advanced(by: duration).nanoseconds
  }

  private func connections(of host: Int) -> [Side] { hosts[host].connections.sorted().compactMap { sides[$0] } }

  private func listeners(of host: Int) -> [ListenerID] {
    listeners.values.filter { $0.host == host }.map { $0.id }.sorted { $0.number < $1.number }
  }

  // MARK: By a plan

  /// Has the faults of a plan strike, each at its time from now on; each is told as ``NetworkEvent/fault(_:)``.
  public func schedule(_ plan: FaultPlan) {
    for entry in plan.entries {
      // Faults of one instant strike in the plan's order, before what else happens.
      faultsMade += 1
      faults[faultsMade] = entry.fault
      agenda.insert(.fault(faultsMade), at: now.advanced(by: entry.after).nanoseconds, tie: 0)
    }
  }

  /// Brings a fault about at once, without an event.
  public func apply(_ fault: NetworkFault) {
    switch fault {
    case .partition(let a, let b, oneWay: true): partition(from: a, to: b)
    case .partition(let a, let b, oneWay: false): partition(a, b)
    case .heal(let a, let b, oneWay: true): heal(from: a, to: b)
    case .heal(let a, let b, oneWay: false): heal(a, b)
    case .crash(let host): crash(host)
    case .restart(let host): restart(host)
    case .kill(let host): kill(host)
    case .reset(let host): drawConnection(of: host).map(breakConnection)
    case .halfClose(let host): drawConnection(of: host).map { shutdownWrite($0.id) }
    case .stallAccepts(let host, let duration): stallAccepts(of: host, for: duration)
    }
  }

  /// One of the host's connections that are there and can still send.
  private func drawConnection(of host: String) -> Side? {
    let open = connections(of: number(ofHost: host)).filter {
      $0.hasDescriptor && $0.isKnown && $0.kernel == .established && !$0.isWriteEnded
    }
    return open.isEmpty ? nil : open[random.below(open.count)]
  }
}
