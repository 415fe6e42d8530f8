// SeriWriter: values to bytes, one call a value.
//
// Owns:       its buffer, unless it was lent one to begin with.
// Shared by:  nobody.
// Invariants:
//   I1  start <= at <= start + capacity; the bytes from start to at are written.
//   I2  at is never moved beyond `end` without `makeRoom` having been asked.
//   I3  end is start + min(capacity, limit), or start itself when every value must pass `makeRoom`: after an error, and
//       within a table whose contents would be too deep. So the usual path has one comparison.

/// Writes values one after another.
///
/// An error is kept: what is written after it has no effect, and taking the bytes throws it. So a type that writes
/// itself needs no `try`.
///
/// ```swift
/// var writer = SeriWriter()
/// writer.string("SET")
/// writer.beginTable(arrayCount: 2)
/// writer.integer(1)
/// writer.integer(2)
/// writer.key("name")
/// writer.string("x")
/// writer.endTable()
/// let bytes = try writer.finish()
/// ```
///
/// Between `beginTable(arrayCount:)` and `endTable()` stand `arrayCount` values, then a key and a value for each pair.
/// That their number is right is the caller's to see to.
///
/// - Complexity: O(1) a value, O(length) a string. Allocates only its buffer, which grows by doubling.
@safe public struct SeriWriter: ~Copyable {
  /// What a message may hold.
  public let limits: SeriLimits

  @usableFromInline var start: UnsafeMutableRawPointer
  @usableFromInline var at: UnsafeMutableRawPointer
  @usableFromInline var end: UnsafeMutableRawPointer
  @usableFromInline var openTables = 0
  @usableFromInline var values = 0
  var capacity: Int
  var ownsBuffer: Bool
  var error: SeriError?

  /// Makes a writer with an empty buffer.
  ///
  /// - Parameter capacity: bytes to allocate now.
  public init(limits: SeriLimits = .default, capacity: Int = 256) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(capacity, 16), alignment: 16)
    unsafe self.init(limits: limits, buffer: buffer, ownsBuffer: true)
  }

  /// Makes a writer that begins in `buffer`, which must stay while the writer does and not be empty.
  @usableFromInline
  init(limits: SeriLimits, buffer: UnsafeMutableRawBufferPointer, ownsBuffer: Bool) {
    guard let base = buffer.baseAddress else { preconditionFailure("the buffer has room") }
    self.limits = limits
    self.capacity = buffer.count
    self.ownsBuffer = ownsBuffer
    unsafe start = base
    unsafe at = base
    unsafe end = base + min(buffer.count, limits.bytes)
  }

  deinit {
    if ownsBuffer { unsafe start.deallocate() }
  }

  /// Number of bytes written.
  @inlinable
  public var count: Int { unsafe at - start }

  // MARK: Scalars

  /// Writes nil.
  @inlinable
  public mutating func null() { tag(SeriTag.nil) }

  /// Writes a boolean.
  @inlinable
  public mutating func boolean(_ value: Bool) { tag(value ? SeriTag.yes : SeriTag.no) }

  /// Writes an integer in the shortest form that Skynet's writer uses.
  @inlinable
  public mutating func integer(_ value: Int64) {
    values &+= 1
    rawInteger(value)
  }

  /// Writes an integer, as ``integer(_:)-(Int64)``.
  @inlinable @inline(__always)
  public mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// Writes a double with its bits as they are; never as an integer.
  @inlinable
  public mutating func double(_ value: Double) { wide(SeriTag.double, value.bitPattern) }

  /// Writes an opaque pointer.
  @inlinable
  public mutating func pointer(_ value: UInt64) { wide(SeriTag.pointer, value) }

  // MARK: Strings

  /// Writes the UTF-8 bytes of `value`.
  @inlinable
  public mutating func string(_ value: String) {
    let isWritten: Void? = unsafe value.utf8.withContiguousStorageIfAvailable { buffer in
      unsafe bytes(UnsafeRawBufferPointer(buffer))
    }
    if isWritten == nil { bytes(Array(value.utf8)) }
  }

  /// Writes bytes.
  @inlinable
  public mutating func bytes(_ value: [UInt8]) {
    unsafe value.withUnsafeBytes { unsafe bytes($0) }
  }

  /// Writes bytes.
  @inlinable
  public mutating func bytes(_ value: RawSpan) {
    unsafe value.withUnsafeBytes { unsafe bytes($0) }
  }

  /// Writes a byte string.
  @inlinable
  public mutating func bytes(_ value: ByteString) {
    unsafe value.withUnsafeBytes { unsafe bytes($0) }
  }

  /// Writes a key of a record, known when the program is compiled. A value must follow.
  @inlinable @inline(__always)
  public mutating func key(_ name: StaticString) {
    if name.hasPointerRepresentation {
      unsafe bytes(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    } else {
      string(name.description)
    }
  }

  // MARK: Tables

  /// Begins a table of `arrayCount` elements, which must follow, and then pairs.
  @inlinable
  public mutating func beginTable(arrayCount: Int = 0) {
    if arrayCount < 31, arrayCount >= 0 {
      tag(SeriTag.table | UInt8(truncatingIfNeeded: arrayCount) << 3)
    } else if arrayCount < 1 << 31, arrayCount > 0 {
      tag(SeriTag.countedTable)
      rawInteger(Int64(arrayCount))
    } else {
      fail(.countOutOfRange(Int64(arrayCount)))
    }
    openTables &+= 1
    if openTables > limits.depth { unsafe end = start }
  }

  /// Ends the table begun last.
  @inlinable
  public mutating func endTable() {
    openTables &-= 1
    if openTables == limits.depth { reopen() }
    if openTables < 0 { fail(.unbalancedTables) }
    guard unsafe end - at >= 1 || makeRoom(1) else { return }
    unsafe at.storeBytes(of: SeriTag.nil, as: UInt8.self)
    unsafe at += 1
  }

  // MARK: Errors

  /// Keeps `reason`, unless there is an error already; everything after it has no effect.
  ///
  /// For types that cannot write what they hold.
  public mutating func fail(_ reason: SeriError.Reason) {
    if error == nil { error = SeriError(reason, offset: count) }
    unsafe end = start
  }

  /// Throws the error that was kept, and one for tables that are not ended and for too many values.
  private mutating func check() throws(SeriError) {
    if error == nil, openTables != 0 { fail(.unbalancedTables) }
    if error == nil, values > limits.values { fail(.tooManyValues(limit: limits.values)) }
    if let error { throw error }
  }

  // MARK: The bytes

  /// The bytes written, in an array of their own.
  ///
  /// - Throws: the first error of this message.
  /// - Complexity: O(``count``).
  public mutating func finish() throws(SeriError) -> [UInt8] {
    try check()
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Calls `body` with the bytes written, which are there only for the call.
  ///
  /// - Throws: the first error of this message.
  public mutating func withBytes<Result: ~Copyable>(
    _ body: (RawSpan) throws(SeriError) -> Result
  ) throws(SeriError) -> Result {
    try check()
    return try body(unsafe RawSpan(_unsafeStart: start, byteCount: count))
  }

  /// Appends the bytes written to `array`.
  ///
  /// - Throws: the first error of this message; then `array` is as it was.
  public mutating func append(to array: inout [UInt8]) throws(SeriError) {
    try check()
    unsafe array.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Forgets what was written, and the error, and keeps the buffer for the next message.
  public mutating func reset() {
    unsafe at = start
    unsafe end = start + min(capacity, limits.bytes)
    openTables = 0
    values = 0
    error = nil
  }
}
