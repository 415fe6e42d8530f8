// AcceptorMachine+Requests: from received bytes to delivered requests, as far as the limits allow.

internal import SkeinPlatform

extension AcceptorMachine {
  /// Whether another request may be delivered.
  var isReady: Bool {
    inWork.count < configuration.maxRequestsInWork && undelivered < configuration.maxRequestsInWork
      && writer.unsentBytes <= configuration.maxUnreadAnswerBytes
  }

  mutating func keep(_ bytes: RawSpan, from start: Int) {
    backlog.append(bytes.extracting(start..<bytes.byteCount))
    if backlog.count - backlogStart > configuration.maxBacklogBytes {
      finish(.abort(reason: "more than \(configuration.maxBacklogBytes) bytes arrived while reading was paused"))
    }
  }

  /// Works off the backlog, reads on, or closes, as far as the limits allow now.
  mutating func goOn(_ now: MonotonicInstant) {
    if backlogStart < backlog.count && isReady && phase != .closed {
      let bytes = backlog
      let start = backlogStart
      backlog = []
      backlogStart = 0
      // Bytes have no padding that could be read uninitialized.
      let used = unsafe consume(bytes.span.bytes.extracting(droppingFirst: start), now)
      if phase != .closed && start + used < bytes.count {
        backlog = bytes
        backlogStart = start + used
      }
    }
    adjustReading()
    closeWhenDone()
  }

  mutating func adjustReading() {
    guard phase == .open else { return }
    let shouldPause = !isReady || backlogStart < backlog.count
    if shouldPause == isPaused { return }
    isPaused = shouldPause
    act(shouldPause ? .pauseReading : .resumeReading)
    if shouldPause && !hasPaused {
      hasPaused = true
      let (calls, bytes) = (inWork.count, writer.unsentBytes)
      let reasons = "\(calls) calls in work, \(undelivered) requests not handed over, \(bytes) bytes of answers unread"
      act(.log(.info, "reading pauses now and then from here on: \(reasons)"))
    }
  }

  mutating func closeWhenDone() {
    guard phase == .draining, inWork.isEmpty, writer.isEmpty, backlogStart == backlog.count else { return }
    finish(.close(reason: "the peer closed the connection"))
  }

  /// Takes packets while the limits allow; returns how many bytes were used.
  mutating func consume(_ bytes: RawSpan, _ now: MonotonicInstant) -> Int {
    var offset = 0
    while phase != .closed && isReady {
      switch reader.next(in: bytes, from: &offset) {
      case .needsMore: return offset
      case .within(let range): handle(bytes.extracting(range), now)
      case .assembled:
        let packet = reader.takeAssembled()
        // Bytes have no padding that could be read uninitialized.
        handle(unsafe packet.span.bytes.extracting(droppingFirst: 2), now)
      }
    }
    return offset
  }

  private mutating func handle(_ packet: RawSpan, _ now: MonotonicInstant) {
    let request: RequestPacket
    do throws(ClusterWireError) { request = try RequestPacket(decoding: packet) } catch {
      finish(.abort(reason: "the peer sent \(error)"))
      return
    }
    switch request {
    case .trace(let tag): trace = [UInt8](copying: packet.extracting(tag))
    case .small(let address, let session, let body):
      let tag = takeTrace()
      deliver(address, session, isPush: session == 0, tag, [UInt8](copying: packet.extracting(body)))
    case .begin(let address, let session, let isPush, let total):
      let opening = Opening(address: address, isPush: isPush, trace: takeTrace())
      let before = joiner.context(of: session)
      do throws(LargeMessageError) {
        try joiner.begin(session, total: total, opening, now: now)
        wake(by: now.advanced(by: configuration.requests.timeLimit))
      } catch {
        if case .tooManyOpen = error {
          finish(.abort(reason: "the peer sent \(error)"))
        } else if case .begunTwice = error {
          if let before { refuse(session, isPush: before.isPush, error) }
        } else {
          refuse(session, isPush: isPush, error)
        }
      }
    case .part(let session, let isLast, let range):
      let opening = joiner.context(of: session)
      do throws(LargeMessageError) {
        if let (opening, body) = try joiner.add(packet.extracting(range), to: session, isLast: isLast) {
          deliver(opening.address, session, isPush: opening.isPush, opening.trace, body)
        }
      } catch {
        if let opening {
          refuse(session, isPush: opening.isPush, error)
        } else {
          orphans += 1
          if isLast { refuse(session, isPush: false, error) }
        }
      }
    }
  }

  private mutating func takeTrace() -> [UInt8]? {
    defer { trace = nil }
    return trace
  }

  private mutating func deliver(
    _ address: ClusterAddress, _ session: UInt32, isPush: Bool, _ tag: [UInt8]?, _ body: [UInt8]
  ) {
    lastID += 1
    if !isPush { inWork[lastID] = session }
    undelivered += 1
    let kind: ClusterRequestKind = isPush ? .push : address == .nameQuery ? .nameQuery : .call
    act(
      .deliver(ClusterRequest(id: lastID, kind: kind, address: address, trace: tag, body: body)))
  }

  /// Answers a large request that cannot be joined; the text begins as Skynet's does.
  mutating func refuse(_ session: UInt32, isPush: Bool, _ reason: LargeMessageError) {
    refusals += 1
    if refusals <= Self.loggedRefusals { act(.log(.warning, "session \(session) refused: \(reason)")) }
    if !isPush { addError(session, "Invalid large req: \(reason)") }
  }
}
