// LinkMachine: our connection to one peer as a pure state machine: events and time in, actions out.
//
//   unknown     no address                       setAddress → idle or connecting
//   idle        nobody needs a connection        a request, `dial` → connecting
//   connecting  `.connect` was asked for         connected → up; failure or time-out → backingOff
//   up          requests are written             FIN, error, bad packet, disconnect, new address → closing
//   closing     ended for us, not yet gone       connectionClosed → connecting, idle, backingOff, down
//   backingOff  the peer cannot be reached       its time → connecting (somebody waits) or idle; hello → the same
//   down        the directory says so            setAddress → idle or connecting
//   shutDown    final
//
// Invariants:
//   I1  every call is completed exactly once, if need be by its deadline.
//   I2  there is never more than one connection: `.connect` comes only when the one before is completely closed.
//   I3  nothing is written after the peer's FIN is known, nor to a connection that was ended.
//   I4  a request that was not written when its connection ends goes to the next one; one that was written never does.
//   I5  a session is given again only when its answer has come or its connection is gone (the oldest of more than
//       `maxPendingCalls` abandoned ones may be forgotten; its number comes round after 2^31 others).
//
// The driver's contract:
//   D1  One event at a time, `now` never goes back. After each event, or a batch of them, it carries out
//       `takeActions()` in order, before it tells anything that those actions caused.
//   D2  After `.connect` it tells `connected` or `connectFailed`, each with the attempt's number; `connectFailed`
//       says that nothing is left of the attempt. Events of other attempts are ignored, so late ones do no harm.
//   D3  `connectionClosed` comes exactly once for every attempt that was connected or that was asked to `.close` or
//       `.abort`, when its descriptor is closed, and nothing of that attempt after it. (After `.abort` of an attempt
//       that is connecting, `connectFailed` does as well.)
//   D4  On `.checkConnection` it looks at the socket at that moment (poll with POLLRDHUP, or a non-blocking peek) and
//       calls `checked`. Where the loop has been polled since the batch's requests were taken from their senders, and
//       what it told was passed on, the answer is `peerHasEnded: false` without looking again. So a request that was
//       made after the peer's FIN had reached the kernel is never written to that connection. A check that finds the
//       end is followed by the rest of the input and by `inputEnded` or `failed`.
//   D5  On `.write` it takes `takeOutput()` and hands it to the socket. It tells `sentBytes`, what the kernel has taken
//       of the connection, after that, whenever the socket's queue has drained below its low watermark, and before it
//       tells of the connection's end. Empty output means that there is nothing to do.
//   D6  It keeps one timer, that of the last `.arm`; firing early or twice does no harm. When it cannot, it tells
//       `timerFailed`.
//   D7  On `.checkProgress` it calls `closing` with what the kernel has taken.

internal import SkeinPlatform

/// The state of the link to one peer.
///
/// - Thread safety: a value; one thread at a time.
struct LinkMachine: Sendable {
  /// What the directory says of the peer.
  enum Directory: Equatable, Sendable {
    case unknown, down
    case address(String)
  }

  struct Call: Sendable {
    enum Place: Equatable, Sendable {
      /// In the queue, under this number.
      case queued(UInt64)
      /// Written, or about to be, under this session.
      case written(UInt32)
    }
    /// Grows from call to call: the order in which calls fail together.
    let order: UInt64
    let deadline: MonotonicInstant?
    let waitsForConnection: Bool
    var place: Place
  }

  enum SessionOwner: Equatable, Sendable {
    case call(UInt64)
    /// The caller has gone; the number waits for its answer.
    case abandoned
    /// What every connection begins with; its answer tells nothing that we need.
    case introduction
  }

  let peer: String
  let configuration: LinkConfiguration
  /// The name query that every connection begins with. It is no call: it has no place among the callers' limits.
  let introduction: [UInt8]?
  var directory: Directory
  private(set) var state: LinkState

  // MARK: The connection
  /// Number of the present or last attempt to connect.
  var attempt: UInt64 = 0
  /// The peer's FIN is known to have reached the kernel.
  var peerHasEnded = false
  var isCheckOutstanding = false
  /// A packet came on this connection, other than the introduction's answer.
  var isProven = false
  /// Something was to be written on this connection.
  var wasAsked = false
  /// When connecting or closing takes too long.
  var phaseLimit: MonotonicInstant?
  /// What the kernel had of the connection that we end when its limit was last set.
  var sentBeforeLimit = 0
  var writer: PacketWriter
  var reader = FrameReader()
  var joiner: LargeJoiner<UInt64>

  // MARK: Attempts
  var failures = 0
  var fruitless = 0
  var lastFailure: SystemCallError?
  var backOffUntil: MonotonicInstant?
  var backOff: BackOff
  /// `dial` asked for a connection that did not come about yet.
  var isDialing = false

  // MARK: Requests
  var calls: [UInt64: Call] = [:]
  var callsBegun: UInt64 = 0
  var sessions: [UInt32: SessionOwner] = [:]
  var abandoned: [UInt32] = []
  var abandonedCount = 0
  var counter: SessionCounter
  var queue = RequestQueue()
  var deadlines = DeadlineQueue()
  /// Answers whose session nobody waits for.
  var unknownAnswers = 0
  /// Answers that came after their caller had gone.
  var lateAnswers = 0
  /// Sends that were taken and that the kernel did not have for certain when their connection ended.
  var lostSends = 0

  // MARK: What is to be done
  private var actions: [LinkAction] = []
  private var armed: MonotonicInstant?
  private var isWriteAsked = false

  /// - Parameters:
  ///   - introduction: the body of the name query that every connection begins with; nil for none.
  ///   - seed: for the jitter of the back-off.
  ///   - firstSession: where the session numbers start.
  init(
    peer: String, directory: Directory, configuration: LinkConfiguration = LinkConfiguration(),
    introduction: [UInt8]? = nil, seed: UInt64, firstSession: UInt32 = 1
  ) {
    self.peer = peer
    self.configuration = configuration
    self.introduction = introduction
    self.directory = directory
    switch directory {
    case .unknown: state = .unknown
    case .down: state = .down
    case .address: state = .idle
    }
    writer = PacketWriter(.requests, keepsOrder: configuration.keepsOrder, window: configuration.window)
    joiner = LargeJoiner(limits: configuration.answers)
    backOff = BackOff(base: configuration.backOffBase, cap: configuration.backOffCap, seed: seed)
    counter = SessionCounter(first: firstSession)
  }

  var isUp: Bool { if case .up = state { true } else { false } }
  var isShutDown: Bool { state == .shutDown }
  /// The address as the directory gives it.
  var address: String? { if case .address(let address) = directory { address } else { nil } }

  /// A look at the link from outside.
  var statistics: LinkStatistics {
    LinkStatistics(
      state: state, address: address, pendingCalls: calls.count, queuedBytes: queue.bytes + writer.unsentBytes,
      failedAttempts: failures, lastFailure: lastFailure, lateAnswers: lateAnswers, unknownAnswers: unknownAnswers,
      lostSends: lostSends)
  }

  // MARK: Actions

  /// Takes what is to be done, in order.
  mutating func takeActions() -> [LinkAction] {
    let taken = actions
    actions = []
    return taken
  }

  /// Takes the bytes to write to the connection of the present attempt; empty when there is nothing to write now.
  mutating func takeOutput() -> [UInt8] {
    isWriteAsked = false
    guard isUp, !peerHasEnded else { return [] }
    return writer.takeOutput()
  }

  mutating func act(_ action: LinkAction) { actions.append(action) }

  mutating func askForWrite() {
    guard !isWriteAsked, isUp, !peerHasEnded, writer.hasOutput else { return }
    isWriteAsked = true
    act(.write(attempt: attempt))
  }

  mutating func enter(_ next: LinkState, _ reason: String) {
    if next == state { return }
    act(.stateChanged(from: state, to: next, reason: reason))
    state = next
  }

  /// Sees to it that the timer fires by `time`.
  mutating func wake(by time: MonotonicInstant?) {
    guard let time else { return }
    if let armed, armed <= time { return }
    armed = time
    act(.arm(time))
  }

  mutating func disarm() {
    if armed == nil { return }
    armed = nil
    act(.disarm)
  }

  mutating func timerIsGone() { armed = nil }

  // MARK: Time

  /// The time that was asked for has come.
  mutating func timerFired(now: MonotonicInstant) {
    timerIsGone()
    expireCalls(now)
    for failure in joiner.expire(now: now) { failAnswer(failure.session, LargeMessageError.timedOut.description) }
    if let limit = phaseLimit, limit <= now { phaseTimedOut(now) }
    if case .backingOff(let until, _, _) = state, until <= now {
      backOffUntil = nil
      settle(now, "the back-off is over")
    }
    wake(by: deadlines.first { [calls] in calls[$0] != nil })
    wake(by: phaseLimit)
    if case .backingOff(let until, _, _) = state { wake(by: until) }
    wake(by: joiner.nextExpiry)
  }
}
