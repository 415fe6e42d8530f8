// ClientCore: everything that a client's connection decides, without I/O.
//
// Owns:       the connection's parser, session and reply queue, and what is left of its round.
// Invariants (hold between calls):
//   I1  a round begins only when the one before is complete: one batch of this connection is with a shard at most.
//   I2  what is left of a round is executed before any later request; so each shard sees the client's order.
//   I3  the oldest unanswered request may always be executed; others only below the reply limit.

/// One client's connection as a pure state machine: bytes in, batches for shards out, answers in, bytes out.
///
/// The connection goes round by round: give it bytes, run the batches of a round on their shards one after the other,
/// complete each, write the output, and ask for the next round.
///
///     core.receive(bytes)
///     while true {
///       let batches = core.nextRound { facts }
///       for batch in batches { core.complete(batch, with: shards[batch.shard].execute(batch, now)) }
///       let output = core.takeOutput()
///       write(output)                                // core.acknowledge(n) when the kernel took n bytes
///       if batches.isEmpty && output.isEmpty { break }
///     }
///
/// When the loop ends and ``hasMore`` holds, too much is unread: go on with it after ``acknowledge(_:)``.
/// It reads no further than ``ServerConfiguration/replyLimitBytes`` of unread answers, beyond the answer in progress.
///
/// - Thread safety: a value; one thread at a time.
public struct ClientCore: Sendable {
  /// Requests that one round takes at most.
  static let requestsPerRound = 1_024

  /// What the connection's commands have set.
  public private(set) var session: Session
  private let router: CommandRouter
  private var parser: RESPParser
  private var replies: ReplyQueue
  private var round = RoundBuilder()
  private var leftOver: [ShardBatch] = []
  private var runningBatches = 0
  /// Whether parsing stopped for another reason than that it needs bytes.
  private var stoppedEarly = false
  /// Requests parsed since the connection began.
  public private(set) var requestCount = 0

  /// Creates a connection that has received nothing.
  ///
  /// - Parameters:
  ///   - id: unique among the server's connections.
  ///   - router: the server's.
  public init(id: Int64, router: CommandRouter) {
    let configuration = router.configuration
    self.router = router
    session = Session(id: id, needsPassword: configuration.password != nil)
    parser = RESPParser(limits: configuration.limits)
    replies = ReplyQueue(limitBytes: configuration.replyLimitBytes)
  }

  /// Whether more bytes should be read: everything complete was executed, and the client reads its answers.
  public var wantsInput: Bool { !isClosing && runningBatches == 0 && !hasMore && !replies.isFull }

  /// Whether requests are here that were not executed yet: ask for the next round when the client has read.
  public var hasMore: Bool { !leftOver.isEmpty || stoppedEarly }

  /// Whether the client, or its broken protocol, has ended the connection: nothing more is read.
  public var isClosing: Bool { session.isClosing }

  /// Whether the connection has ended and everything was answered and taken: close it gracefully.
  public var isFinished: Bool { isClosing && isIdle }

  /// Whether every complete request is answered and every answer taken.
  public var isIdle: Bool { runningBatches == 0 && !hasMore && replies.isComplete && !replies.hasOutput }

  /// Bytes of answers not acknowledged as sent.
  public var unreadBytes: Int { replies.unreadBytes }

  /// Whether ``nextRound(facts:)`` waits for ``acknowledge(_:)``, since too much is unread.
  ///
  /// Where nothing can be read, since all answers wait for an earlier one, that one is never waited for.
  public var waitsForReader: Bool { replies.isFull && replies.readableBytes > 0 }

  /// Adds bytes from the client; ignored once ``isClosing``. Not while ``nextRound(facts:)`` has more to give.
  public mutating func receive(_ bytes: RawSpan) {
    if !isClosing { parser.append(bytes) }
  }

  /// Adds bytes from the client, as ``receive(_:)-(RawSpan)`` does.
  public mutating func receive(_ bytes: Span<UInt8>) {
    if !isClosing { parser.append(bytes) }
  }

  /// What the shards are to do next, in the order of the requests; all to be completed, in this order, before the
  /// next round.
  ///
  /// A batch that was not executed to its end ends the round: complete those after it with an empty reply. So no
  /// request takes effect before an earlier one, on whichever shards the two are.
  ///
  /// - Parameter facts: asked when the client wants to know them.
  /// - Returns: nothing when more bytes are needed, too much is unread, or the connection ends.
  public mutating func nextRound(facts: () -> ServerFacts) -> [ShardBatch] {
    precondition(runningBatches == 0, "complete the round's batches before the next round")
    if waitsForReader { return [] }
    var batches: [ShardBatch] = []
    if !leftOver.isEmpty {
      swap(&batches, &leftOver)
    } else if !isClosing {
      batches = parse(facts)
    }
    let share = max(0, replies.limitBytes - replies.unreadBytes) / max(1, batches.count)
    for index in batches.indices {
      // The same for each batch, so a command that changes keys is never cut between two of its parts: where its first
      // part had room for a short answer (or is the oldest request's), each other part has it too, since it begins a
      // batch. So whoever runs one round, and is asked again for the rest of it, executes no part twice but MGET's.
      batches[index].replyLimitBytes = share
      batches[index].answersFirst = replies.isFirst(batches[index].operations[batches[index].start].ticket)
    }
    runningBatches = batches.count
    return batches
  }

  /// Takes a shard's answers to a batch of this round; what it did not get to goes into the next round.
  public mutating func complete(_ batch: ShardBatch, with reply: ShardReply) {
    runningBatches -= 1
    var lower = 0
    for (index, end) in reply.ends.enumerated() {
      let operation = batch.operations[batch.start + index]
      replies.fulfil(operation.ticket, part: operation.part, reply.bytes, lower..<end)
      lower = end
    }
    if batch.start + reply.executed < batch.end {
      var rest = batch
      rest.start += reply.executed
      leftOver.append(rest)
    }
  }

  /// Answers every operation of a batch with an error, when its shard did not answer.
  ///
  /// - Parameter text: begins with the error's code: `ERR …`.
  public mutating func fail(_ batch: ShardBatch, _ text: String) {
    var writer = ReplyWriter()
    var reply = ShardReply()
    writer.error(text)
    for _ in batch.start..<batch.end {
      reply.bytes += writer.bytes
      reply.ends.append(reply.bytes.count)
    }
    complete(batch, with: reply)
  }

  /// Takes the answers to be written next; empty when there are none.
  public mutating func takeOutput() -> [UInt8] { replies.hasOutput ? replies.take() : [] }

  /// Says that the kernel has taken `count` bytes of the output.
  public mutating func acknowledge(_ count: Int) { replies.acknowledge(count) }

  /// Routes complete requests until a round is full; answers those that need no shard.
  private mutating func parse(_ facts: () -> ServerFacts) -> [ShardBatch] {
    var requests = 0
    stoppedEarly = true
    while stoppedEarly, !replies.isFull, requests < Self.requestsPerRound || round.isEmpty {
      do throws(RESPProtocolError) {
        if let request = try parser.next(authenticated: session.isAuthenticated) {
          router.route(request, parser.bytes, parser.arguments, &session, &replies, &round, facts)
          requests += 1
          if isClosing { stoppedEarly = false }
        } else {
          stoppedEarly = false
        }
      } catch {
        session.isClosing = true
        stoppedEarly = false
        replies.answer(suppressed: session.takeSuppression()) { $0.error("ERR " + error.replyText) }
      }
    }
    requestCount += requests
    let batches = round.finish(parser.bytes, parser.arguments)
    parser.forgetRequests()
    return batches
  }
}
