// LinkMachine+Answers: from received bytes to finished calls.

internal import SkeinPlatform

extension LinkMachine {
  /// Bytes arrived on the connection of this attempt.
  mutating func received(_ attempt: UInt64, _ bytes: RawSpan, now: MonotonicInstant) {
    guard attempt == self.attempt, isUp else { return }
    var offset = 0
    while isUp {
      switch reader.next(in: bytes, from: &offset) {
      case .needsMore: return
      case .within(let range): handle(bytes.extracting(range), now)
      case .assembled:
        let packet = reader.takeAssembled()
        // Bytes have no padding that could be read uninitialized.
        handle(unsafe packet.span.bytes.extracting(droppingFirst: 2), now)
      }
    }
  }

  private mutating func handle(_ packet: RawSpan, _ now: MonotonicInstant) {
    let answer: AnswerPacket
    do throws(ClusterWireError) { answer = try AnswerPacket(decoding: packet) } catch {
      failMalformed(error.description, now: now)
      return
    }
    switch answer {
    case .small(let session, let body):
      guard let id = owner(of: session, isLast: true) else { return }
      if joiner.isOpen(session) {
        failAnswer(session, "a whole answer between the parts of a large one", isOver: true)
      } else {
        sessions[session] = nil
        complete(id, .success([UInt8](copying: packet.extracting(body))))
      }
    case .error(let session, let range):
      guard let id = owner(of: session, isLast: true) else { return }
      joiner.drop(session)
      sessions[session] = nil
      let text = String(decoding: [UInt8](copying: packet.extracting(range)), as: UTF8.self)
      complete(id, .failure(error(.remoteError, mayHaveExecuted: true, text: text)))
    case .begin(let session, let total):
      guard let id = owner(of: session, isLast: false) else { return }
      do throws(LargeMessageError) {
        try joiner.begin(session, total: total, id, now: now)
        wake(by: now.advanced(by: configuration.answers.timeLimit))
      } catch {
        failAnswer(session, error.description)
      }
    case .part(let session, let isLast, let range):
      guard owner(of: session, isLast: isLast) != nil else { return }
      do throws(LargeMessageError) {
        if let (id, body) = try joiner.add(packet.extracting(range), to: session, isLast: isLast) {
          sessions[session] = nil
          complete(id, .success(body))
        }
      } catch {
        failAnswer(session, error.description, isOver: isLast)
      }
    }
  }

  /// The call that waits for this session. A session that nobody waits for is counted, and freed by its last packet.
  private mutating func owner(of session: UInt32, isLast: Bool) -> UInt64? {
    let owner = sessions[session]
    // A peer that answers the introduction, and then closes, was of no use.
    if owner != .introduction { isProven = true }
    switch owner {
    case .call(let id): return id
    case .abandoned:
      if isLast {
        lateAnswers += 1
        forgetAbandoned(session)
      }
    case .introduction: if isLast { sessions[session] = nil }
    case nil: if isLast { unknownAnswers += 1 }
    }
    return nil
  }

  /// Fails the call of a session whose answer is not to be trusted; what follows of it is ignored.
  mutating func failAnswer(_ session: UInt32, _ text: String, isOver: Bool = false) {
    guard case .call(let id) = sessions[session] else { return }
    if isOver {
      joiner.drop(session)
      sessions[session] = nil
    } else {
      abandon(session)
    }
    act(.log(.warning, "peer \(peer): session \(session) failed: \(text)"))
    complete(id, .failure(error(.invalidAnswer, mayHaveExecuted: true, text: text)))
  }
}
