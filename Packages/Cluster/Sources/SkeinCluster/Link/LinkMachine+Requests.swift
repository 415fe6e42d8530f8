// LinkMachine+Requests: calls and sends, from the caller to the writer, and their ends.

internal import SkeinPlatform

extension LinkMachine {
  /// Makes a call; its result comes as `.complete(id, …)`, perhaps at once.
  ///
  /// - Parameters:
  ///   - id: an id that no call of this link had before.
  ///   - deadline: nil for none.
  ///   - waitsForConnection: whether it outlasts failed attempts to connect, up to its deadline.
  ///   - trace: a tag that the peer binds to this request; at most 32,768 bytes.
  mutating func call(
    _ id: UInt64, to address: ClusterAddress, body: [UInt8], deadline: MonotonicInstant?,
    waitsForConnection: Bool = false, trace: [UInt8]? = nil, now: MonotonicInstant
  ) {
    precondition(calls[id] == nil, "an id of an unfinished call is used again")
    if let error = refusal(body, trace, waitsForConnection, now) {
      act(.complete(id, .failure(error)))
      return
    }
    if calls.count >= configuration.maxPendingCalls {
      let error = error(.busy, text: "unfinished calls", limit: configuration.maxPendingCalls)
      act(.complete(id, .failure(error)))
      return
    }
    if let deadline, deadline <= now {
      act(.complete(id, .failure(error(.deadlineExceeded))))
      return
    }
    let number = queue.append(QueuedRequest(call: id, address: address, body: body, trace: trace))
    calls[id] = Call(
      order: callsBegun, deadline: deadline, waitsForConnection: waitsForConnection, place: .queued(number))
    callsBegun += 1
    if let deadline {
      deadlines.add(deadline, id, liveCount: calls.count) { [calls] in calls[$0] != nil }
      wake(by: deadline)
    }
    needConnection(now)
  }

  /// Sends a request that nobody answers.
  mutating func send(
    to address: ClusterAddress, body: [UInt8], trace: [UInt8]? = nil, now: MonotonicInstant
  ) -> ClusterSendReceipt {
    if let error = refusal(body, trace, false, now) {
      return error.code == .busy ? .busy(limit: error.limit ?? 0) : .refused(error)
    }
    _ = queue.append(QueuedRequest(call: nil, address: address, body: body, trace: trace))
    needConnection(now)
    return .queued
  }

  /// Takes a call back. Nothing happens when it is finished.
  mutating func cancel(_ id: UInt64, now: MonotonicInstant) { giveUp(id, .cancelled) }

  /// Why a request cannot be taken now.
  private func refusal(
    _ body: [UInt8], _ trace: [UInt8]?, _ waits: Bool, _ now: MonotonicInstant
  ) -> ClusterError? {
    if isShutDown { return error(.shuttingDown) }
    if directory == .down { return error(.peerDown) }
    if directory == .unknown && !waits { return error(.unknownPeer) }
    let size = body.count + (trace?.count ?? 0)
    if size > configuration.maxRequestBytes || (trace?.count ?? 0) > ClusterWire.maxTraceTagBytes {
      return error(.tooLarge, limit: configuration.maxRequestBytes)
    }
    if !waits, let until = backOffUntil, until > now, let failure = lastFailure {
      return connectError(failure, until, now)
    }
    // What the socket holds is bounded by the window, and is not known to the byte.
    let waiting = queue.bytes + writer.waitingBytes
    if waiting > 0 && waiting + size + 64 > configuration.maxQueuedBytes {
      return error(.busy, text: "bytes that wait to be written", limit: configuration.maxQueuedBytes)
    }
    return nil
  }

  /// Does what the queue needs in the present state.
  mutating func needConnection(_ now: MonotonicInstant) {
    switch state {
    case .idle: settle(now, "a request")
    case .up: askForCheck()
    case .unknown, .connecting, .closing, .backingOff, .down, .shutDown: break
    }
  }

  func error(
    _ code: ClusterError.Code, mayHaveExecuted: Bool = false, text: String? = nil,
    systemError: SystemCallError? = nil, limit: Int? = nil
  ) -> ClusterError {
    ClusterError(
      code, peer: peer, address: address, mayHaveExecuted: mayHaveExecuted, text: text, systemError: systemError,
      limit: limit)
  }

  func connectError(_ failure: SystemCallError, _ until: MonotonicInstant, _ now: MonotonicInstant) -> ClusterError {
    ClusterError(
      .connectFailed, peer: peer, address: address, systemError: failure, attempts: failures, nextAttempt: until,
      retryAfter: now.duration(to: until))
  }

  // MARK: Writing

  mutating func askForCheck() {
    guard isUp, !peerHasEnded, !isCheckOutstanding, !queue.isEmpty else { return }
    isCheckOutstanding = true
    wasAsked = true
    act(.checkConnection(attempt: attempt))
  }

  /// Says who we are, before all requests.
  mutating func introduce() {
    guard let introduction else { return }
    let session = nextSession()
    sessions[session] = .introduction
    wasAsked = true
    writer.addSmall { output in
      RequestPacket.appendSmall(to: .nameQuery, session: session, body: introduction, into: &output)
    }
    askForWrite()
  }

  private mutating func nextSession() -> UInt32 { counter.next { [sessions] in sessions[$0] != nil } }

  /// Hands the queue to the writer.
  mutating func flush() {
    for request in queue.takeAll() {
      let isLarge = request.body.count >= ClusterWire.largeRequestBytes
      let session = isLarge || request.call != nil ? nextSession() : 0
      if let id = request.call {
        sessions[session] = .call(id)
        calls[id]?.place = .written(session)
      }
      write(request, session, isLarge)
    }
    askForWrite()
  }

  private mutating func write(_ request: QueuedRequest, _ session: UInt32, _ isLarge: Bool) {
    let isSend = request.call == nil
    if isLarge {
      var head: [UInt8] = []
      Self.appendTrace(request, into: &head)
      RequestPacket.appendBegin(
        to: request.address, session: session, isPush: isSend, total: UInt32(request.body.count), into: &head)
      writer.addLarge(head: head, session: session, body: request.body, isSend: isSend)
    } else {
      writer.addSmall(isSend: isSend) { output in
        Self.appendTrace(request, into: &output)
        RequestPacket.appendSmall(to: request.address, session: session, body: request.body, into: &output)
      }
    }
  }

  /// The tag stands directly before its request, in the same piece of output, so that no other request takes it.
  private static func appendTrace(_ request: QueuedRequest, into output: inout [UInt8]) {
    guard let tag = request.trace else { return }
    do throws(ClusterWireError) {
      try RequestPacket.appendTrace(tag: tag, into: &output)
    } catch {
      preconditionFailure("a tag's length is checked when the request is made")
    }
  }
}
