// ConnectionCore: one connection as its loop sees it: machine, write queue, handler, deadline.
//
// Owns:       the queued bytes and the slot. The descriptor is the poller's.
// Shared by:  whoever holds the loop's gate; the inbox, the count of queued bytes and the send state: any thread.
// Invariants:
//   I1  `queued` counts every byte that a send was told is accepted and that the kernel has not taken, be it in the
//       queue, in the inbox or on its way there.
//   I2  a core stands in the monitor's list of posted objects at most once (`Inbox.isPosted`).
//   I3  `connection` is held from the start on until the end is told; before, only its users hold it.

internal import CSkeinPlatform
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// What threads that could not enter the loop want of a connection. Later wishes replace or join earlier ones.
struct ConnectionInbox {
  var isPosted = false
  var registersDescriptor: Int32?
  var start: (handler: any ConnectionHandler, connection: Connection)?
  var isPaused: Bool?
  var high: [[UInt8]] = []
  var low: [[UInt8]] = []
  var shutsDownWrite = false
  var closes = false
  var aborts = false
  /// Handlers that came after the end was asked for; they are told of it.
  var lateStarts: [(handler: any ConnectionHandler, connection: Connection)] = []

  mutating func addStart(_ handler: any ConnectionHandler, _ connection: Connection) {
    if closes || aborts { lateStarts.append((handler, connection)) } else { start = (handler, connection) }
  }
}

@safe final class ConnectionCore: Posted {
  // MARK: Any thread
  let monitor: LoopMonitor
  let queued = Atomic<Int>(0)
  /// A sender has seen the queue at the high watermark: its drain is to be told, though the loop may never see it there.
  private let isDrainOwed = Atomic<Bool>(false)
  let sendState: Atomic<UInt8>
  let bytesReceived = Counter()
  let bytesSent = Counter()
  let reason = Lock<CloseReason?>(nil)
  private let inbox = Lock(ConnectionInbox())
  /// The descriptor, while it is open: for a look at it from outside the gate.
  private let descriptor = Lock<Int32?>(nil)

  // MARK: Under the gate
  private var machine: ConnectionMachine
  private var token: SlotToken?
  private var queue = WriteQueue()
  private var isSending = false
  private var isReceiving = false
  private var isAboveHigh = false
  /// The queue has drained, and the handler is to be told.
  private var hasDrained = false
  private var toldWritable = true
  private var handler: (any ConnectionHandler)?
  private var connection: Connection?
  private var deadline: TimerHandle?
  private var lastProgress = MonotonicInstant(nanoseconds: 0)

  enum SendState {
    static let notStarted: UInt8 = 0
    static let open: UInt8 = 1
    static let closed: UInt8 = 2
  }

  init(monitor: LoopMonitor, phase: ConnectionMachine.Phase) {
    self.monitor = monitor
    machine = ConnectionMachine(phase, lingerBytes: monitor.limits.lingerBytes)
    sendState = Atomic(phase == .accepted ? SendState.notStarted : SendState.open)
  }

  // MARK: Wishes of any thread

  /// Runs `now` if the thread can enter the loop, else leaves a wish.
  func request(_ now: () -> Void, orLeave wish: (inout ConnectionInbox) -> Void) {
    if monitor.isInside {
      absorb()
      now()
    } else if monitor.tryEnter() {
      now()
      monitor.leave()
    } else {
      leaveWish(wish)
    }
  }

  func leaveWish(_ wish: (inout ConnectionInbox) -> Void) {
    let isFirst = inbox.withLock { inbox in
      wish(&inbox)
      defer { inbox.isPosted = true }
      return !inbox.isPosted
    }
    if isFirst { monitor.post(self) }
  }

  func absorb() {
    let wishes = inbox.withLock { inbox -> ConnectionInbox? in
      guard inbox.isPosted else { return nil }
      let taken = inbox
      inbox = ConnectionInbox()
      return taken
    }
    guard let wishes else { return }
    if let descriptor = wishes.registersDescriptor { register(connecting: descriptor) }
    if let start = wishes.start { self.start(start.handler, start.connection) }
    if let isPaused = wishes.isPaused { apply(isPaused ? .pause : .resume) }
    for bytes in wishes.high { unsafe bytes.withUnsafeBytes { unsafe write($0, .high) } }
    for bytes in wishes.low { unsafe bytes.withUnsafeBytes { unsafe write($0, .low) } }
    if wishes.shutsDownWrite { shutdownWrite() }
    if wishes.closes { close() }
    if wishes.aborts { apply(.abort) }
    for late in wishes.lateStarts { start(late.handler, late.connection) }
  }

  /// Counts `count` more bytes as queued unless that is over the limit.
  ///
  /// - Returns: the new count, or `nil`.
  func reserve(_ count: Int) -> Int? {
    let limit = monitor.limits.maxQueuedBytes
    // Relaxed: a count, which the exchange keeps exact.
    var current = queued.load(ordering: .relaxed)
    while current == 0 || current + count <= limit {
      // Relaxed: as above; the bytes themselves travel under the gate or the inbox's lock.
      let (done, now) = queued.compareExchange(expected: current, desired: current + count, ordering: .relaxed)
      if done {
        // Release: whoever takes the flag sees these bytes in the count; pairs with the acquire in `noteFill`.
        if current + count >= monitor.limits.highWatermark { isDrainOwed.store(true, ordering: .releasing) }
        return current + count
      }
      current = now
    }
    return nil
  }

  /// Has later sends refused at once, before the loop knows why.
  func refuseSends() {
    // Relaxed: a hint to senders, and to this thread's own next call.
    _ = sendState.compareExchange(expected: SendState.open, desired: SendState.closed, ordering: .relaxed)
  }

  /// Has sends taken from now on, unless they were refused: a refusal is for ever.
  func allowSends() {
    // Relaxed: as above.
    _ = sendState.compareExchange(expected: SendState.notStarted, desired: SendState.open, ordering: .relaxed)
  }

  /// Whether the kernel has the peer's FIN or reset, or the connection is over.
  var peerHasEnded: Bool {
    // The lock keeps the descriptor from being closed, and its number from being used again, during the look.
    descriptor.withLock { descriptor in descriptor.map { skein_socket_peer_ended($0) == 1 } ?? true }
  }

  // MARK: With the gate held

  func accept(_ token: SlotToken, _ descriptor: Int32) {
    self.token = token
    self.descriptor.withLock { $0 = descriptor }
  }

  func register(connecting descriptor: Int32) {
    if monitor.isShutDown {
      _ = skein_close(descriptor)
      apply(.loopShutDown)
      monitor.releaseConnection()
      return
    }
    let token = monitor.occupy(.connection(self))
    accept(token, descriptor)
    monitor.poller.adopt(descriptor, as: token, kind: .connection)
    monitor.poller.awaitConnect(token)
  }

  func start(_ handler: any ConnectionHandler, _ connection: Connection) {
    if let reason = machine.closeReason {
      monitor.tellLater(.closed(handler, connection, reason))
      return
    }
    self.handler = handler
    self.connection = connection
    // Whoever takes over a connection has to know that its input has ended.
    if machine.inputEnded { monitor.tellLater(.inputEnded(handler, connection)) }
    apply(.start)
  }

  var isStarted: Bool { connection != nil }

  func write(_ bytes: UnsafeRawBufferPointer, _ priority: SendPriority) {
    guard machine.takesSends else {
      release(bytes.count)
      return
    }
    var rest = unsafe bytes
    if let token, priority == .high, queue.isEmpty, machine.isWritable, monitor.poller.writesAtOnce {
      switch unsafe monitor.poller.writeNow(bytes, to: token) {
      case .wrote(let count):
        noteSent(count)
        if count == bytes.count { return noteFill() }
        unsafe rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
      case .failed(let errorNumber):
        release(bytes.count)
        apply(.sendFailed(errorNumber))
        return
      }
    }
    unsafe queue.append(rest, priority, pool: &monitor.pool)
    sendNext()
    noteFill()
  }

  func shutdownWrite() { apply(.shutdownWrite(pending: !queue.isEmpty)) }
  func close() { apply(.close(pending: !queue.isEmpty)) }
  func abort() { apply(.abort) }
  func setPaused(_ isPaused: Bool) { apply(isPaused ? .pause : .resume) }

  func handle(_ event: PollerEvent) {
    switch unsafe event {
    case .received(let bytes):
      bytesReceived.add(bytes.count)
      monitor.counters.bytesReceived.add(bytes.count)
      let actions = machine.apply(.received(bytes.count))
      if actions == .tellReceived {
        guard let handler, let connection else { return }
        monitor.tell { unsafe handler.received(connection, RawSpan(_unsafeBytes: bytes)) }
      } else {
        perform(actions)
      }
    case .receivedEnd:
      isReceiving = false
      apply(.receivedEnd)
    case .receiveFailed(let errorNumber):
      isReceiving = false
      apply(.receiveFailed(errorNumber))
    case .sent(let count):
      isSending = false
      queue.consume(count, pool: &monitor.pool)
      noteSent(count)
      if queue.isEmpty { apply(.drained) } else { sendNext() }
      noteFill()
    case .sendFailed(let errorNumber):
      isSending = false
      apply(.sendFailed(errorNumber))
    case .connected:
      monitor.counters.connected.add()
      apply(.connected(pending: !queue.isEmpty))
    case .connectFailed(let errorNumber): apply(.connectFailed(errorNumber))
    case .hangUp(let errorNumber): apply(.hangUp(errorNumber))
    case .accepted, .acceptFailed, .released: break
    }
  }

  func deadlinePassed(_ kind: DeadlineKind) {
    deadline = nil
    // Only a lack of progress counts: with progress the deadline moves on.
    let end = lastProgress.advanced(by: monitor.limits.flushLimit)
    if kind == .flush && machine.phase != .lingering && end > .now {
      arm(.flush, at: end)
    } else {
      apply(.timeUp)
    }
  }

  func apply(_ stimulus: ConnectionStimulus) { perform(machine.apply(stimulus)) }

  private func perform(_ actions: ConnectionActions) {
    if actions.contains(.dropQueue) && !isSending { dropQueue() }
    if actions.contains(.tellConnected), let handler, let connection {
      monitor.tell { handler.connected(connection) }
    }
    if actions.contains(.tellInputEnded), let handler, let connection {
      monitor.tell { handler.inputEnded(connection) }
    }
    if actions.contains(.tellClosed) { tellClosed() }
    if actions.contains(.flush) { sendNext() }
    if actions.contains(.sendFIN), let token { monitor.poller.shutdownWrite(token) }
    if actions.contains(.armFlush) {
      lastProgress = .now
      arm(.flush, at: lastProgress.advanced(by: monitor.limits.flushLimit))
    }
    if actions.contains(.armLinger) { arm(.linger, at: .now.advanced(by: monitor.limits.lingerTime)) }
    if actions.contains(.closeDescriptor) { leave(resetting: false) }
    if actions.contains(.resetDescriptor) { leave(resetting: true) }
    update()
  }

  /// Brings what other threads and the poller know in line with the machine.
  private func update() {
    if machine.takesSends {
      allowSends()
    } else if machine.phase != .accepted || machine.isGone {
      // Relaxed: a hint to senders; whether bytes are taken is decided under the gate.
      sendState.store(SendState.closed, ordering: .relaxed)
    }
    guard let token, machine.wantsInput != isReceiving else { return }
    isReceiving.toggle()
    if isReceiving { monitor.poller.beginReceive(token) } else { monitor.poller.pauseReceive(token) }
  }

  private func sendNext() {
    guard !isSending && machine.isWritable, let token, let bytes = unsafe queue.front() else { return }
    isSending = true
    unsafe monitor.poller.beginSend(bytes, to: token)
  }

  private func noteSent(_ count: Int) {
    guard count > 0 else { return }
    bytesSent.add(count)
    monitor.counters.bytesSent.add(count)
    if deadline != nil { lastProgress = .now }
    release(count)
  }

  private func release(_ count: Int) {
    // Relaxed: a count.
    queued.subtract(count, ordering: .relaxed)
  }

  private func dropQueue() {
    release(queue.count)
    queue.removeAll()
  }

  /// Notices when the queue passes a watermark, or did so while nobody looked.
  private func noteFill() {
    // Relaxed: a look. Acquire: see `reserve`. Taken before the count is read: a flag that is set later stays set.
    var isOwed = isDrainOwed.load(ordering: .relaxed) && isDrainOwed.exchange(false, ordering: .acquiring)
    // Relaxed: a count; a change that is missed here comes by again with the next write.
    let count = queued.load(ordering: .relaxed)
    if isOwed && count > monitor.limits.lowWatermark {
      isOwed = false
      // Relaxed: read by the holder of the gate only; other writers say the same.
      isDrainOwed.store(true, ordering: .relaxed)
    }
    if isOwed || isAboveHigh && count <= monitor.limits.lowWatermark {
      isAboveHigh = false
      hasDrained = true
    } else if !isAboveHigh && count >= monitor.limits.highWatermark {
      isAboveHigh = true
    } else {
      return
    }
    monitor.tellLater(.writability(self))
  }

  /// Tells the handler on which side of the watermarks the queue is, unless it knows; each drain is told.
  func tellWritability() {
    guard let handler, let connection else { return }
    guard isAboveHigh ? toldWritable : hasDrained else { return }
    hasDrained = false
    toldWritable = !isAboveHigh
    handler.writabilityChanged(connection, isWritable: toldWritable)
  }

  private func tellClosed() {
    guard let told = machine.closeReason else { return }
    reason.withLock { $0 = told }
    if let handler, let connection { monitor.tellLater(.closed(handler, connection, told)) }
    handler = nil
    connection = nil
  }

  private func arm(_ kind: DeadlineKind, at instant: MonotonicInstant) {
    disarm()
    if let token { deadline = monitor.arm(token, kind: kind, at: instant) }
  }

  private func disarm() {
    if let deadline { monitor.cancel(deadline) }
    deadline = nil
  }

  private func leave(resetting: Bool) {
    disarm()
    guard let token else { return }
    self.token = nil
    isReceiving = false
    descriptor.withLock { $0 = nil }
    monitor.vacate(token, keeping: self, resetting: resetting)
  }
}

// @unchecked: what is under the gate is touched by its holder only; the rest is atomic or locked.
extension ConnectionCore: @unchecked Sendable {}
