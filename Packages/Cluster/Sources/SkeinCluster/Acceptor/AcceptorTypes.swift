// AcceptorConfiguration, AcceptorAction: what an acceptor is told at its making, and what it asks for.

internal import SkeinPlatform

/// The limits and times of an inbound connection.
public struct AcceptorConfiguration: Hashable, Sendable {
  /// So many calls in work, and nothing more is read.
  public var maxRequestsInWork = 256
  /// So many bytes of answers that the kernel does not have, and nothing more is read.
  public var maxUnreadAnswerBytes = 1 << 20
  /// So many, and the connection is aborted: the answers of the requests in work came on top.
  public var maxAnswerBytes = 64 << 20
  /// Greatest body of one answer; a greater one becomes an error.
  public var maxAnswerBodyBytes = 16 << 20
  /// Bytes that may still arrive after reading was paused; more abort the connection.
  public var maxBacklogBytes = 4 << 20
  /// How many bytes are handed to the socket at once. The socket's high watermark must not be above it.
  public var window = 1 << 20
  /// Limits on large requests.
  public var requests = LargeLimits()
  /// How long requests in work may take when the peer has sent its FIN.
  public var halfClosedTime = Duration.seconds(30)

  /// The defaults.
  public init() {}
}

/// What a peer asks for.
public enum ClusterRequestKind: Hashable, Sendable {
  /// An answer is owed.
  case call
  /// Nobody waits for an answer.
  case push
  /// The id of a name is asked for, which the body holds; an answer is owed.
  case nameQuery
}

/// A request that has arrived completely.
struct ClusterRequest: Equatable, Sendable {
  /// Names it for `answer`; unique within the connection, whatever the peer does with its session numbers.
  let id: UInt64
  let kind: ClusterRequestKind
  let address: ClusterAddress
  /// The trace tag, if the peer sent one for this request.
  let trace: [UInt8]?
  let body: [UInt8]
}

/// What an acceptor asks of its driver.
enum AcceptorAction: Equatable, Sendable {
  /// Give the request to whom it is for, then call `handedOver`, and `answer` for what is no push.
  case deliver(ClusterRequest)
  /// Fetch what is to be written with `takeOutput` and write it.
  case write
  case pauseReading
  case resumeReading
  /// Close in good order: what was written is still sent.
  case close(reason: String)
  /// Close at once.
  case abort(reason: String)
  /// Call `timerFired` at this time; replaces the time asked for before.
  case arm(MonotonicInstant)
  /// Forget the time asked for before.
  case disarm
  /// A line for the log.
  case log(ClusterLogLevel, String)
}
