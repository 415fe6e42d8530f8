// SteadyLoad: requests at a steady rate on one connection, whatever becomes of the answers.
//
// Shared by:  the thread that sends and reads, and the test, which looks at the counts and ends it.

import Synchronization

/// 1,000 requests a second, in turn for each of some keys, for as long as the test wants.
///
/// Behind each request stands an ECHO with its number: an answer that is missing or doubled shows at once.
final class SteadyLoad: Sendable {
  /// One request and what it got.
  struct Outcome: Sendable {
    let key: String
    let sent: ContinuousClock.Instant
    let answered: ContinuousClock.Instant
    let reply: Reply

    var took: Duration { answered - sent }
  }

  private let state = Mutex((outcomes: [Outcome](), isOver: false))
  private let began = ContinuousClock.now

  /// What was answered so far.
  var outcomes: [Outcome] { state.withLock { $0.outcomes } }

  /// Sends until ``end()``, at once what was due since the load was made; blocks. Gives everything that was sent and answered.
  func run(_ client: RawClient, keys: [String]) throws -> [Outcome] {
    var sent: [ContinuousClock.Instant] = []
    var answered = 0
    while true {
      let isOver = state.withLock { $0.isOver }
      let due = isOver ? sent.count : Int((ContinuousClock.now - began) / .milliseconds(1))
      var bytes: [UInt8] = []
      while sent.count < due {
        let key = keys[sent.count % keys.count]
        bytes += Request.bytes("SET", key, "\(sent.count)") + Request.bytes("ECHO", "\(sent.count)")
        sent.append(ContinuousClock.now)
      }
      if !bytes.isEmpty { try client.send(bytes) }
      if answered == sent.count && isOver { return outcomes }
      // Its end is an answer or the time of the next request.
      while answered < sent.count && client.isReadable(withinMilliseconds: isOver ? 1_000 : 1) {
        let reply = try client.readReply()
        let echo = try client.readReply()
        guard echo == .text("\(answered)") else { throw Failure("request \(answered) got \(reply) and then \(echo)") }
        let outcome = Outcome(
          key: keys[answered % keys.count], sent: sent[answered], answered: .now, reply: reply)
        state.withLock { $0.outcomes.append(outcome) }
        answered += 1
      }
      if answered == sent.count && !isOver { Interval.pass(milliseconds: 1) }
      if let oldest = sent.dropFirst(answered).first,
        ContinuousClock.now - oldest > .seconds(Environment.hangGuardSeconds)
      {
        throw Failure("request \(answered) is not answered")
      }
    }
  }

  /// Has the sender stop; what is on its way is still answered. Gives the milliseconds since the load was made.
  func end() -> Double {
    state.withLock { $0.isOver = true }
    return (ContinuousClock.now - began) / .milliseconds(1)
  }

  /// Waits until `count` more requests are answered.
  func awaitAnswers(_ count: Int) throws {
    let target = state.withLock { $0.outcomes.count } + count
    try Poll.until("\(count) more answers") { state.withLock { $0.outcomes.count } >= target }
  }
}
