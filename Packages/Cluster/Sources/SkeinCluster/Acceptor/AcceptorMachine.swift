// AcceptorMachine: one inbound connection as a pure state machine: events and time in, actions out.
//
//   open        requests are read, work is done, answers are written
//   draining    the peer's FIN came: what is in work is finished, what is owed is written, then it is closed
//   closed      `.close` or `.abort` was given; nothing follows
//
// Invariants:
//   I1  every call is answered at most once, and exactly once if the connection lasts; a push never is.
//   I2  at most `maxRequestsInWork` calls are delivered and unanswered, and so many requests given to the driver and not
//       handed over. Bytes behind them wait in `backlog`.
//   I3  nothing is delivered while more than `maxUnreadAnswerBytes` wait for the kernel.
//   I4  a trace tag goes with the next request that begins, and with no other.
//
// The driver's contract:
//   A1  One event at a time, `now` never goes back. After each event, or a batch of them, it carries out
//       `takeActions()` in order.
//   A2  While `isPaused` it reads nothing more; at most what had already been read is still told. When a request of
//       `.deliver` is where it belongs, it tells `handedOver`.
//   A3  It answers every delivered call and name query once, with `answer` or `fail`, also one whose address is
//       unknown or whose body cannot be decoded; for a peer that waits, silence is the worst answer.
//   A4  On `.write` it takes `takeOutput()` and hands it to the socket. It tells `sentBytes`, what the kernel has taken,
//       after that, and whenever the socket's queue has drained below its low watermark.
//   A5  After `.close` or `.abort` it tells nothing more. When the connection ends by itself, it calls `ended`.

internal import SkeinPlatform

/// The state of one inbound connection.
///
/// - Thread safety: a value; one thread at a time.
struct AcceptorMachine: Sendable {
  enum Phase: Hashable, Sendable { case open, draining, closed }

  /// What the beginning of a large request said.
  struct Opening: Sendable {
    let address: ClusterAddress
    let isPush: Bool
    let trace: [UInt8]?
  }

  /// A peer that sends nothing but rubbish does not fill our log.
  static let loggedRefusals = 8

  let configuration: AcceptorConfiguration
  var phase = Phase.open
  var isPaused = false
  /// Whether it ever was: that is logged once.
  var hasPaused = false
  var reader = FrameReader()
  var joiner: LargeJoiner<Opening>
  var writer: PacketWriter
  /// The tag of the next request.
  var trace: [UInt8]?
  /// What was received and is not looked at yet, from `backlogStart` on.
  var backlog: [UInt8] = []
  var backlogStart = 0
  /// Calls in work: their sessions.
  var inWork: [UInt64: UInt32] = [:]
  /// Requests that the driver was given and has not handed over.
  var undelivered = 0
  var lastID: UInt64 = 0
  private var drainLimit: MonotonicInstant?
  /// Parts that belonged to nothing.
  var orphans = 0
  /// Large requests that could not be joined; the first ones are logged.
  var refusals = 0

  private var actions: [AcceptorAction] = []
  private var armed: MonotonicInstant?
  private var isWriteAsked = false

  init(configuration: AcceptorConfiguration = AcceptorConfiguration()) {
    self.configuration = configuration
    joiner = LargeJoiner(limits: configuration.requests)
    writer = PacketWriter(.answers, keepsOrder: false, window: configuration.window)
  }

  /// Calls that were delivered and not answered.
  var requestsInWork: Int { inWork.count }
  /// Bytes of answers that the kernel does not have.
  var unreadAnswerBytes: Int { writer.unsentBytes }

  // MARK: Actions

  /// Takes what is to be done, in order.
  mutating func takeActions() -> [AcceptorAction] {
    let taken = actions
    actions = []
    return taken
  }

  mutating func act(_ action: AcceptorAction) { actions.append(action) }

  /// Takes the bytes to write; empty when there is nothing to write now.
  mutating func takeOutput() -> [UInt8] {
    isWriteAsked = false
    return writer.takeOutput()
  }

  // MARK: Input

  /// Bytes arrived.
  mutating func received(_ bytes: RawSpan, now: MonotonicInstant) {
    guard phase == .open else { return }
    if backlogStart < backlog.count || !isReady {
      keep(bytes, from: 0)
    } else {
      let used = consume(bytes, now)
      if phase == .open && used < bytes.byteCount { keep(bytes, from: used) }
    }
    adjustReading()
  }

  /// The peer's FIN was delivered: what is owed is still written.
  mutating func inputEnded(now: MonotonicInstant) {
    guard phase == .open else { return }
    phase = .draining
    drainLimit = now.advanced(by: configuration.halfClosedTime)
    wake(by: drainLimit)
    closeWhenDone()
  }

  /// The connection ended by itself, or the driver ends it: what is owed is dropped.
  mutating func ended() {
    phase = .closed
    forget()
  }

  /// Our side ends the connection; requests in work go on, and their answers are dropped.
  mutating func disconnect(reason: String) { finish(.close(reason: reason)) }

  /// The kernel has taken so many bytes of the connection.
  mutating func sentBytes(_ total: Int, now: MonotonicInstant) {
    guard phase != .closed else { return }
    writer.setSent(total)
    askForWrite()
    goOn(now)
  }

  /// A request that was to be delivered is where it belongs.
  mutating func handedOver(now: MonotonicInstant) {
    guard phase != .closed else { return }
    undelivered -= 1
    goOn(now)
  }

  /// The time that was asked for has come.
  mutating func timerFired(now: MonotonicInstant) {
    armed = nil
    if phase == .closed { return }
    if let limit = drainLimit, limit <= now {
      finish(.abort(reason: "\(inWork.count) requests were not answered in time after the peer's FIN"))
      return
    }
    for failure in joiner.expire(now: now) {
      refuse(failure.session, isPush: failure.context.isPush, .timedOut)
    }
    wake(by: joiner.nextExpiry)
    wake(by: drainLimit)
  }

  // MARK: Answers

  /// Answers a call or a name query. An id that is not in work is ignored: the connection has ended, or it is a push.
  mutating func answer(_ id: UInt64, body: [UInt8], now: MonotonicInstant) {
    guard let session = inWork.removeValue(forKey: id) else { return }
    if body.count > configuration.maxAnswerBodyBytes {
      let limit = configuration.maxAnswerBodyBytes
      addError(session, "the answer has \(body.count) bytes, above the limit of \(limit)")
    } else if body.count < ClusterWire.largeAnswerBytes {
      writer.addSmall { AnswerPacket.appendSmall(session: session, body: body, into: &$0) }
    } else {
      var head: [UInt8] = []
      AnswerPacket.appendBegin(session: session, total: UInt32(body.count), into: &head)
      writer.addLarge(head: head, session: session, body: body)
    }
    answered(now)
  }

  /// Answers a call or a name query with an error.
  mutating func fail(_ id: UInt64, text: String, now: MonotonicInstant) {
    guard let session = inWork.removeValue(forKey: id) else { return }
    addError(session, text)
    answered(now)
  }

  mutating func addError(_ session: UInt32, _ text: String) {
    writer.addSmall { AnswerPacket.appendError(session: session, text: Array(text.utf8), into: &$0) }
    askForWrite()
  }

  private mutating func answered(_ now: MonotonicInstant) {
    if writer.unsentBytes > configuration.maxAnswerBytes {
      finish(.abort(reason: "the peer does not read: \(writer.unsentBytes) bytes of answers wait"))
      return
    }
    askForWrite()
    goOn(now)
  }

  // MARK: The end

  mutating func finish(_ action: AcceptorAction) {
    if phase == .closed { return }
    phase = .closed
    forget()
    act(action)
  }

  private mutating func forget() {
    disarm()
    inWork = [:]
    backlog = []
    backlogStart = 0
    trace = nil
    joiner = LargeJoiner(limits: configuration.requests)
    writer = PacketWriter(.answers, keepsOrder: false, window: configuration.window)
  }

  mutating func askForWrite() {
    guard !isWriteAsked, phase != .closed, writer.hasOutput else { return }
    isWriteAsked = true
    act(.write)
  }

  mutating func wake(by time: MonotonicInstant?) {
    guard let time, phase != .closed else { return }
    if let armed, armed <= time { return }
    armed = time
    act(.arm(time))
  }

  private mutating func disarm() {
    if armed == nil { return }
    armed = nil
    act(.disarm)
  }
}
