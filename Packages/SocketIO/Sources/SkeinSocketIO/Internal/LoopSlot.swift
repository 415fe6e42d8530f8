// LoopSlot: a place for a connection or a listener, and what the monitor keeps beside it.

internal import SkeinPlatform
internal import Synchronization

/// One place of the loop.
struct LoopSlot {
  enum Occupant {
    case nobody
    case connection(ConnectionCore)
    case listener(ListenerCore)
    /// The backend still uses the descriptor or the queue; the slot is free when it says `.released`.
    case leaving(AnyObject)
  }

  /// Greatest number of listeners of one loop.
  static var maxListeners: Int { 1_024 }

  var generation: UInt32 = 0
  var occupant = Occupant.nobody
}

/// What a slot's deadline is for.
enum DeadlineKind: UInt8 {
  case flush = 1
  case linger = 2
  case acceptRetry = 3
}

/// What the owner's state word says.
enum OwnerState {
  static let awake: UInt32 = 0
  static let parked: UInt32 = 1
  static let woken: UInt32 = 2
}

/// When a parked owner has to be up again.
struct ParkingTimes {
  /// Asked for with `wake(at:)`; nanoseconds, `.max` for none.
  private var requested = Int64.max
  /// The loop's own next deadline.
  private var own = Int64.max
  /// Until when the owner is parked, if it is.
  private var parkedUntil: Int64?

  mutating func park(until deadline: MonotonicInstant?) -> MonotonicInstant? {
    let end = min(deadline?.nanoseconds ?? .max, requested, own)
    parkedUntil = end
    return end == .max ? nil : MonotonicInstant(nanoseconds: end)
  }

  mutating func unpark() {
    parkedUntil = nil
    if requested <= MonotonicInstant.now.nanoseconds { requested = .max }
  }

  /// - Returns: whether the alarm must be set.
  mutating func request(_ deadline: MonotonicInstant) -> Bool {
    requested = min(requested, deadline.nanoseconds)
    return bring(forwardTo: requested)
  }

  /// - Returns: whether the alarm must be set.
  mutating func publish(_ deadline: Int64) -> Bool {
    own = deadline
    return bring(forwardTo: own)
  }

  private mutating func bring(forwardTo deadline: Int64) -> Bool {
    guard let end = parkedUntil, deadline < end else { return false }
    parkedUntil = deadline
    return true
  }
}

/// Something to tell a connection's handler once no other handler runs.
enum Notice {
  case closed(any ConnectionHandler, Connection, CloseReason)
  case inputEnded(any ConnectionHandler, Connection)
  case writability(ConnectionCore)

  func deliver() {
    switch self {
    case .closed(let handler, let connection, let reason): handler.closed(connection, reason: reason)
    case .inputEnded(let handler, let connection):
      // Nothing comes after the end, which may have been told meanwhile.
      if connection.closeReason == nil { handler.inputEnded(connection) }
    case .writability(let core): core.tellWritability()
    }
  }
}

extension LoopMonitor {
  /// Counts one more connection unless there are too many.
  func reserveConnection() -> Bool {
    // Relaxed: a count, which the exchange keeps exact.
    var count = occupied.load(ordering: .relaxed)
    while count < limits.maxConnections {
      // Relaxed: as above.
      let (done, now) = occupied.compareExchange(expected: count, desired: count + 1, ordering: .relaxed)
      if done { return true }
      count = now
    }
    return false
  }

  func releaseConnection() {
    // Relaxed: a count.
    occupied.subtract(1, ordering: .relaxed)
  }

  /// Gives `occupant` a slot; the gate is held.
  func occupy(_ occupant: LoopSlot.Occupant) -> SlotToken {
    let index: UInt32
    if let free = freeSlots.popLast() {
      index = free
    } else {
      precondition(slots.count < SlotToken.maxSlots, "a loop has 2^24 slots")
      index = UInt32(slots.count)
      slots.append(LoopSlot())
    }
    let generation = slots[Int(index)].generation &+ 1
    slots[Int(index)].generation = generation == 0 ? 1 : generation
    slots[Int(index)].occupant = occupant
    return SlotToken(index: index, generation: slots[Int(index)].generation)
  }

  /// Closes the slot's descriptor; the slot is free now, or when the backend is done with it.
  func vacate(_ token: SlotToken, keeping object: AnyObject, resetting: Bool) {
    slots[Int(token.index)].occupant = .leaving(object)
    if poller.close(token, resetting: resetting) { free(token) }
  }

  func free(_ token: SlotToken) {
    guard case .leaving(let object) = slots[Int(token.index)].occupant else { return }
    slots[Int(token.index)].occupant = .nobody
    // A new generation at once: what is still reported for the old use is dropped.
    slots[Int(token.index)].generation &+= 1
    freeSlots.append(token.index)
    if object is ConnectionCore { releaseConnection() }
  }
}

extension LoopMonitor {
  var statistics: SocketStatistics {
    var statistics = SocketStatistics()
    // Relaxed: a recent number is enough.
    statistics.connections = occupied.load(ordering: .relaxed)
    statistics.accepted = counters.accepted.value
    statistics.refused = counters.refused.value
    statistics.connected = counters.connected.value
    statistics.acceptFailures = counters.acceptFailures.value
    statistics.bytesReceived = counters.bytesReceived.value
    statistics.bytesSent = counters.bytesSent.value
    statistics.turns = counters.turns.value
    statistics.commands = counters.commands.value
    return statistics
  }
}
