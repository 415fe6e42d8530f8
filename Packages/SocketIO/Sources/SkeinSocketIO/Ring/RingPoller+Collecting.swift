// What completions mean.

#if SKEIN_IOURING
internal import CSkeinPlatform
internal import CSkeinRing
internal import Glibc
internal import SkeinPlatform

extension RingPoller {
  func collect(afterWait: Bool, _ body: (SlotToken, PollerEvent) -> Void) -> Bool {
    if afterWait { becomeOwner() } else { queue.askKernel(ofOthers: !isOwner) }
    let before = told
    if isOwner { takeOverForeign() }
    unsafe tellDue(body)
    let completions = unsafe queue.take()
    for index in unsafe completions.indices { unsafe handle(completions[index], body) }
    rearmStarved()
    return told != before
  }

  /// Tells the loop of an event.
  func tell(_ token: SlotToken, _ event: PollerEvent, _ body: (SlotToken, PollerEvent) -> Void) {
    told += 1
    unsafe body(token, event)
  }

  private func handle(_ completion: skein_ring_completion, _ body: (SlotToken, PollerEvent) -> Void) {
    let word = RingWord(bits: completion.token)
    let token = word.token
    guard let purpose = word.purpose else { return }
    if purpose == .wake || purpose == .alarm {
      if !completion.more { listen(for: purpose) }
      return
    }
    guard let slot = used(token) else { return discard(completion, purpose) }
    if !completion.more { slot.requests -= 1 }
    if slot.isClosing {
      // Input that nobody has read: the kernel would reset a connection that is closed with some.
      if purpose == .receive, completion.result > 0 { _ = skein_socket_set_linger_reset(slot.descriptor) }
      discard(completion, purpose)
    } else {
      switch purpose {
      case .receive: unsafe received(completion, slot, token, body)
      case .accept: unsafe accepted(completion, slot, token, body)
      case .send: unsafe sent(completion.result, slot, token, body)
      case .connect: unsafe connected(completion.result, slot, token, body)
      case .watch: unsafe watched(completion, slot, token, body)
      case .look: unsafe looked(completion.result, slot, token, body)
      case .cancel, .wake, .alarm: break
      }
    }
    // The loop may have closed the slot meanwhile, and even adopted another descriptor for it.
    if slot.token == token, slot.isClosing, slot.requests == 0 {
      _ = skein_close(slot.end())
      unsafe tell(token, .released, body)
    }
  }

  /// A completion that nobody waits for still holds a buffer or a descriptor.
  private func discard(_ completion: skein_ring_completion, _ purpose: RingPurpose) {
    if completion.buffer >= 0 { queue.recycle(completion.buffer) }
    if purpose == .accept, completion.result >= 0 { _ = skein_close(completion.result) }
  }

  // MARK: Receiving

  private func received(
    _ completion: skein_ring_completion, _ slot: RingSlot, _ token: SlotToken,
    _ body: (SlotToken, PollerEvent) -> Void
  ) {
    if !completion.more { slot.stream.requestEnded() }
    if completion.buffer >= 0 {
      if completion.result > 0 {
        let bytes = unsafe queue.bytes(in: completion.buffer, count: Int(completion.result))
        if slot.isReading { unsafe tell(token, .received(bytes), body) } else { unsafe slot.keep(bytes) }
      }
      queue.recycle(completion.buffer)
    }
    guard !completion.more, open(token) === slot else { return }
    switch completion.result {
    case 1...: rearm(slot, token)
    case 0: unsafe inputEnded(.endOfInput, slot, token, body)
    case -ENOBUFS: starved.append(token)
    case -ECANCELED, -EINTR, -EAGAIN: rearm(slot, token)
    default: unsafe inputEnded(.failure(-completion.result), slot, token, body)
    }
  }

  private func rearm(_ slot: RingSlot, _ token: SlotToken) {
    if slot.kept == nil { carryOut(slot.stream.rearm(), slot, token) }
  }

  private func inputEnded(
    _ end: RingSlot.Kept.End, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    if case .failure(let errorNumber) = end, !slot.stream.isWanted {
      unsafe tellHangUp(errorNumber, slot, token, body)
    } else if slot.isReading {
      unsafe tellEnd(end, slot, token, body)
    } else {
      slot.keep(end)
    }
  }

  private func tellEnd(
    _ end: RingSlot.Kept.End, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    _ = slot.stream.unwant()
    slot.hasInputEnded = true
    switch end {
    case .endOfInput:
      unwatched.append(token)
      unsafe tell(token, .receivedEnd, body)
    case .failure(let errorNumber):
      slot.watch = .over
      unsafe tell(token, .receiveFailed(errorNumber), body)
    }
  }

  /// Tells what was kept for connections that read again.
  private func tellDue(_ body: (SlotToken, PollerEvent) -> Void) {
    guard !due.isEmpty else { return }
    let tokens = due
    due.removeAll(keepingCapacity: true)
    wakeups.collected()
    for token in tokens {
      guard let slot = open(token), slot.stream.isWanted, slot.kept != nil else { continue }
      unsafe tellKept(slot, token, body)
    }
  }

  /// Tells it in pieces like the ring's, since the loop may pause after each.
  private func tellKept(_ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void) {
    var pieces = 0
    while let piece = slot.kept?.nextPiece {
      guard pieces < Self.piecesPerTurn else { return announce(token) }
      pieces += 1
      slot.kept!.offset += piece.count
      unsafe piece.withUnsafeBytes { bytes in unsafe tell(token, .received(bytes), body) }
      guard open(token) === slot, slot.stream.isWanted else { return }
    }
    let end = slot.kept?.end
    slot.kept = nil
    if let end { unsafe inputEnded(end, slot, token, body) } else { rearm(slot, token) }
  }

  private static var piecesPerTurn: Int { 16 }

  /// After the turn's buffers were recycled.
  private func rearmStarved() {
    guard !starved.isEmpty else { return }
    let tokens = starved
    starved.removeAll(keepingCapacity: true)
    for token in tokens {
      if let slot = open(token) { rearm(slot, token) }
    }
  }

  // MARK: Accepting

  private func accepted(
    _ completion: skein_ring_completion, _ slot: RingSlot, _ token: SlotToken,
    _ body: (SlotToken, PollerEvent) -> Void
  ) {
    if !completion.more { slot.stream.requestEnded() }
    switch completion.result {
    case 0...:
      var peer = sockaddr_storage()
      _ = unsafe skein_socket_peer(completion.result, &peer)
      unsafe tell(token, .accepted(descriptor: completion.result, peer: SocketEndpoint(peer)), body)
    case -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM:
      guard slot.stream.isWanted else { return }
      _ = slot.stream.unwant()
      return unsafe tell(token, .acceptFailed(-completion.result), body)
    default: break  // cancelled, or a client that went away before it was accepted
    }
    if !completion.more, open(token) === slot { rearm(slot, token) }
  }

  // MARK: Connecting and sending

  private func connected(
    _ result: Int32, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    if result == -ECANCELED { return awaitConnect(token) }
    slot.isConnecting = false
    let failure = result < 0 ? -result : skein_socket_error(slot.descriptor)
    if failure == 0 { unwatched.append(token) } else { slot.watch = .over }
    unsafe tell(token, failure == 0 ? .connected : .connectFailed(failure), body)
  }

  private func sent(
    _ result: Int32, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    switch result {
    case 1...:
      unsafe slot.sending = nil
      unsafe tell(token, .sent(Int(result)), body)
    case 0, -ECANCELED, -EINTR, -EAGAIN:
      unsafe request(SKEIN_RING_SEND, .send, slot, token, bytes: slot.sending)
    default:
      unsafe slot.sending = nil
      unsafe tell(token, .sendFailed(-result), body)
    }
  }

  // MARK: Watching

  /// The poll without a mask saw something: an error, the end of both directions, or just the peer's end.
  private func watched(
    _ completion: skein_ring_completion, _ slot: RingSlot, _ token: SlotToken,
    _ body: (SlotToken, PollerEvent) -> Void
  ) {
    guard slot.watch != .over else { return }
    if !completion.more {
      slot.watch = .unarmed
      unwatched.append(token)
    }
    unsafe looked(completion.result, slot, token, body)
  }

  /// Tells of a break that a poll has shown.
  ///
  /// - Parameter result: the poll's mask; io_uring adds POLLRDHUP to what was asked for.
  private func looked(
    _ result: Int32, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    guard slot.watch != .over, result > 0, result & Int32(POLLERR | POLLHUP) != 0 else { return }
    if slot.stream.isWanted || slot.isConnecting {
      slot.mayBeBroken = true
      return
    }
    let errorNumber = skein_socket_error(slot.descriptor)
    if errorNumber > 0 {
      unsafe tellHangUp(errorNumber, slot, token, body)
    } else if !slot.hasSentEnd {
      // Without our FIN only a reset ends both directions; a send or a receive has taken its error.
      unsafe tellHangUp(ECONNRESET, slot, token, body)
    }
  }

  private func tellHangUp(
    _ errorNumber: Int32, _ slot: RingSlot, _ token: SlotToken, _ body: (SlotToken, PollerEvent) -> Void
  ) {
    guard slot.watch != .over else { return }
    slot.watch = .over
    slot.hasInputEnded = true
    unsafe tell(token, .hangUp(errorNumber), body)
  }
}
#endif
