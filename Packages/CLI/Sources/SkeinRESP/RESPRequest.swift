// RESPRequest: where a request's arguments lie in the bytes that hold it.

/// Where one argument lies in a buffer of received bytes.
public struct ArgumentRange: Hashable, Sendable {
  /// Index of the first byte.
  public internal(set) var offset: UInt32
  /// Number of bytes.
  public internal(set) var count: UInt32

  init(_ offset: Int, count: Int) {
    self.offset = UInt32(offset)
    self.count = UInt32(count)
  }

  /// The bytes' indices.
  public var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
}

/// One complete request of a client: a run of ``RESPParser/arguments``, never empty.
public struct RESPRequest: Hashable, Sendable {
  /// Index of the command's name among the parser's arguments.
  public var firstArgument: Int
  /// Number of arguments, the command's name among them; 1 or more.
  public var argumentCount: Int
}
