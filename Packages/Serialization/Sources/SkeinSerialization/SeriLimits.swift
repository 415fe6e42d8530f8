// SeriLimits: how much one message may ask of us.

/// What one message may hold, when it is written and when it is read.
///
/// Every limit is finite. The defaults let through what Skynet's own writer can make of ordinary messages.
public struct SeriLimits: Hashable, Sendable {
  /// Greatest number of tables around a value; 32 as in Skynet.
  ///
  /// Top-level values are at depth 0, the contents of a top-level table at depth 1, and so on. With 32, thirty-three
  /// nested tables are accepted if the innermost is empty. At most ``Table/maximumDepth``.
  public let depth: Int
  /// Greatest number of values in a message; tables, their elements, keys and values all count.
  public let values: Int
  /// Greatest size of a message in bytes; less than 2^31.
  public let bytes: Int

  /// Makes limits.
  ///
  /// - Parameters:
  ///   - depth: tables around a value, 0 to ``Table/maximumDepth``; what is outside is moved to the nearer end.
  ///   - values: values in a message, 0 or more.
  ///   - bytes: bytes of a message, 0 to 2^31 - 1; what is outside is moved to the nearer end.
  public init(depth: Int = 32, values: Int = 1_000_000, bytes: Int = 16 << 20) {
    self.depth = min(max(depth, 0), Table.maximumDepth)
    self.values = max(values, 0)
    self.bytes = min(max(bytes, 0), Int(Int32.max))
  }

  /// Depth 32, 1,000,000 values, 16 MiB.
  public static let `default` = SeriLimits()
}
