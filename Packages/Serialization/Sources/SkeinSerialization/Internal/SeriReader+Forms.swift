// The forms that values have on the wire, each checked before it is taken, and what is wrong with others.
// See SeriReader.swift for what must hold.

extension SeriReader {
  @inlinable @inline(__always)
  func peekTag() throws(SeriError) -> UInt8 {
    guard unsafe at != end else { throw cutShort(offset) }
    return unsafe at.load(as: UInt8.self)
  }

  /// Takes the tag of a value, and counts the value.
  @inlinable @inline(__always) @discardableResult
  mutating func takeTag() throws(SeriError) -> UInt8 {
    let tag = try peekTag()
    valuesLeft &-= 1
    if valuesLeft < 0 { throw tooManyValues() }
    unsafe at += 1
    return tag
  }

  @inlinable @inline(__always)
  mutating func wide() throws(SeriError) -> UInt64 {
    guard remaining >= 8 else { throw cutShort(offset - 1) }
    let bits = unsafe at.loadUnaligned(as: UInt64.self)
    unsafe at += 8
    return UInt64(littleEndian: bits)
  }

  /// The integer whose tag was taken; nil if it is none of an integer's tags.
  @inlinable @inline(__always)
  mutating func rawInteger(_ tag: UInt8) throws(SeriError) -> Int64? {
    switch tag {
    case SeriTag.zero:
      return 0
    case SeriTag.byte1:
      guard remaining >= 1 else { throw cutShort(offset - 1) }
      let number = unsafe at.load(as: UInt8.self)
      unsafe at += 1
      return Int64(number)
    case SeriTag.byte2:
      guard remaining >= 2 else { throw cutShort(offset - 1) }
      let number = unsafe at.loadUnaligned(as: UInt16.self)
      unsafe at += 2
      return Int64(UInt16(littleEndian: number))
    case SeriTag.byte4:
      guard remaining >= 4 else { throw cutShort(offset - 1) }
      let number = unsafe at.loadUnaligned(as: Int32.self)
      unsafe at += 4
      return Int64(Int32(littleEndian: number))
    case SeriTag.byte8:
      return Int64(bitPattern: try wide())
    default:
      return nil
    }
  }

  /// The bytes of the string whose tag was taken.
  @inlinable @inline(__always)
  mutating func rawString(_ tag: UInt8) throws(SeriError) -> UnsafeRawBufferPointer {
    var count = Int(tag >> 3)
    if tag & 7 != SeriTag.short {
      count = try longLength(tag)
    } else if count > remaining {
      throw lengthExceedsInput(count, offset - 1)
    }
    let bytes = unsafe UnsafeRawBufferPointer(start: at, count: count)
    unsafe at += count
    return unsafe bytes
  }

  @usableFromInline
  mutating func longLength(_ tag: UInt8) throws(SeriError) -> Int {
    let offset = offset - 1
    let count: Int
    switch tag {
    case SeriTag.long2:
      guard remaining >= 2 else { throw cutShort(offset) }
      count = Int(UInt16(littleEndian: unsafe at.loadUnaligned(as: UInt16.self)))
      unsafe at += 2
    case SeriTag.long4:
      guard remaining >= 4 else { throw cutShort(offset) }
      count = Int(UInt32(littleEndian: unsafe at.loadUnaligned(as: UInt32.self)))
      unsafe at += 4
    default:
      throw mismatch(.bytes, tag)
    }
    guard count <= remaining else { throw lengthExceedsInput(count, offset) }
    return count
  }

  /// Text of bytes; nil if they are not UTF-8.
  ///
  /// `String(validating:)` is not specialised and costs 60 ns; short ASCII, the usual text, does not go that way.
  @inlinable @inline(__always)
  func makeText(_ bytes: UnsafeRawBufferPointer) -> String? {
    if bytes.count <= 16, let source = bytes.baseAddress, unsafe end - source >= 16 {
      let text = unsafe ByteString.Words(source, count: bytes.count)
      if (text.low | text.rest) & 0x8080_8080_8080_8080 == 0 { return unsafe String(decoding: bytes, as: UTF8.self) }
    }
    return unsafe longText(bytes)
  }

  @usableFromInline
  func longText(_ bytes: UnsafeRawBufferPointer) -> String? {
    let span = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes))
    guard let text = try? UTF8Span(validating: span) else { return nil }
    return String(copying: text)
  }

  @inlinable @inline(__always)
  func makeByteString(_ bytes: UnsafeRawBufferPointer) -> ByteString {
    if bytes.count <= ByteString.inlineCapacity, let source = bytes.baseAddress, unsafe end - source >= 16 {
      return unsafe ByteString(wide: source, count: bytes.count)
    }
    return unsafe ByteString(copying: bytes)
  }

  /// The number of elements of the table whose tag was taken; the table is open from here on.
  @inlinable @inline(__always)
  mutating func enterTable(_ tag: UInt8) throws(SeriError) -> Int {
    var count = Int(tag >> 3)
    if tag == SeriTag.countedTable { count = try extendedCount() }
    openTables &+= 1
    if openTables > limits.depth { try checkEmpty(count) }
    return count
  }

  /// How many bytes an array may reserve for elements that are announced and have a byte each.
  ///
  /// Little within other tables: every one of them could announce all that is left.
  @inlinable
  var reservableBytes: Int { openTables == 1 ? 16 * remaining : min(16 * remaining, 1_024) }

  @usableFromInline
  mutating func extendedCount() throws(SeriError) -> Int {
    let offset = offset - 1
    guard remaining > 0 else { throw cutShort(offset) }
    let tag = unsafe at.load(as: UInt8.self)
    unsafe at += 1
    let number: Int64
    do throws(SeriError) {
      guard let integer = try rawInteger(tag) else { throw SeriError(.countIsNotAnInteger(tag: tag), offset: offset) }
      number = integer
    } catch {
      throw SeriError(error.reason, offset: offset)
    }
    guard number >= 0, number < 1 << 31 else { throw SeriError(.countOutOfRange(number), offset: offset) }
    // Each element has a byte or more, and the end of the table has one.
    guard number < remaining else {
      throw SeriError(.countExceedsInput(count: Int(number), remaining: remaining), offset: offset)
    }
    return Int(number)
  }

  /// In a table whose contents would be too deep: passes only if it ends at once.
  @usableFromInline
  func checkEmpty(_ count: Int) throws(SeriError) {
    guard try peekTag() == SeriTag.nil, count == 0 else {
      throw SeriError(.tooDeep(limit: limits.depth), offset: offset)
    }
  }

  // MARK: Errors, out of the way

  @inline(never) @usableFromInline
  func cutShort(_ offset: Int) -> SeriError { SeriError(.endOfInput, offset: offset) }

  @inline(never) @usableFromInline
  func tooManyValues() -> SeriError { SeriError(.tooManyValues(limit: limits.values), offset: offset) }

  @inline(never) @usableFromInline
  func lengthExceedsInput(_ length: Int, _ offset: Int) -> SeriError {
    SeriError(.lengthExceedsInput(length: length, remaining: remaining), offset: offset)
  }

  /// What is wrong with a tag, just taken, that is not one of `expected`'s.
  @inline(never) @usableFromInline
  func mismatch(_ expected: SeriKind, _ tag: UInt8) -> SeriError {
    guard let kind = SeriTag.kind(tag) else { return SeriError(.unknownType(tag: tag), offset: offset - 1) }
    let reason: SeriError.Reason =
      kind == expected ? .unknownCookie(tag: tag) : .mismatch(expected: expected, found: kind)
    return SeriError(reason, offset: offset - 1)
  }
}
