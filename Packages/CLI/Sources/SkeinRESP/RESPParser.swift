// RESPParser: a client's byte stream to requests, in any cut.
//
// Owns:       the bytes received and not yet forgotten, and where the arguments lie in them.
// Invariants (hold between calls):
//   I1  requestStart <= cursor <= bytes.count; bytes before requestStart belong to finished requests.
//   I2  every argument lies in bytes[..<cursor]; those of the unfinished request are the last ones.
//   I3  scanned >= cursor: no line end lies in bytes[cursor..<scanned].
//   I4  what next() returns depends on the bytes only, not on how they were cut.
// Source:     Redis 7.0, networking.c: processMultibulkBuffer, processInlineBuffer.

/// Reads requests from a client's bytes: RESP2 arrays of bulk strings, and inline commands.
///
/// Bytes are copied in once; requests are ranges of them. Memory follows what has arrived, never what was announced.
/// After an error the parser is dead: ``next(authenticated:)`` throws the same error again and bytes are ignored.
///
///     parser.append(received)
///     while let request = try parser.next(authenticated: true) {
///       handle(request, in: parser.bytes, parser.arguments)
///     }
///     parser.forgetRequests()
///
/// - Thread safety: a value; one thread at a time.
public struct RESPParser: Sendable {
  /// The greatest sizes accepted.
  public let limits: RESPLimits
  /// The received bytes in which ``arguments`` lie. A copy of this array keeps them alive, and costs no copying.
  public internal(set) var bytes: [UInt8] = []
  /// The arguments of all requests since ``forgetRequests()``, and of the one that is arriving.
  public private(set) var arguments: [ArgumentRange] = []

  private var requestStart = 0
  var cursor = 0
  private var scanned = 0
  /// Index in `arguments` of the unfinished request's first one.
  private var firstArgument = 0
  private var argumentBytes = 0
  private var missingArguments = 0
  /// Length of the bulk string whose header was read, or -1.
  private var bulkLength = -1
  private var failure: RESPProtocolError?

  /// Creates a parser that has received nothing.
  public init(limits: RESPLimits = RESPLimits()) { self.limits = limits }

  /// Bytes that have arrived and belong to no finished request.
  public var unfinishedBytes: Int { bytes.count - requestStart }

  /// Adds what has arrived from the client.
  ///
  /// To be called when ``next(authenticated:)`` has returned nil and the requests are forgotten.
  ///
  /// - Complexity: O(`received.byteCount`), amortised; an unfinished request is moved at most once.
  public mutating func append(_ received: RawSpan) {
    guard failure == nil else { return }
    makeRoom(for: received.byteCount)
    unsafe received.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }

  /// Adds what has arrived from the client, as ``append(_:)-(RawSpan)`` does.
  public mutating func append(_ received: Span<UInt8>) {
    guard failure == nil else { return }
    makeRoom(for: received.count)
    bytes.append(span: received)
  }

  private mutating func makeRoom(for count: Int) {
    precondition(firstArgument == 0, "forget the finished requests before appending")
    if requestStart > 0 { dropFinished() }
    precondition(bytes.count + count <= Int(UInt32.max), "take the requests before appending more")
  }

  /// The next complete request, or nil when more bytes are needed for it.
  ///
  /// - Parameter authenticated: whether the client may send more than ten arguments of 16 KiB.
  /// - Throws: what is wrong with the stream; then and for ever.
  /// - Complexity: each byte is looked at once over all calls, save unfinished lines.
  public mutating func next(authenticated: Bool) throws(RESPProtocolError) -> RESPRequest? {
    if let failure { throw failure }
    do throws(RESPProtocolError) {
      return try advance(authenticated)
    } catch {
      failure = error
      throw error
    }
  }

  /// Forgets the finished requests, whose ranges are void from then on.
  public mutating func forgetRequests() {
    if failure != nil {
      bytes = []
      arguments = []
    } else if firstArgument == arguments.count {
      if arguments.capacity > Self.keptArguments { arguments = [] } else { arguments.removeAll(keepingCapacity: true) }
    } else {
      arguments.removeSubrange(..<firstArgument)
    }
    firstArgument = 0
    if requestStart == bytes.count, bytes.capacity > Self.keptBytes { dropFinished() }
  }

  /// Capacity that a parser keeps while it waits, so that idle connections stay small.
  private static let keptBytes = 4_096
  private static let keptArguments = 512

  // MARK: Arrays

  private mutating func advance(_ authenticated: Bool) throws(RESPProtocolError) -> RESPRequest? {
    while true {
      if missingArguments > 0 {
        guard try readBulks(authenticated) else { return nil }
        return finishRequest()
      }
      guard cursor < bytes.count else { return nil }
      if bytes[cursor] == UInt8(ascii: "*") {
        guard try readArrayHeader(authenticated) else { return nil }
        if missingArguments == 0 { requestStart = cursor }
      } else {
        guard try readInline() else { return nil }
        if arguments.count > firstArgument { return finishRequest() }
        requestStart = cursor
      }
    }
  }

  private mutating func readArrayHeader(_ authenticated: Bool) throws(RESPProtocolError) -> Bool {
    guard let end = try lineEnd(UInt8(ascii: "\r"), else: .tooBigArrayHeader), end + 1 < bytes.count else {
      return false
    }
    guard let length = IntegerText.parse(bytes.span.extracting(cursor + 1..<end)), length <= Int64(limits.arguments)
    else { throw .invalidArrayLength }
    if !authenticated && length > Int64(limits.unauthenticatedArguments) { throw .unauthenticatedArrayLength }
    skip(to: end + 2)
    missingArguments = max(0, Int(length))
    return true
  }

  private mutating func readBulks(_ authenticated: Bool) throws(RESPProtocolError) -> Bool {
    while missingArguments > 0 {
      if bulkLength < 0 {
        guard try readBulkHeader(authenticated) else { return false }
      }
      guard bytes.count - cursor >= bulkLength + 2 else { return false }
      arguments.append(ArgumentRange(cursor, count: bulkLength))
      skip(to: cursor + bulkLength + 2)
      bulkLength = -1
      missingArguments -= 1
    }
    return true
  }

  private mutating func readBulkHeader(_ authenticated: Bool) throws(RESPProtocolError) -> Bool {
    guard let end = try lineEnd(UInt8(ascii: "\r"), else: .tooBigBulkHeader), end + 1 < bytes.count else {
      return false
    }
    guard bytes[cursor] == UInt8(ascii: "$") else { throw .expectedBulk(got: bytes[cursor]) }
    guard let length = IntegerText.parse(bytes.span.extracting(cursor + 1..<end)), length >= 0,
      length <= Int64(limits.bulkBytes), length <= Int64(limits.requestBytes - argumentBytes)
    else { throw .invalidBulkLength }
    if !authenticated && length > Int64(limits.unauthenticatedBulkBytes) { throw .unauthenticatedBulkLength }
    skip(to: end + 2)
    bulkLength = Int(length)
    argumentBytes += bulkLength
    return true
  }

  // MARK: Lines

  /// Index of the first `terminator` at or after the cursor, or nil while it has not arrived.
  mutating func lineEnd(_ terminator: UInt8, else error: RESPProtocolError) throws(RESPProtocolError) -> Int? {
    let limit = min(bytes.count, cursor + limits.lineBytes + 1)
    var index = max(scanned, cursor)
    while index < limit {
      if bytes[index] == terminator { return index }
      index += 1
    }
    scanned = index
    if bytes.count - cursor > limits.lineBytes { throw error }
    return nil
  }

  mutating func skip(to index: Int) {
    cursor = index
    scanned = index
  }

  /// Adds an argument of an inline command.
  mutating func addArgument(_ range: ArgumentRange) { arguments.append(range) }

  private mutating func finishRequest() -> RESPRequest {
    let request = RESPRequest(firstArgument: firstArgument, argumentCount: arguments.count - firstArgument)
    firstArgument = arguments.count
    requestStart = cursor
    argumentBytes = 0
    return request
  }

  /// Moves the unfinished request to the front; the old bytes stay with whoever took a copy of the array.
  private mutating func dropFinished() {
    if requestStart == bytes.count {
      if bytes.capacity > Self.keptBytes { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
    } else {
      bytes = Array(bytes[requestStart...])
    }
    for index in arguments.indices { arguments[index].offset -= UInt32(requestStart) }
    cursor -= requestStart
    scanned = max(cursor, scanned - requestStart)
    requestStart = 0
  }
}
