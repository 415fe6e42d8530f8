// Forwarding: a batch for another node travels as the requests of its operations, and comes back as their answers, in
// the protocol's own form, so that the other node may have another number of shards.

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

  /// Reads the answers to ``requests()``.
  ///
  /// - Returns: `nil` when they are not as many answers as requests.
  /// - Complexity: O(bytes).
  public func reply(from answers: [UInt8]) -> ShardReply? {
    var reply = ShardReply()
    var at = 0
    for operation in operations[start..<end] {
      guard let end = ReplyScanner.end(of: answers.span, from: at) else { return nil }
      // A part of MGET is its elements without the array's header.
      let isHeaded = operation.isPart && operation.command == .mget && answers[at] == UInt8(ascii: "*")
      let content = isHeaded ? ReplyScanner.endOfLine(answers.span, from: at)! : at
      reply.bytes += answers[content..<end]
      reply.ends.append(reply.bytes.count)
      at = end
    }
    return at == answers.count ? reply : nil
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
