// Forwarding: a batch for another node travels as the requests of its operations, and comes back as their answers, in
// the protocol's own form, so that the other node may have another number of shards. The other node answers as many of
// the first requests as fit into what it may send at once; the others come again in the next round.

extension ShardBatch {
  /// The operations that are still to be done, as requests.
  ///
  /// - Complexity: O(bytes).
  public func requests() -> [UInt8] {
    var writer = ReplyWriter()
    for operation in operations[start..<end] {
      writer.array(operation.argumentCount)
      for argument in arguments[operation.firstArgument..<operation.firstArgument + operation.argumentCount] {
        writer.bulk(bytes.span.extracting(argument.range))
      }
    }
    return writer.bytes
  }

  /// Reads the answers to the first of the ``requests()``; those without an answer were not executed.
  ///
  /// - Returns: `nil` when there is no answer, one that is cut short, or more answers than requests.
  /// - Complexity: O(bytes).
  public func reply(from answers: [UInt8]) -> ShardReply? {
    var reply = ShardReply()
    var at = 0
    for operation in operations[start..<end] where at < answers.count {
      guard let end = ReplyScanner.end(of: answers.span, from: at) else { return nil }
      // A part of MGET is its elements without the array's header.
      let isHeaded = operation.isPart && operation.command == .mget && answers[at] == UInt8(ascii: "*")
      let content = isHeaded ? ReplyScanner.endOfLine(answers.span, from: at)! : at
      reply.bytes += answers[content..<end]
      reply.ends.append(reply.bytes.count)
      at = end
    }
    return at == answers.count && reply.executed > 0 ? reply : nil
  }
}

/// What a node answers another at once. Its limits lie below the cluster layer's 16 MiB for one answer.
public enum ForwardedAnswers {
  /// Bytes of answers from which no further request is executed.
  public static let limitBytes = 1 << 20
  /// Greatest length of the first answer, which is given whatever its length; so beside it there is room for the others.
  public static let longestBytes = 15_000_000

  /// The answers as they may travel: a first one that is too long becomes an error, which spares its neighbours.
  ///
  /// - Complexity: O(bytes).
  public static func travelling(_ answers: [UInt8]) -> [UInt8] {
    guard answers.count > longestBytes, let end = ReplyScanner.end(of: answers.span, from: 0), end > longestBytes else {
      return answers
    }
    var writer = ReplyWriter()
    writer.error("ERR the value is above the \(longestBytes) bytes that another node can forward")
    return writer.bytes + answers[end...]
  }
}

/// Finds where an encoded answer ends.
enum ReplyScanner {
  /// How deep arrays may be nested; our own answers nest once.
  private static let maxDepth = 8

  /// Index behind the answer that begins at `start`; `nil` when it is cut short or malformed.
  static func end(of bytes: Span<UInt8>, from start: Int, depth: Int = 0) -> Int? {
    guard depth < maxDepth, let line = endOfLine(bytes, from: start) else { return nil }
    switch bytes[start] {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"): return line
    case UInt8(ascii: "$"):
      guard let count = count(bytes, start, line) else { return nil }
      if count < 0 { return line }
      guard count <= bytes.count - line - 2 else { return nil }
      return line + count + 2
    case UInt8(ascii: "*"):
      guard let count = count(bytes, start, line) else { return nil }
      var at = line
      for _ in 0..<max(0, count) {
        guard let next = end(of: bytes, from: at, depth: depth + 1) else { return nil }
        at = next
      }
      return at
    default: return nil
    }
  }

  /// Index behind the line feed of the line that begins at `start`; a line has one byte at least.
  static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    var at = start
    while at < bytes.count && bytes[at] != 0x0A { at += 1 }
    return at < bytes.count && at - start >= 2 && bytes[at - 1] == 0x0D ? at + 1 : nil
  }

  private static func count(_ bytes: Span<UInt8>, _ start: Int, _ line: Int) -> Int? {
    IntegerText.parse(bytes.extracting(start + 1..<line - 2)).map { Int($0) }
  }
}
