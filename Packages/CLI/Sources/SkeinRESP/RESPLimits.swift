// RESPLimits: how much a client may announce or send before it is refused.

/// The greatest sizes that a ``RESPParser`` accepts.
///
/// The defaults are Redis' own, save that an array has at most 1,048,576 arguments (Redis 7.0: 2³¹ − 1) and that the
/// arguments of one request are at most 1 GiB together.
public struct RESPLimits: Hashable, Sendable {
  /// Bytes of one argument.
  public var bulkBytes: Int
  /// Arguments of one request, the command's name among them.
  public var arguments: Int
  /// Bytes of a line: an inline command, or the header of an array or of a bulk string.
  public var lineBytes: Int
  /// Bytes of all the arguments of one request; a bulk that would exceed it is refused when it is announced.
  public var requestBytes: Int
  /// Arguments of a request of a client that has not authenticated.
  public var unauthenticatedArguments: Int
  /// Bytes of an argument of a client that has not authenticated.
  public var unauthenticatedBulkBytes: Int

  /// Creates the default limits, with those changed that are given.
  ///
  /// - Parameters:
  ///   - bulkBytes: bytes of one argument; 512 MiB.
  ///   - arguments: arguments of one request; 1,048,576.
  ///   - lineBytes: bytes of a line; 64 KiB.
  ///   - requestBytes: bytes of all the arguments of one request; 1 GiB, at most 2 GiB.
  public init(
    bulkBytes: Int = 512 << 20, arguments: Int = 1_048_576, lineBytes: Int = 64 << 10, requestBytes: Int = 1 << 30
  ) {
    precondition(bulkBytes >= 0 && arguments > 0 && lineBytes > 0, "limits must be positive")
    precondition(requestBytes > 0 && requestBytes <= 2 << 30, "a request has at most 2 GiB")
    self.bulkBytes = bulkBytes
    self.arguments = arguments
    self.lineBytes = lineBytes
    self.requestBytes = requestBytes
    self.unauthenticatedArguments = 10
    self.unauthenticatedBulkBytes = 16_384
  }
}
