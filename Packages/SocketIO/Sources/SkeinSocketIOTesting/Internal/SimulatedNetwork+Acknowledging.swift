// SimulatedNetwork+Acknowledging: how a sender learns what has arrived, and how much room there is.
//
// There is one acknowledgement of a side on its way at most; what it says was true when it set out.

internal import SkeinPlatform

extension SimulatedNetwork {
  /// Has the peer know what was received and how much room there is.
  func planAcknowledgement(_ side: Side) {
    guard side.kernel == .established else { return }
    if side.isAcknowledgementDue {
      side.isAcknowledgementStale = true
      return
    }
    side.isAcknowledgementHeld = false
    side.acknowledgementAttempts = 0
    sendAcknowledgement(side, after: random.nanoseconds(in: conditions.latency))
  }

  private func sendAcknowledgement(_ side: Side, after nanoseconds: Int64) {
    side.isAcknowledgementDue = true
    side.isAcknowledgementStale = false
    side.acknowledging = side.receivedSequence
    side.announcedEdge = max(side.announcedEdge, side.receivedSequence + side.receiveCapacity - side.received.count)
    plan(.acknowledgement(side.id.number), after: nanoseconds)
  }

  /// Tells the peer of room that reading has made, once it is worth it.
  func announceRoom(_ side: Side) {
    let edge = side.receivedSequence + side.receiveCapacity - side.received.count
    if edge - side.announcedEdge >= max(side.receiveCapacity / 4, 1) { planAcknowledgement(side) }
  }

  func acknowledge(_ number: UInt64) {
    guard let side = sides[number] else { return }
    side.isAcknowledgementDue = false
    guard let sender = peer(of: side), sender.kernel == .established else { return }
    guard side.kernel == .established else {
      askAgain(sender)
      return
    }
    if isLost(from: side.host, to: side.peerHost) { return loseAcknowledgement(side, sender) }
    side.acknowledgementAttempts = 0
    sender.isProbing = false
    sender.edge = max(sender.edge, side.announcedEdge)
    if side.acknowledging > sender.acknowledged {
      sender.acknowledged = side.acknowledging
      sender.progressAt = time
    }
    if side.isAcknowledgementStale { sendAcknowledgement(side, after: random.nanoseconds(in: conditions.latency)) }
    transmit(sender)
    planRoom(sender)
    removeIfFinished(sender)
  }

  private func loseAcknowledgement(_ side: Side, _ sender: Side) {
    side.acknowledgementAttempts += 1
    var delay = backOff(side.acknowledgementAttempts)
    if sender.sent > sender.acknowledged {
      let deadline = sender.progressAt + conditions.transmissionTimeout.nanosecondsClamped
      if time >= deadline { return timeOut(sender) }
      delay = min(delay, deadline - time)
    } else if cuts.contains(Route(from: side.host, to: side.peerHost)) {
      // Nobody sends, so nobody asks again; healing does.
      side.isAcknowledgementHeld = true
      return
    }
    sendAcknowledgement(side, after: delay)
  }

  private func planRoom(_ side: Side) {
    guard side.wantsRoom && !side.isRoomDue && side.hasDescriptor && side.room >= max(side.sendCapacity / 3, 1) else {
      return
    }
    side.isRoomDue = true
    planSoon(.room(side.id.number))
  }
}
