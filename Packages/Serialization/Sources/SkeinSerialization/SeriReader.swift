// SeriReader: bytes to values, one call a value.
//
// Owns:       nothing; the bytes belong to the caller of `Seri.read`, who lends them for the length of a call.
// Shared by:  nobody.
// Invariants:
//   I1  start <= at <= end; every read is compared with end - at first.
//   I2  openTables <= limits.depth + 1, and no value is read within limits.depth + 1 tables: `beginTable` looks.

/// Reads values one after another, each checked before it is taken.
///
/// There is one only within a call of ``Seri``'s `read`. Every failure is a thrown ``SeriError``, and after one the
/// reader should not be used further; whatever is called in whatever order, no byte outside of the input is read.
///
/// - Complexity: O(1) a value, O(length) a string.
// @safe: a reader is only ever lent, `inout`, while its bytes are, and it cannot be copied or made by others.
@safe public struct SeriReader: ~Copyable {
  /// What a message may hold.
  public let limits: SeriLimits

  @usableFromInline let start: UnsafeRawPointer
  @usableFromInline var at: UnsafeRawPointer
  @usableFromInline let end: UnsafeRawPointer
  @usableFromInline var openTables = 0
  @usableFromInline var valuesLeft: Int

  /// Makes a reader of `bytes`, which must stay while it does.
  @usableFromInline
  init(_ bytes: UnsafeRawBufferPointer, limits: SeriLimits) throws(SeriError) {
    guard bytes.count <= limits.bytes else { throw SeriError(.tooManyBytes(limit: limits.bytes), offset: limits.bytes) }
    self.limits = limits
    valuesLeft = limits.values
    // Nothing is read through the stand-in for no bytes: `end` is the same place.
    unsafe start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
    unsafe at = start
    unsafe end = start + bytes.count
  }

  /// Bytes read so far.
  @inlinable
  public var offset: Int { unsafe at - start }

  /// Bytes not read yet.
  @inlinable
  public var remaining: Int { unsafe end - at }

  /// Whether every byte was read.
  @inlinable
  public var isAtEnd: Bool { unsafe at == end }

  // MARK: Scalars

  /// The kind of the next value, which is not read; the end of a table looks like nil.
  public func peekKind() throws(SeriError) -> SeriKind {
    let tag = try peekTag()
    guard let kind = SeriTag.kind(tag) else { throw SeriError(.unknownType(tag: tag), offset: offset) }
    return kind
  }

  /// Reads nil if the next value is one; else reads nothing.
  @inlinable
  public mutating func nullIfPresent() throws(SeriError) -> Bool {
    guard try peekTag() == SeriTag.nil else { return false }
    try takeTag()
    return true
  }

  /// Reads a boolean.
  @inlinable
  public mutating func boolean() throws(SeriError) -> Bool {
    switch try takeTag() {
    case SeriTag.yes: return true
    case SeriTag.no: return false
    case let tag: throw mismatch(.boolean, tag)
    }
  }

  /// Reads an integer; a double only if it is integral.
  @inlinable
  public mutating func integer() throws(SeriError) -> Int64 {
    let tag = try takeTag()
    if let number = try rawInteger(tag) { return number }
    if tag == SeriTag.double {
      let offset = offset - 1
      guard let number = Double(bitPattern: try wide()).exactInteger else {
        throw SeriError(.mismatch(expected: .integer, found: .double), offset: offset)
      }
      return number
    }
    throw mismatch(.integer, tag)
  }

  /// Reads a double; an integer only if a double can hold it exactly.
  @inlinable
  public mutating func double() throws(SeriError) -> Double {
    let tag = try takeTag()
    if tag == SeriTag.double { return Double(bitPattern: try wide()) }
    let offset = offset - 1
    guard let integer = try rawInteger(tag) else { throw mismatch(.double, tag) }
    guard let number = Double(exactly: integer) else {
      throw SeriError(.mismatch(expected: .double, found: .integer), offset: offset)
    }
    return number
  }

  /// Reads an opaque pointer.
  @inlinable
  public mutating func pointer() throws(SeriError) -> UInt64 {
    let tag = try takeTag()
    guard tag == SeriTag.pointer else { throw mismatch(.pointer, tag) }
    return try wide()
  }

  // MARK: Strings

  /// Reads a string as text.
  @inlinable
  public mutating func string() throws(SeriError) -> String {
    let offset = offset
    let bytes = unsafe try rawString(try takeTag())
    guard let text = unsafe makeText(bytes) else { throw SeriError(.notUTF8, offset: offset) }
    return text
  }

  /// Reads a string as an array of bytes.
  @inlinable
  public mutating func bytes() throws(SeriError) -> [UInt8] {
    unsafe Array(try rawString(try takeTag()))
  }

  /// Reads a string as a byte string; up to 14 bytes allocate nothing.
  @inlinable
  public mutating func byteString() throws(SeriError) -> ByteString {
    unsafe makeByteString(try rawString(try takeTag()))
  }

  /// Reads a string and calls `body` with its bytes, which are there only for the call; copies nothing.
  @inlinable
  public mutating func withBytes<Result: ~Copyable>(
    _ body: (RawSpan) throws(SeriError) -> Result
  ) throws(SeriError) -> Result {
    let bytes = unsafe try rawString(try takeTag())
    return try body(unsafe bytes.bytes)
  }

  // MARK: Tables

  /// Begins a table; its array elements follow, then pairs until ``isTableEnded()`` says so.
  ///
  /// - Returns: the number of array elements, never greater than the number of bytes left.
  @inlinable
  public mutating func beginTable() throws(SeriError) -> Int {
    let tag = try takeTag()
    guard tag & 7 == SeriTag.table else { throw mismatch(.table, tag) }
    return try enterTable(tag)
  }

  /// Ends the table if no pair follows, and reads nothing otherwise.
  ///
  /// To be asked when the array elements were read, and after each pair.
  @inlinable
  public mutating func isTableEnded() throws(SeriError) -> Bool {
    guard try peekTag() == SeriTag.nil else { return false }
    unsafe at += 1
    openTables &-= 1
    return true
  }

  /// Ends the table, which must have no more pairs.
  @inlinable
  public mutating func endTable() throws(SeriError) {
    guard try isTableEnded() else { throw SeriError(.unexpectedPair, offset: offset) }
  }
}
