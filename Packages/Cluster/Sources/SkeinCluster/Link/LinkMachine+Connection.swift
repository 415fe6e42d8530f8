// LinkMachine+Connection: how connections come about and end.

internal import Glibc
internal import SkeinPlatform

extension LinkMachine {
  // MARK: What our side wants

  /// Connects now if there is no connection, and keeps trying until there was one.
  mutating func dial(now: MonotonicInstant) {
    if isUp || isShutDown || directory == .down { return }
    isDialing = true
    if state == .idle { settle(now, "dialing") }
  }

  /// The directory gives an address. Another one than before ends the connection; what is not written goes there.
  mutating func setAddress(_ address: String, now: MonotonicInstant) {
    if isShutDown || directory == .address(address) { return }
    let reason = "the address is \(address) now"
    let failure = error(.disconnected, text: reason)
    directory = .address(address)
    forgetFailures()
    switch state {
    case .up, .connecting: end(reason, keepsQueue: true, isOrderly: true, failure, now)
    case .unknown, .idle, .backingOff, .down: settle(now, reason)
    case .closing, .shutDown: break
    }
  }

  /// The directory says that the peer is down: calls fail, now and from now on.
  mutating func setDown(now: MonotonicInstant) {
    if isShutDown || directory == .down { return }
    let failure = error(.peerDown)
    directory = .down
    forgetFailures()
    leave("the directory says that the peer is down", failure, now)
  }

  /// Ends the connection and fails every unfinished call. The next request connects again.
  mutating func disconnect(reason: String, now: MonotonicInstant) {
    if isShutDown { return }
    leave(reason, error(.disconnected, text: reason), now)
  }

  /// The peer has connected to us and said who it is, so it can be reached: the back-off ends.
  mutating func peerSaidHello(now: MonotonicInstant) {
    backOffUntil = nil
    if case .backingOff = state { settle(now, "the peer said hello") }
  }

  /// Ends everything; nothing is taken any more.
  mutating func shutDown(now: MonotonicInstant) {
    if isShutDown { return }
    let before = state
    failEverything("shut down", error(.shuttingDown))
    enter(.shutDown, "this node is shutting down")
    switch before {
    case .up:
      // What was written is still sent.
      act(.close(attempt: attempt))
      limitClosing(now)
    case .closing: limitClosing(now)
    case .connecting:
      act(.abort(attempt: attempt))
      disarm()
    case .unknown, .idle, .backingOff, .down, .shutDown: disarm()
    }
  }

  private mutating func leave(_ reason: String, _ failure: ClusterError, _ now: MonotonicInstant) {
    isDialing = false
    switch state {
    case .up, .connecting: end(reason, keepsQueue: false, isOrderly: true, failure, now)
    case .closing: failQueued(waitingToo: true, failure)
    case .unknown, .idle, .backingOff, .down:
      failQueued(waitingToo: true, failure)
      settle(now, reason)
    case .shutDown: break
    }
  }

  private mutating func forgetFailures() {
    failures = 0
    fruitless = 0
    backOffUntil = nil
  }

  // MARK: What the driver tells

  /// The connection of this attempt is there.
  mutating func connected(_ attempt: UInt64, now: MonotonicInstant) {
    guard attempt == self.attempt, state == .connecting else { return }
    phaseLimit = nil
    isDialing = false
    enter(.up(since: now), "connected")
    introduce()
    askForCheck()
  }

  /// The attempt came to nothing, and nothing is left of it.
  mutating func connectFailed(_ attempt: UInt64, _ failure: SystemCallError, now: MonotonicInstant) {
    guard attempt == self.attempt else { return }
    if state == .connecting {
      startBackOff(failure, now)
      settle(now, "\(failure)")
    } else if state == .closing {
      settle(now, "closed")
    }
  }

  /// The answer to `.checkConnection`: whether the peer's FIN or a reset has reached the kernel.
  mutating func checked(_ attempt: UInt64, peerHasEnded: Bool, now: MonotonicInstant) {
    guard attempt == self.attempt, isUp, isCheckOutstanding else { return }
    isCheckOutstanding = false
    if peerHasEnded {
      // What is before the FIN is still read; `inputEnded` or `failed` follow.
      self.peerHasEnded = true
      phaseLimit = now.advanced(by: configuration.closeTimeout)
      wake(by: phaseLimit)
    } else if !self.peerHasEnded {
      flush()
    }
  }

  /// The peer's FIN was delivered. A connection that is half closed is closed for us.
  mutating func inputEnded(_ attempt: UInt64, now: MonotonicInstant) {
    guard attempt == self.attempt, isUp else { return }
    peerHasEnded = true
    let text = "the peer closed the connection"
    end(text, keepsQueue: true, isOrderly: writer.unsentBytes == 0, lost(text), now)
  }

  /// Reading or writing failed; `connectionClosed` follows.
  mutating func failed(_ attempt: UInt64, _ failure: SystemCallError, now: MonotonicInstant) {
    guard attempt == self.attempt, isUp else { return }
    end("\(failure)", keepsQueue: true, isOrderly: nil, lost("\(failure)", failure), now)
  }

  /// The connection of this attempt is completely gone.
  mutating func connectionClosed(_ attempt: UInt64, now: MonotonicInstant) {
    guard attempt == self.attempt else { return }
    if state == .connecting {
      connectFailed(attempt, SystemCallError(call: "connect", errorNumber: ECONNABORTED), now: now)
    }
    if isUp {
      end("the connection is gone", keepsQueue: true, isOrderly: nil, lost("the connection is gone"), now)
    }
    if state == .closing { settle(now, "closed") }
    if isShutDown {
      phaseLimit = nil
      disarm()
    }
  }

  /// The kernel has taken so many bytes of this attempt's connection.
  mutating func sentBytes(_ attempt: UInt64, _ total: Int) {
    guard attempt == self.attempt, isUp else { return }
    writer.setSent(total)
    askForWrite()
  }

  /// The answer to `.checkProgress`: how many bytes the kernel has taken of the connection that we end.
  mutating func closing(_ attempt: UInt64, sentBytes total: Int, now: MonotonicInstant) {
    guard attempt == self.attempt, state == .closing || isShutDown else { return }
    if total > sentBeforeLimit {
      sentBeforeLimit = total
      limitClosing(now)
    } else {
      act(.abort(attempt: attempt))
    }
  }

  /// The time that was asked for cannot be waited for: better an end now than calls that hang.
  mutating func timerFailed(_ problem: String, now: MonotonicInstant) {
    timerIsGone()
    if isShutDown { return act(.abort(attempt: attempt)) }
    act(.log(.warning, "peer \(peer): no timer: \(problem)"))
    let failure = error(.disconnected, text: "no timer: \(problem)")
    switch state {
    case .up, .connecting: end("no timer", keepsQueue: false, isOrderly: false, failure, now)
    case .closing:
      failQueued(waitingToo: true, failure)
      act(.abort(attempt: attempt))
    case .unknown, .idle, .backingOff, .down, .shutDown: failQueued(waitingToo: true, failure)
    }
  }

  /// The peer sent what is no packet.
  mutating func failMalformed(_ problem: String, now: MonotonicInstant) {
    let text = "the peer sent \(problem)"
    act(.log(.warning, "peer \(peer): connection ended: \(text)"))
    end(text, keepsQueue: true, isOrderly: false, lost(text), now)
  }

  private func lost(_ text: String, _ failure: SystemCallError? = nil) -> ClusterError {
    error(.answerLost, text: text, systemError: failure)
  }

  // MARK: Ends

  /// Ends the present connection or attempt for us.
  ///
  /// - Parameters:
  ///   - keepsQueue: whether what was not written goes to the next connection.
  ///   - isOrderly: whether to close or to abort; nil when the driver closes by itself.
  ///   - failure: for the calls that were written; `mayHaveExecuted` is filled in.
  private mutating func end(
    _ reason: String, keepsQueue: Bool, isOrderly: Bool?, _ failure: ClusterError, _ now: MonotonicInstant
  ) {
    let wasConnecting = state == .connecting
    judge(now, reason, failure)
    failWritten { failure.saying(mayHaveExecuted: $0) }
    if !keepsQueue { failQueued(waitingToo: true, failure) }
    loseSends(writer.sendMarks.unsettled, reason)
    resetConnection()
    enter(.closing, reason)
    if wasConnecting || isOrderly == false {
      act(.abort(attempt: attempt))
      phaseLimit = nil
    } else {
      if isOrderly == true { act(.close(attempt: attempt)) }
      limitClosing(now)
    }
  }

  /// Gives the connection that we end so much time for the next progress.
  private mutating func limitClosing(_ now: MonotonicInstant) {
    phaseLimit = now.advanced(by: configuration.closeTimeout)
    wake(by: phaseLimit)
  }

  /// Decides whether the connection that ends was of use; several in a row that were not are a failed attempt.
  private mutating func judge(_ now: MonotonicInstant, _ reason: String, _ failure: ClusterError) {
    guard case .up(let since) = state else { return }
    let age = since.duration(to: now)
    if age >= configuration.stableTime { forgetFailures() }
    if isProven || age >= configuration.fruitlessTime {
      fruitless = 0
    } else if wasAsked && (failure.code == .answerLost) {
      fruitless += 1
      if fruitless >= configuration.fruitlessLimit {
        startBackOff(failure.systemError ?? SystemCallError(call: "recv", errorNumber: ECONNRESET), now)
      }
    }
  }

  private mutating func failEverything(_ reason: String, _ failure: ClusterError) {
    failWritten { failure.saying(mayHaveExecuted: $0) }
    failQueued(waitingToo: true, failure)
    loseSends(writer.sendMarks.unsettled, reason)
    resetConnection()
    isDialing = false
    phaseLimit = nil
  }

  private mutating func resetConnection() {
    writer = PacketWriter(.requests, keepsOrder: configuration.keepsOrder, window: configuration.window)
    reader = FrameReader()
    joiner = LargeJoiner(limits: configuration.answers)
    peerHasEnded = false
    isCheckOutstanding = false
    isProven = false
    wasAsked = false
  }

  /// Connecting, closing, or reading up to a known FIN took too long.
  mutating func phaseTimedOut(_ now: MonotonicInstant) {
    phaseLimit = nil
    switch state {
    case .connecting:
      let failure = SystemCallError(call: "connect", errorNumber: ETIMEDOUT)
      startBackOff(failure, now)
      enter(.closing, "\(failure)")
      act(.abort(attempt: attempt))
    case .closing, .shutDown: act(.checkProgress(attempt: attempt))
    case .up:
      let text = "the peer closed the connection"
      end(text, keepsQueue: true, isOrderly: false, lost(text), now)
    case .unknown, .idle, .backingOff, .down: break
    }
  }

  // MARK: Beginnings

  /// Counts a failed attempt and fails what does not wait longer.
  private mutating func startBackOff(_ failure: SystemCallError, _ now: MonotonicInstant) {
    failures += 1
    lastFailure = failure
    let until = now.advanced(by: backOff.delay(failures: failures))
    backOffUntil = until
    failQueued(waitingToo: false, connectError(failure, until, now))
  }

  /// With no connection left, goes where the directory, the back-off and the queue say.
  mutating func settle(_ now: MonotonicInstant, _ reason: String) {
    if isShutDown { return }
    phaseLimit = nil
    guard case .address(let address) = directory else {
      enter(directory == .down ? .down : .unknown, reason)
      return
    }
    if let until = backOffUntil, until > now, let failure = lastFailure {
      enter(.backingOff(until: until, attempts: failures, error: failure), reason)
      wake(by: until)
      return
    }
    backOffUntil = nil
    if queue.isEmpty && !isDialing {
      enter(.idle, reason)
      return
    }
    attempt += 1
    sentBeforeLimit = 0
    enter(.connecting, reason)
    phaseLimit = now.advanced(by: configuration.connectTimeout)
    wake(by: phaseLimit)
    act(.connect(address: address, attempt: attempt))
  }
}
