// ClusterError: why a request to a peer has no answer.

public import SkeinPlatform

/// Why a request to a peer has no answer, and whether the peer may have executed it.
///
/// The details that belong to each ``Code`` stand with it; the others are nil.
public struct ClusterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What happened. More may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The code's name, as it stands in metrics.
    public let description: String

    /// The connection ended before the answer came. Details: ``ClusterError/text``, ``ClusterError/systemError``.
    public static let answerLost = Code(description: "answerLost")
    /// The peer cannot be connected to. Details: ``ClusterError/systemError``, ``ClusterError/attempts``,
    /// ``ClusterError/nextAttempt``, ``ClusterError/retryAfter``.
    public static let connectFailed = Code(description: "connectFailed")
    /// The answer did not come before the call's deadline.
    public static let deadlineExceeded = Code(description: "deadlineExceeded")
    /// The caller took the call back.
    public static let cancelled = Code(description: "cancelled")
    /// Too much is waiting for this peer already. Details: ``ClusterError/limit``, ``ClusterError/text``.
    public static let busy = Code(description: "busy")
    /// The request is above the greatest size. Details: ``ClusterError/limit``.
    public static let tooLarge = Code(description: "tooLarge")
    /// The peer answered with an error. Details: ``ClusterError/text``, which is the peer's.
    public static let remoteError = Code(description: "remoteError")
    /// The peer's answer cannot be put together. Details: ``ClusterError/text``.
    public static let invalidAnswer = Code(description: "invalidAnswer")
    /// No address is known for this name.
    public static let unknownPeer = Code(description: "unknownPeer")
    /// The directory says that the peer is down.
    public static let peerDown = Code(description: "peerDown")
    /// The connection was ended on our side. Details: ``ClusterError/text``.
    public static let disconnected = Code(description: "disconnected")
    /// Our node leaves the cluster.
    public static let shuttingDown = Code(description: "shuttingDown")
  }

  private struct Fields: Hashable, Sendable {
    let peer: String
    let address: String?
    let code: Code
    let mayHaveExecuted: Bool
    let text: String?
    let systemError: SystemCallError?
    let attempts: Int?
    let nextAttempt: MonotonicInstant?
    let retryAfter: Duration?
    let limit: Int?
  }

  /// Behind a reference, so that results which carry no error stay small.
  private final class Box: Sendable {
    let fields: Fields
    init(_ fields: Fields) { self.fields = fields }
  }

  private let box: Box

  init(
    _ code: Code, peer: String, address: String?, mayHaveExecuted: Bool = false, text: String? = nil,
    systemError: SystemCallError? = nil, attempts: Int? = nil, nextAttempt: MonotonicInstant? = nil,
    retryAfter: Duration? = nil, limit: Int? = nil
  ) {
    box = Box(
      Fields(
        peer: peer, address: address, code: code, mayHaveExecuted: mayHaveExecuted, text: text,
        systemError: systemError, attempts: attempts, nextAttempt: nextAttempt, retryAfter: retryAfter, limit: limit))
  }

  /// The same error, with what is known of the request's execution.
  func saying(mayHaveExecuted: Bool) -> ClusterError {
    ClusterError(
      code, peer: peer, address: address, mayHaveExecuted: mayHaveExecuted, text: text, systemError: systemError,
      attempts: attempts, nextAttempt: nextAttempt, retryAfter: retryAfter, limit: limit)
  }

  /// What happened.
  public var code: Code { box.fields.code }
  /// The peer's name.
  public var peer: String { box.fields.peer }
  /// The peer's address as the directory gives it; nil when it has none.
  public var address: String? { box.fields.address }
  /// Whether the peer may have executed the request: false is certain, true is not.
  public var mayHaveExecuted: Bool { box.fields.mayHaveExecuted }
  /// The reason in words; for ``Code/remoteError`` the peer's.
  public var text: String? { box.fields.text }
  /// The system call that failed, with its errno.
  public var systemError: SystemCallError? { box.fields.systemError }
  /// Attempts to connect that failed in a row.
  public var attempts: Int? { box.fields.attempts }
  /// When the next attempt is allowed.
  public var nextAttempt: MonotonicInstant? { box.fields.nextAttempt }
  /// The time from this error to ``nextAttempt``.
  public var retryAfter: Duration? { box.fields.retryAfter }
  /// The limit that was reached.
  public var limit: Int? { box.fields.limit }

  /// One sentence that names the peer, its address and what happened.
  public var description: String {
    let fields = box.fields
    let who = "peer \(fields.peer)" + (fields.address.map { " (\($0))" } ?? "")
    let why = fields.text.map { ": \($0)" } ?? fields.systemError.map { ": \($0)" } ?? ""
    let executed =
      fields.mayHaveExecuted ? "; the request may have been executed" : "; the request was not executed"
    switch fields.code {
    case .answerLost: return "\(who): the connection ended before the answer came\(why)\(executed)"
    case .connectFailed:
      let attempts = fields.attempts.map { ", failed attempts: \($0)" } ?? ""
      let next = fields.retryAfter.map { ", next attempt in \(Self.milliseconds($0)) ms" } ?? ""
      return "\(who) is down\(why)\(attempts)\(next)"
    case .deadlineExceeded: return "\(who): no answer before the deadline\(executed)"
    case .cancelled: return "\(who): the call was cancelled\(executed)"
    case .busy: return "\(who) is busy\(why)"
    case .tooLarge: return "\(who): the request is above the limit of \(fields.limit ?? 0) bytes"
    case .remoteError: return "\(who) answered with an error\(why)"
    case .invalidAnswer: return "\(who) sent an invalid answer\(why)\(executed)"
    case .unknownPeer: return "\(who) has no known address"
    case .peerDown: return "\(who) is down: the directory says so\(fields.mayHaveExecuted ? executed : "")"
    case .disconnected: return "\(who) was disconnected\(why)\(executed)"
    case .shuttingDown: return "\(who): this node is shutting down\(executed)"
    default: return "\(who): \(fields.code)\(why)"
    }
  }

  /// Equal when all that is said is equal.
  public static func == (left: ClusterError, right: ClusterError) -> Bool { left.box.fields == right.box.fields }

  /// Hashes what is compared.
  public func hash(into hasher: inout Hasher) { hasher.combine(box.fields) }

  private static func milliseconds(_ duration: Duration) -> Int64 { duration.nanosecondsClamped / 1_000_000 }
}
