// SimulatedNetwork+Next: takes what is next from the agenda, and lets it happen.

internal import Glibc
public import SkeinPlatform

/// An entry of the network's agenda. Numbers are of sides, save a timer's and a fault's.
enum Happening {
  /// The head of what the side has in flight arrives, or is lost.
  case arrival(UInt64, epoch: UInt32)
  /// What the side has received becomes known to its peer.
  case acknowledgement(UInt64)
  case connectDeadline(UInt64)
  case connected(UInt64)
  case connectFailed(UInt64, Int32)
  case accept(UInt64)
  case delivery(UInt64)
  case room(UInt64)
  case closed(UInt64)
  case timer(UInt64)
  case fault(UInt64)
}

extension SimulatedNetwork {
  /// The next event in the order of time, and the clock moved to it.
  ///
  /// Without a deadline it ends when nothing is left to happen. With one, the clock is at least there when it returns
  /// `nil`, and what comes later is left for the next call.
  /// - Complexity: O(log n) for each thing that happens, n being what is going to; bytes are copied.
  public func next(until deadline: MonotonicInstant = .distantFuture) -> NetworkEvent? {
    while let entry = agenda.first, entry.time <= deadline.nanoseconds {
      agenda.removeFirst()
      if case .timer(let number) = entry.happening, timers[number] == nil { continue }
      time = max(time, entry.time)
      if let event = happen(entry.happening) {
        note(event)
        return event
      }
    }
    if deadline != .distantFuture { time = max(time, deadline.nanoseconds) }
    return nil
  }

  private func happen(_ happening: Happening) -> NetworkEvent? {
    switch happening {
    case .arrival(let number, let epoch):
      arrive(number, epoch)
      return nil
    case .acknowledgement(let number):
      acknowledge(number)
      return nil
    case .connectDeadline(let number):
      giveUpConnecting(number)
      return nil
    case .connected(let number): return tellConnected(number)
    case .connectFailed(let number, let error): return tellConnectFailed(number, error)
    case .accept(let number): return accept(number)
    case .delivery(let number): return deliver(number)
    case .room(let number): return tellRoom(number)
    case .closed(let number):
      guard let side = sides[number], !side.isClosedTold else { return nil }
      side.isClosedTold = true
      removeIfFinished(side)
      return .closed(side.id)
    case .timer(let number): return timers.removeValue(forKey: number).map { .timer(tag: $0) }
    case .fault(let number):
      guard let fault = faults.removeValue(forKey: number) else { return nil }
      apply(fault)
      return .fault(fault)
    }
  }

  // MARK: Telling

  private func tellConnected(_ number: UInt64) -> NetworkEvent? {
    guard let side = sides[number], side.hasDescriptor else { return nil }
    side.isKnown = true
    planDelivery(side)
    return .connected(side.id)
  }

  private func tellConnectFailed(_ number: UInt64, _ error: Int32) -> NetworkEvent? {
    guard let side = sides[number], side.hasDescriptor else { return nil }
    side.kernel = .dead
    side.hasDescriptor = false
    side.isClosedTold = true
    side.dropOutput()
    removeIfFinished(side)
    return .connectFailed(side.id, errno: error)
  }

  private func accept(_ number: UInt64) -> NetworkEvent? {
    guard let side = sides[number], side.hasDescriptor, let id = side.listener else { return nil }
    if hosts[side.host].acceptsAgainAt > time {
      plan(.accept(number), after: hosts[side.host].acceptsAgainAt - time)
      return nil
    }
    guard let address = listenerAddresses[id], let listener = listeners[address] else { return nil }
    listener.waiting.removeAll { $0 == number }
    side.isKnown = true
    planDelivery(side)
    return .accepted(side.id, listener: id, peer: side.peerAddress)
  }

  private func deliver(_ number: UInt64) -> NetworkEvent? {
    guard let side = sides[number] else { return nil }
    side.isDeliveryDue = false
    guard side.hasNews else { return nil }
    defer { planDelivery(side) }
    if !side.isPaused && !side.received.isEmpty {
      let count = min(random.size(in: conditions.receivedSize), side.received.count)
      let bytes = side.received.take(count)
      announceRoom(side)
      return .received(side.id, bytes)
    }
    if !side.isPaused && side.isEndReceived && !side.isEndTold {
      side.isEndTold = true
      return .receivedEnd(side.id)
    }
    guard let error = side.error else { return nil }
    side.isErrorTold = true
    side.received.removeAll()
    return .failed(side.id, errno: error)
  }

  private func tellRoom(_ number: UInt64) -> NetworkEvent? {
    guard let side = sides[number] else { return nil }
    side.isRoomDue = false
    guard side.hasDescriptor && side.kernel == .established && side.wantsRoom && side.room > 0 else { return nil }
    side.wantsRoom = false
    return .writable(side.id)
  }

  // MARK: Planning

  func plan(_ happening: Happening, after nanoseconds: Int64) {
    let (sum, overflow) = time.addingReportingOverflow(nanoseconds)
    // What happens in one instant happens in any order; timers come last, and in theirs.
    agenda.insert(happening, at: overflow ? .max : sum, tie: UInt32(truncatingIfNeeded: random.next()) >> 1 | 1)
  }

  func planSoon(_ happening: Happening) { plan(happening, after: random.nanoseconds(in: conditions.wakeDelay)) }

  func planDelivery(_ side: Side) {
    guard !side.isDeliveryDue && side.hasNews else { return }
    side.isDeliveryDue = true
    planSoon(.delivery(side.id.number))
  }

  // MARK: Sides and hosts

  func number(ofHost address: String) -> Int {
    let name = hostName(of: address)
    if let number = hostNumbers[name] { return number }
    hosts.append(Host(name: name))
    hostNumbers[name] = hosts.count - 1
    return hosts.count - 1
  }

  func add(_ side: Side) {
    sides[side.id.number] = side
    hosts[side.host].connections.insert(side.id.number)
  }

  func peer(of side: Side) -> Side? { sides[side.id.number ^ 1] }

  /// Forgets a connection of which neither side can be heard of any more.
  func removeIfFinished(_ side: Side) {
    let other = peer(of: side)
    guard side.isFinished && other?.isFinished ?? true else { return }
    for side in [side, other].compactMap({ $0 }) {
      sides[side.id.number] = nil
      hosts[side.host].connections.remove(side.id.number)
    }
  }

  // MARK: The checksum

  private func note(_ event: NetworkEvent) {
    mix(UInt64(bitPattern: time))
    switch event {
    case .connected(let id): mix(1, id)
    case .connectFailed(let id, let error): mix(2, id, UInt64(error))
    case .accepted(let id, let listener, _): mix(3, id, listener.number)
    case .received(let id, let bytes):
      mix(4, id, UInt64(bytes.count))
      for byte in bytes { mix(UInt64(byte)) }
    case .receivedEnd(let id): mix(5, id)
    case .failed(let id, let error): mix(6, id, UInt64(error))
    case .writable(let id): mix(7, id)
    case .closed(let id): mix(8, id)
    case .timer(let tag): mix(9 ^ tag << 8)
    case .fault: mix(10)
    }
  }

  private func mix(_ kind: UInt64, _ id: ConnectionID, _ more: UInt64 = 0) {
    mix(kind ^ id.number << 8)
    mix(more)
  }

  /// FNV-1a over words.
  private func mix(_ word: UInt64) { checksum = (checksum ^ word) &* 0x100_0000_01B3 }
}
