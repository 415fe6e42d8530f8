// Side: one side of a simulated connection: its host's descriptor and its kernel's state.
//
// Owns:       the bytes that were sent and are on the way, and those that arrived and are not read.
// Shared by:  nobody; the network's one thread.
// Invariants:
//   I1  acknowledged <= sent <= edge + 1; a FIN counts as one. Nothing moves backwards.
//   I2  `inFlight` is in the order of sending, and only its head ever arrives: so nothing overtakes anything.
//   I3  at most one entry of the network's heap is meant for the head, and its epoch is the side's.
//   I4  a dead kernel has nothing to send but what is on the wire, and answers whatever arrives with RST.

internal import SkeinPlatform

/// What travels from one side to the other.
struct Segment {
  enum Content {
    case open
    case openAcknowledged
    case handshakeDone
    case data([UInt8])
    case end
    case reset
    /// Asks for an acknowledgement, and so finds out whether the peer is still there.
    case probe
  }

  let content: Content
  var arrival: Int64
  var attempts = 0
}

final class Side {
  enum Kernel {
    case connecting
    /// The server's, before the client has confirmed.
    case halfOpen
    case established
    /// It knows of no connection.
    case dead
  }

  let id: SimulatedNetwork.ConnectionID
  let host: Int
  let peerHost: Int
  let address: String
  let peerAddress: String
  /// The listener, as long as the connection waits to be accepted, and after.
  let listener: SimulatedNetwork.ListenerID?

  var kernel: Kernel
  /// The host holds it. An established side without a descriptor flushes, and has no reader.
  var hasDescriptor: Bool
  /// The host was told that it is there.
  var isKnown = false
  /// `.closed`, or what stands for it, was told, or nobody is there to be told.
  var isClosedTold = false
  var error: Int32?
  var isErrorTold = false

  // MARK: Receiving
  let receiveCapacity: Int
  var received = FIFO<UInt8>()
  var receivedSequence = 0
  var isEndReceived = false
  var isEndTold = false
  var isPaused = false
  var isDeliveryDue = false
  /// What the acknowledgement on its way says.
  var acknowledging = 0
  var announcedEdge: Int
  var isAcknowledgementDue = false
  var isAcknowledgementStale = false
  /// A partition holds the announcement of room back.
  var isAcknowledgementHeld = false
  var acknowledgementAttempts = 0

  // MARK: Sending
  let sendCapacity: Int
  var unsent = FIFO<UInt8>()
  var inFlight = FIFO<Segment>()
  var epoch: UInt32 = 0
  var isHeadDue = false
  var lastArrival: Int64 = 0
  var sent = 0
  var acknowledged = 0
  var edge: Int
  var progressAt: Int64 = 0
  /// It asks for an answer, and does not begin to count its time-out anew.
  var isProbing = false
  var isWriteEnded = false
  var isEndSent = false
  var isResetInFlight = false
  var wantsRoom = false
  var isRoomDue = false

  init(
    _ id: SimulatedNetwork.ConnectionID, host: Int, peerHost: Int, address: String, peerAddress: String,
    kernel: Kernel, listener: SimulatedNetwork.ListenerID?, conditions: NetworkConditions, peerCapacity: Int
  ) {
    self.id = id
    self.host = host
    self.peerHost = peerHost
    self.address = address
    self.peerAddress = peerAddress
    self.kernel = kernel
    self.listener = listener
    hasDescriptor = kernel == .connecting
    receiveCapacity = conditions.receiveBuffer
    announcedEdge = conditions.receiveBuffer
    sendCapacity = conditions.sendBuffer
    edge = peerCapacity
  }

  var room: Int { sendCapacity - unsent.count - (sent - acknowledged) }
  var isEndAcknowledged: Bool { isEndSent && acknowledged == sent }
  var isOrphan: Bool { kernel == .established && !hasDescriptor }

  /// Whether the host has something to be told now.
  var hasNews: Bool {
    guard hasDescriptor && isKnown && !isErrorTold else { return false }
    if error != nil { return true }
    return !isPaused && (!received.isEmpty || (isEndReceived && !isEndTold))
  }

  /// Whether nothing of it is left that could matter.
  var isFinished: Bool {
    guard !hasDescriptor && isClosedTold && inFlight.isEmpty else { return false }
    return kernel == .dead || isEndAcknowledged
  }

  /// Forgets what was to be sent.
  func dropOutput() {
    unsent.removeAll()
    inFlight.removeAll()
    isResetInFlight = false
    isHeadDue = false
    lastArrival = 0
    epoch &+= 1
  }
}
