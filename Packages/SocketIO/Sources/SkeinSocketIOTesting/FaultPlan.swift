// FaultPlan: which faults strike when.

/// Faults and the times at which they strike, counted from ``SimulatedNetwork/schedule(_:)``.
///
/// ```swift
/// network.schedule(.random(seed: seed, duration: .seconds(60), hosts: ["10.0.0.1", "10.0.0.2"]))
/// ```
public struct FaultPlan: Hashable, Sendable {
  /// A fault and its time.
  public struct Entry: Hashable, Sendable {
    /// How long after the plan was scheduled it strikes.
    public var after: Duration
    /// What strikes.
    public var fault: NetworkFault

    /// Makes an entry.
    public init(after: Duration, fault: NetworkFault) {
      self.after = after
      self.fault = fault
    }
  }

  /// The faults; in any order.
  public var entries: [Entry]

  /// Makes a plan of given faults.
  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// Draws a plan: one fault or so in each tenth of the time, of every kind.
  ///
  /// Partitions are healed and crashed hosts come back before `duration` is over, so that afterwards everything has to
  /// work again. The last tenth is quiet.
  /// - Parameters:
  ///   - seed: what it is drawn from; equal seeds give equal plans.
  ///   - duration: the time in which faults strike.
  ///   - hosts: whom they strike; two or more for partitions.
  ///   - count: how many faults there are, what ends them not counted.
  public static func random(seed: UInt64, duration: Duration, hosts: [String], count: Int = 10) -> FaultPlan {
    precondition(!hosts.isEmpty, "a plan needs a host to strike")
    precondition(duration > .zero, "a plan needs some time")
    var random = SeededRandom(seed: seed ^ 0xFA17_71A4)
    var entries: [Entry] = []
    let end = duration * 9 / 10
    for _ in 0..<count {
      let after = Duration.nanoseconds(random.nanoseconds(in: .zero...end))
      let over = Duration.nanoseconds(random.nanoseconds(in: after...end))
      let host = hosts[random.below(hosts.count)]
      let other = hosts[random.below(hosts.count)]
      switch random.below(7) {
      case 0:
        let oneWay = random.happens(0.5)
        entries.append(Entry(after: after, fault: .partition(host, other, oneWay: oneWay)))
        entries.append(Entry(after: over, fault: .heal(host, other, oneWay: oneWay)))
      case 1:
        entries.append(Entry(after: after, fault: .crash(host)))
        entries.append(Entry(after: over, fault: .restart(host)))
      case 2: entries.append(Entry(after: after, fault: .kill(host)))
      case 3, 4: entries.append(Entry(after: after, fault: .reset(host)))
      case 5: entries.append(Entry(after: after, fault: .halfClose(host)))
      default: entries.append(Entry(after: after, fault: .stallAccepts(host, over - after)))
      }
    }
    // Of one instant, what ends a fault comes after what begins it: the sort keeps the order.
    let ordered = entries.enumerated().sorted { ($0.element.after, $0.offset) < ($1.element.after, $1.offset) }
    return FaultPlan(ordered.map { $0.element })
  }
}
