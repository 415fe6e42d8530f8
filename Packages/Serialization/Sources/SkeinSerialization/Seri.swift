// Seri: whole messages, written and read.

/// Skynet's value encoding ("lua-seri"): a message is any number of values, one after another.
///
/// ```swift
/// let bytes = try Seri.encode(["SET", "a", 1])
/// let values = try Seri.decode(bytes)   // ["SET", "a", 1]
/// ```
public enum Seri {
  // MARK: Values

  /// Writes a message of `values`.
  ///
  /// - Throws: ``SeriError`` beyond a limit, and for a key that is nil or NaN.
  /// - Complexity: O(size); one allocation, unless the message is larger than 1 KiB.
  public static func encode(_ values: [Value], limits: SeriLimits = .default) throws(SeriError) -> [UInt8] {
    try write(limits: limits) { writer in
      for value in values { value.write(to: &writer) }
    }
  }

  /// Writes a message of `values` behind what `array` holds.
  ///
  /// - Throws: ``SeriError`` beyond a limit, and for a key that is nil or NaN; then `array` is as it was.
  public static func encode(
    _ values: [Value], into array: inout [UInt8], limits: SeriLimits = .default
  ) throws(SeriError) {
    var writer = SeriWriter(limits: limits)
    for value in values { value.write(to: &writer) }
    try writer.append(to: &array)
  }

  /// Reads a message.
  ///
  /// Accepts what Skynet's writer makes and the longer forms that its reader takes: needlessly wide integers, lengths
  /// and counts, repeated keys, nil as a pair's value, doubles as keys (integral ones become integers). Refuses what
  /// no writer makes: a nil, boolean or pointer with other bits in its tag, and counts that are negative or 2^31 and more.
  ///
  /// - Throws: ``SeriError`` with the offset of what cannot be read.
  /// - Complexity: O(size). Reserves nothing for what was only announced.
  public static func decode(_ bytes: [UInt8], limits: SeriLimits = .default) throws(SeriError) -> [Value] {
    unsafe try decode(bytes.span.bytes, limits: limits)
  }

  /// Reads a message from borrowed bytes; see ``decode(_:limits:)-([UInt8],_)``.
  public static func decode(_ bytes: RawSpan, limits: SeriLimits = .default) throws(SeriError) -> [Value] {
    try read(bytes, limits: limits) { (reader) throws(SeriError) in try reader.values() }
  }

  // MARK: By hand

  /// Writes a message with a writer's calls.
  ///
  /// - Throws: the writer's first error.
  @inlinable
  public static func write(
    limits: SeriLimits = .default, _ body: (inout SeriWriter) -> Void
  ) throws(SeriError) -> [UInt8] {
    try unsafe withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 16) { (buffer) throws(SeriError) in
      var writer = unsafe SeriWriter(limits: limits, buffer: buffer, ownsBuffer: false)
      body(&writer)
      return try writer.finish()
    }
  }

  /// Reads a message with a reader's calls, which must read all of it.
  ///
  /// - Throws: what `body` throws; ``SeriError/Reason/unexpectedValue`` if it left values unread.
  @inlinable
  public static func read<Result>(
    _ bytes: RawSpan, limits: SeriLimits = .default, _ body: (inout SeriReader) throws(SeriError) -> Result
  ) throws(SeriError) -> Result {
    try unsafe bytes.withUnsafeBytes { (buffer) throws(SeriError) in
      var reader = try unsafe SeriReader(buffer, limits: limits)
      let result = try body(&reader)
      guard reader.isAtEnd else { throw SeriError(.unexpectedValue, offset: reader.offset) }
      return result
    }
  }

  /// Reads a message with a reader's calls; see ``read(_:limits:_:)-(RawSpan,_,_)``.
  @inlinable
  public static func read<Result>(
    _ bytes: [UInt8], limits: SeriLimits = .default, _ body: (inout SeriReader) throws(SeriError) -> Result
  ) throws(SeriError) -> Result {
    unsafe try read(bytes.span.bytes, limits: limits, body)
  }

  // MARK: One value of a known type

  /// Writes a message of one value that writes itself.
  @inlinable
  public static func encode(one value: some SeriWritable, limits: SeriLimits = .default) throws(SeriError) -> [UInt8] {
    try write(limits: limits) { writer in value.write(to: &writer) }
  }

  /// Reads a message of one value that reads itself.
  @inlinable
  public static func decode<T: SeriReadable>(
    one type: T.Type = T.self, from bytes: [UInt8], limits: SeriLimits = .default
  ) throws(SeriError) -> T {
    try read(bytes, limits: limits) { (reader) throws(SeriError) in try T(reading: &reader) }
  }
}
