// Session: what one client's connection has said about itself.

/// The state of a client's connection that its commands change.
public struct Session: Sendable {
  /// Which answers the client wants, as set by CLIENT REPLY.
  enum ReplyMode: Sendable { case on, off, skipNext }

  /// The connection's number; told by CLIENT ID and HELLO.
  public let id: Int64
  /// Whether the client may use commands beyond AUTH, HELLO, QUIT and RESET.
  public internal(set) var isAuthenticated: Bool
  /// What CLIENT SETNAME has set; empty at first.
  public internal(set) var name: [UInt8] = []
  /// Whether the connection ends once everything before is answered.
  public internal(set) var isClosing = false
  var replyMode = ReplyMode.on

  /// Creates the state of a new connection.
  ///
  /// - Parameters:
  ///   - id: unique among the server's connections.
  ///   - needsPassword: whether AUTH must come first.
  public init(id: Int64, needsPassword: Bool) {
    self.id = id
    isAuthenticated = !needsPassword
  }

  /// Whether the next command's answer is swallowed; CLIENT REPLY SKIP holds for one.
  mutating func takeSuppression() -> Bool {
    let suppressed = replyMode != .on
    if replyMode == .skipNext { replyMode = .on }
    return suppressed
  }

  /// Back to how it began, as RESET does.
  mutating func reset(needsPassword: Bool) {
    isAuthenticated = !needsPassword
    name = []
    replyMode = .on
  }
}

/// One request, as the code that answers it sees it: its arguments by number, the command's name being number 0.
struct RequestView: Sendable {
  let bytes: [UInt8]
  let ranges: ArraySlice<ArgumentRange>

  var count: Int { ranges.count }

  /// Copies an argument out; not for the hot path.
  subscript(index: Int) -> [UInt8] { Array(bytes[ranges[ranges.startIndex + index].range]) }

  func text(_ index: Int) -> String { self[index].span.text }

  func equals(_ index: Int, _ word: StaticString) -> Bool { self[index].span.equals(ignoringCase: word) }
}
