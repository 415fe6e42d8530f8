// SimulatedNetwork+Transport: segments and resets: the part of TCP that shows.
//
// A direction's segments stand in a queue, and only its head can arrive; so loss is a delay of everything behind it, and
// order needs no numbers.

internal import Glibc
internal import SkeinPlatform

extension SimulatedNetwork {
  // MARK: Sending

  /// Puts a segment on the wire.
  func emit(_ content: Segment.Content, from side: Side, after nanoseconds: Int64 = 0) {
    if side.inFlight.isEmpty && side.sent == side.acknowledged && !side.isProbing { side.progressAt = time }
    let arrival = max(side.lastArrival, time + nanoseconds + random.nanoseconds(in: conditions.latency))
    side.lastArrival = arrival
    side.inFlight.append(Segment(content: content, arrival: arrival))
    planHead(side)
  }

  private func planHead(_ side: Side) {
    guard !side.isHeadDue, let head = side.inFlight.first else { return }
    side.isHeadDue = true
    plan(.arrival(side.id.number, epoch: side.epoch), after: max(head.arrival - time, 0))
  }

  /// Puts on the wire what the peer has room for, and the FIN behind the last byte.
  func transmit(_ side: Side) {
    guard side.kernel == .established else { return }
    while !side.unsent.isEmpty && side.sent < side.edge {
      let count = min(random.size(in: conditions.segmentSize), side.unsent.count, side.edge - side.sent)
      emit(.data(side.unsent.take(count)), from: side)
      side.sent += count
    }
    if side.unsent.isEmpty {
      guard side.isWriteEnded && !side.isEndSent else { return }
      emit(.end, from: side)
      side.sent += 1
      side.isEndSent = true
    } else if side.inFlight.isEmpty && !canHear(side) {
      // The room that we wait for will not be announced: find out why.
      probe(side, after: 0)
    }
  }

  private func canHear(_ side: Side) -> Bool {
    peer(of: side)?.kernel == .established && !cuts.contains(Route(from: side.host, to: side.peerHost))
  }

  private func probe(_ side: Side, after nanoseconds: Int64) {
    emit(.probe, from: side, after: nanoseconds)
    side.isProbing = true
  }

  /// Asks again, until the time-out, when the answer that a side waits for was lost with the side that gave it.
  func askAgain(_ side: Side) {
    switch side.kernel {
    // Nobody was told of it, and it would never be established.
    case .halfOpen:
      side.kernel = .dead
      side.dropOutput()
    case .established:
      guard side.inFlight.isEmpty && (side.sent > side.acknowledged || !side.unsent.isEmpty) else { return }
      if time >= side.progressAt + conditions.transmissionTimeout.nanosecondsClamped { return timeOut(side) }
      probe(side, after: conditions.retransmissionDelay.nanosecondsClamped)
    case .connecting, .dead: break
    }
  }

  /// The host lets go of a descriptor: FIN behind what is to be sent, or RST when there is unread input.
  func release(_ side: Side) {
    side.hasDescriptor = false
    switch side.kernel {
    case .connecting: side.kernel = .dead
    case .established:
      if !side.received.isEmpty { return reset(side) }
      side.isWriteEnded = true
      transmit(side)
    case .halfOpen, .dead: break
    }
  }

  /// Ends a side with RST.
  func reset(_ side: Side) {
    let wasThere = side.kernel == .established
    side.kernel = .dead
    side.received.removeAll()
    side.unsent.removeAll()
    guard wasThere else { return }
    // What was lost is not sent again, and what came behind it is of no use.
    if let head = side.inFlight.first, head.attempts > 0 { side.dropOutput() }
    answerWithReset(side)
  }

  func answerWithReset(_ side: Side) {
    guard !side.isResetInFlight else { return }
    side.isResetInFlight = true
    emit(.reset, from: side)
  }

  // MARK: Arriving

  func arrive(_ number: UInt64, _ epoch: UInt32) {
    guard let side = sides[number], side.epoch == epoch, let segment = side.inFlight.first else { return }
    side.isHeadDue = false
    if isLost(from: side.host, to: side.peerHost) || !takes(segment, from: side) {
      lose(segment, from: side)
    } else {
      side.inFlight.removeFirst()
      receive(segment.content, from: side)
    }
    planHead(side)
    removeIfFinished(side)
  }

  func isLost(from: Int, to: Int) -> Bool {
    hosts[to].isDown || cuts.contains(Route(from: from, to: to)) || random.happens(conditions.loss)
  }

  /// Whether a listener has room for the client; where nobody listens there is an answer.
  private func takes(_ segment: Segment, from side: Side) -> Bool {
    guard case .open = segment.content, let listener = listeners[side.peerAddress] else { return true }
    return listener.waiting.count < listener.backlog
  }

  private func lose(_ segment: Segment, from side: Side) {
    if side.kernel == .dead {
      // Nothing is sent again, so what comes behind is of no use, save RST, which is the last.
      if case .reset = segment.content { side.isResetInFlight = false }
      let resets = side.isResetInFlight
      side.dropOutput()
      if resets {
        answerWithReset(side)
      } else if let peer = peer(of: side) {
        askAgain(peer)
      }
      return
    }
    var segment = segment
    segment.attempts += 1
    segment.arrival = time + backOff(segment.attempts)
    if side.kernel != .connecting {
      let deadline = side.progressAt + conditions.transmissionTimeout.nanosecondsClamped
      if time >= deadline { return timeOut(side) }
      segment.arrival = min(segment.arrival, deadline)
    }
    side.inFlight.first = segment
  }

  func backOff(_ attempts: Int) -> Int64 {
    conditions.retransmissionDelay.nanosecondsClamped << min(attempts - 1, 16)
  }

  func timeOut(_ side: Side) {
    side.kernel = .dead
    side.dropOutput()
    if side.hasDescriptor { side.error = ETIMEDOUT }
    planDelivery(side)
    removeIfFinished(side)
  }

  private func receive(_ content: Segment.Content, from sender: Side) {
    if case .open = content { return open(sender) }
    guard let side = peer(of: sender) else { return }
    if case .reset = content {
      sender.isResetInFlight = false
      return receiveReset(side)
    }
    if side.kernel == .dead { return answerWithReset(side) }
    switch content {
    case .open, .reset: break
    case .openAcknowledged:
      guard side.kernel == .connecting else { return }
      side.kernel = .established
      emit(.handshakeDone, from: side)
      planSoon(.connected(side.id.number))
    case .handshakeDone: establish(side)
    case .data(let bytes): receive(bytes, at: side, from: sender)
    case .end:
      side.isEndReceived = true
      side.receivedSequence += 1
      planAcknowledgement(side)
      planDelivery(side)
    case .probe: planAcknowledgement(side)
    }
  }

  private func receive(_ bytes: [UInt8], at side: Side, from sender: Side) {
    if random.happens(conditions.resetProbability) { return breakConnection(side) }
    // Nobody will read it.
    if !side.hasDescriptor { return reset(side) }
    side.received.append(contentsOf: bytes)
    side.receivedSequence += bytes.count
    planAcknowledgement(side)
    planDelivery(side)
  }

  /// Both sides see RST, which neither has sent.
  func breakConnection(_ side: Side) {
    receiveReset(side)
    if let other = peer(of: side) { receiveReset(other) }
  }

  private func receiveReset(_ side: Side) {
    switch side.kernel {
    case .dead: return
    case .connecting:
      side.kernel = .dead
      side.dropOutput()
      planSoon(.connectFailed(side.id.number, ECONNREFUSED))
    case .halfOpen:
      side.kernel = .dead
      side.dropOutput()
    case .established:
      // All is said and acknowledged in both directions: the kernel has no connection to reset.
      if side.isEndReceived && side.isEndAcknowledged { return }
      side.kernel = .dead
      side.dropOutput()
      if side.hasDescriptor { side.error = side.isEndReceived && !side.isWriteEnded ? EPIPE : ECONNRESET }
      planDelivery(side)
    }
  }
}
