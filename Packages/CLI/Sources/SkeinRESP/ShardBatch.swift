// ShardBatch: what one shard is asked to do for one connection, and its answers.

/// One command, or one shard's part of it.
public struct ShardOperation: Hashable, Sendable {
  /// What to do.
  public let command: CommandName
  /// Whether this is a part of a command that several shards answer together.
  public let isPart: Bool
  /// Index of the command's name in ``ShardBatch/arguments``.
  public let firstArgument: Int
  /// Number of arguments, the name among them.
  public let argumentCount: Int
  /// Which request of the connection this belongs to.
  let ticket: ReplyTicket
  /// Which part of the answer this shard gives.
  let part: Int
}

/// Commands of one connection for one shard, in the order sent.
///
/// It shares the bytes that the client sent: making it copies none of them, and neither does sending it.
public struct ShardBatch: Sendable {
  /// Every answer but those that hold values is shorter than this, and no request is executed with less room.
  static let shortAnswerBytes = 128

  /// Which shard is to execute this.
  public let shard: Int
  /// The received bytes that the arguments lie in.
  public let bytes: [UInt8]
  /// Where the arguments lie.
  public let arguments: [ArgumentRange]
  /// The operations of the whole round; those from ``start`` to ``end`` are this batch's, in this order.
  public let operations: [ShardOperation]
  /// Index of the first operation that is still to be done.
  public internal(set) var start: Int
  /// Index after the last operation of this batch.
  public let end: Int
  /// Stop before an answer that would make the answers of this batch longer than this.
  public internal(set) var replyLimitBytes: Int
  /// Whether the first operation is executed whatever the length of its answer.
  public internal(set) var answersFirst: Bool

  /// Whether every operation was executed.
  public var isDone: Bool { start == end }
}

/// A shard's answers to the first operations of a ``ShardBatch``, one after the other.
public struct ShardReply: Sendable {
  /// The answers, encoded.
  public internal(set) var bytes: [UInt8] = []
  /// Where each answer ends in ``bytes``.
  public internal(set) var ends: [Int] = []

  /// A reply to nothing: no operation was executed.
  public init() {}

  /// Number of operations executed; the others did not fit under the batch's limit.
  public var executed: Int { ends.count }
}
