// LinkMachine+Ends: how calls end: finished, given up, or with their connection; and what becomes of their sessions.

internal import SkeinPlatform

extension LinkMachine {
  mutating func complete(_ id: UInt64, _ result: Result<[UInt8], ClusterError>) {
    if calls.removeValue(forKey: id) == nil { return }
    act(.complete(id, result))
  }

  mutating func expireCalls(_ now: MonotonicInstant) {
    while let id = deadlines.takeDue(now: now, isLive: { [calls] in calls[$0] != nil }) {
      giveUp(id, .deadlineExceeded)
    }
  }

  /// The caller stops waiting: by its own wish, or because its time is over.
  mutating func giveUp(_ id: UInt64, _ code: ClusterError.Code) {
    guard let call = calls[id] else { return }
    var mayHaveExecuted = false
    switch call.place {
    case .queued(let number): queue.drop(number)
    case .written(let session):
      if writer.removeLarge(session) {
        sessions[session] = nil
      } else {
        mayHaveExecuted = !writer.isUnfinished(session)
        abandon(session)
      }
    }
    complete(id, .failure(error(code, mayHaveExecuted: mayHaveExecuted)))
  }

  /// Keeps the session's number until its answer comes or the connection ends.
  mutating func abandon(_ session: UInt32) {
    joiner.drop(session)
    sessions[session] = .abandoned
    abandoned.append(session)
    abandonedCount += 1
    if abandonedCount > configuration.maxPendingCalls {
      let oldest = abandoned.firstIndex { sessions[$0] == .abandoned } ?? 0
      forgetAbandoned(abandoned[oldest])
      abandoned.removeFirst(oldest + 1)
    } else if abandoned.count > 2 * abandonedCount + 64 {
      abandoned.removeAll { sessions[$0] != .abandoned }
    }
  }

  mutating func forgetAbandoned(_ session: UInt32) {
    sessions[session] = nil
    abandonedCount -= 1
  }

  /// Fails the calls that are on the connection, in the order in which they were made, and forgets all sessions.
  mutating func failWritten(_ failure: (_ mayHaveExecuted: Bool) -> ClusterError) {
    let unfinished = writer.unfinishedSessions
    for (id, call) in callsInOrder() {
      guard case .written(let session) = call.place else { continue }
      complete(id, .failure(failure(!unfinished.contains(session))))
    }
    sessions = [:]
    abandoned = []
    abandonedCount = 0
  }

  /// Fails the calls that are not written: all, or those that do not wait for a connection.
  mutating func failQueued(waitingToo: Bool, _ failure: ClusterError) {
    for (id, call) in callsInOrder() {
      guard case .queued(let number) = call.place, waitingToo || !call.waitsForConnection else { continue }
      queue.drop(number)
      complete(id, .failure(failure))
    }
    loseSends(queue.dropSends(), "\(failure)")
  }

  mutating func loseSends(_ count: Int, _ reason: String) {
    if count == 0 { return }
    lostSends += count
    act(.log(.warning, "peer \(peer): up to \(count) sends were lost: \(reason)"))
  }

  private func callsInOrder() -> [(key: UInt64, value: Call)] {
    calls.sorted { $0.value.order < $1.value.order }
  }
}
