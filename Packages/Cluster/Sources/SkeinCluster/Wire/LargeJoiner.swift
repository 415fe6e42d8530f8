// LargeJoiner: the parts of large messages, joined; the same for requests and for answers.
//
// Owns:       the bytes of messages that have not arrived completely.
// Invariants:
//   I1  at most `limits.open` messages are open, refused ones included.
//   I2  the declared totals of those that collect bytes are together at most `limits.openBytes`; no message holds
//       more bytes than it declared, and nothing is reserved from a declared total.
//   I3  a refused message keeps its session until its last part or its time, so that it is refused once.

public import SkeinPlatform

/// How much a connection's unfinished large messages may hold.
public struct LargeLimits: Hashable, Sendable {
  /// Greatest number of unfinished messages.
  public var open = 256
  /// Greatest declared total of one message.
  public var messageBytes = 16 << 20
  /// Greatest sum of the declared totals of all unfinished messages.
  public var openBytes = 64 << 20
  /// How long a message may stay unfinished.
  public var timeLimit = Duration.seconds(60)

  /// The defaults: 256 messages, 16 MiB each and 64 MiB together, a minute.
  public init() {}
}

/// Why a large message cannot be joined.
public enum LargeMessageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// More is declared than one message may have.
  case tooLarge(total: Int, limit: Int)
  /// The unfinished messages together would have too much.
  case tooMuchOpen(limit: Int)
  /// Too many messages are unfinished; nothing about this one is kept.
  case tooManyOpen(limit: Int)
  /// The session begins again although its message is unfinished.
  case begunTwice
  /// A part without a beginning.
  case noBeginning
  /// The parts are longer or shorter than declared.
  case totalMismatch(declared: Int, arrived: Int)
  /// The last part did not come in time.
  case timedOut

  /// The reason in a phrase.
  public var description: String {
    switch self {
    case .tooLarge(let total, let limit): "a large message of \(total) bytes, above the limit of \(limit)"
    case .tooMuchOpen(let limit): "unfinished large messages of more than \(limit) bytes"
    case .tooManyOpen(let limit): "more than \(limit) unfinished large messages"
    case .begunTwice: "a large message that begins twice"
    case .noBeginning: "a part of a large message that has not begun"
    case .totalMismatch(let declared, let arrived):
      "a large message of \(declared) bytes, of which \(arrived) arrived"
    case .timedOut: "a large message whose last part did not come in time"
    }
  }
}

/// Joins the parts of large messages. Parts of several may be interleaved and have any length.
///
/// `Context` is what the beginning said and is handed back with the body.
///
/// - Thread safety: a value; one thread at a time.
public struct LargeJoiner<Context: Sendable>: Sendable {
  /// A message and what became of it.
  public struct Failure: Sendable {
    /// The message's session.
    public let session: UInt32
    /// What its beginning said.
    public let context: Context
  }

  private struct Message: Sendable {
    /// Nil when the message was refused: its parts are ignored.
    var context: Context?
    var bytes: [UInt8] = []
    let declared: Int
    var expiry: MonotonicInstant
  }

  private let limits: LargeLimits
  private var messages: [UInt32: Message] = [:]
  /// Sum of `declared` over the messages that are not refused.
  private var declaredBytes = 0

  /// Creates a joiner without messages.
  public init(limits: LargeLimits = LargeLimits()) { self.limits = limits }

  /// Number of unfinished messages, refused ones included.
  public var openCount: Int { messages.count }
  /// Whether nothing is unfinished.
  public var isEmpty: Bool { messages.isEmpty }

  /// When the first unfinished message runs out of time.
  ///
  /// - Complexity: O(unfinished messages).
  public var nextExpiry: MonotonicInstant? { messages.values.lazy.map(\.expiry).min() }

  /// Whether `session` has an unfinished message that is not refused.
  public func isOpen(_ session: UInt32) -> Bool { messages[session]?.context != nil }

  /// Opens a message of `total` bytes.
  ///
  /// - Throws: ``LargeMessageError``; except for ``LargeMessageError/tooManyOpen(limit:)`` the session's parts are
  ///   ignored from then on, up to the last one.
  public mutating func begin(
    _ session: UInt32, total: UInt32, _ context: Context, now: MonotonicInstant
  ) throws(LargeMessageError) {
    if messages[session] != nil {
      refuse(session)
      throw .begunTwice
    }
    if messages.count >= limits.open { throw .tooManyOpen(limit: limits.open) }
    let total = Int(total)
    messages[session] = Message(context: context, declared: total, expiry: now.advanced(by: limits.timeLimit))
    declaredBytes += total
    if total > limits.messageBytes {
      refuse(session)
      throw .tooLarge(total: total, limit: limits.messageBytes)
    }
    if declaredBytes > limits.openBytes {
      refuse(session)
      throw .tooMuchOpen(limit: limits.openBytes)
    }
  }

  /// Adds a part.
  ///
  /// - Returns: the context and the body when the part was the last one and all is there; nil when more is to come, or
  ///   the message was refused before.
  /// - Throws: ``LargeMessageError/noBeginning``, or ``LargeMessageError/totalMismatch(declared:arrived:)``, once.
  public mutating func add(
    _ part: RawSpan, to session: UInt32, isLast: Bool
  ) throws(LargeMessageError) -> (context: Context, body: [UInt8])? {
    guard let index = messages.index(forKey: session) else { throw .noBeginning }
    guard let context = messages.values[index].context else {
      if isLast { messages.remove(at: index) }
      return nil
    }
    let declared = messages.values[index].declared
    let arrived = messages.values[index].bytes.count + part.byteCount
    if arrived > declared || (isLast && arrived < declared) {
      if isLast { close(session) } else { refuse(session) }
      throw .totalMismatch(declared: declared, arrived: arrived)
    }
    messages.values[index].bytes.append(part)
    if !isLast { return nil }
    let body = messages.values[index].bytes
    close(session)
    return (context, body)
  }

  /// Drops the message of `session`, if any; parts that still come have no beginning.
  public mutating func drop(_ session: UInt32) {
    if messages[session] != nil { close(session) }
  }

  /// Refuses what is out of time, and forgets what was refused and is out of time again.
  ///
  /// - Returns: those that were not refused before, in the order of their sessions.
  public mutating func expire(now: MonotonicInstant) -> [Failure] {
    var failures: [Failure] = []
    for (session, message) in messages where message.expiry <= now {
      guard let context = message.context else {
        messages[session] = nil
        continue
      }
      failures.append(Failure(session: session, context: context))
      refuse(session)
      messages[session]?.expiry = now.advanced(by: limits.timeLimit)
    }
    return failures.sorted { $0.session < $1.session }
  }

  /// The context of an unfinished message that is not refused.
  public func context(of session: UInt32) -> Context? { messages[session]?.context }

  private mutating func refuse(_ session: UInt32) {
    guard let message = messages[session] else { return }
    if message.context != nil { declaredBytes -= message.declared }
    messages[session]?.context = nil
    messages[session]?.bytes = []
  }

  private mutating func close(_ session: UInt32) {
    refuse(session)
    messages[session] = nil
  }
}
