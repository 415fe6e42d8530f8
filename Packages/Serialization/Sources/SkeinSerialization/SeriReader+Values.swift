// Values of any kind, read with the reader's calls.

extension SeriReader {
  /// Reads one value of whatever kind, with all that is in it.
  ///
  /// A double with an integral value in the place of a key becomes the integer, as Lua has it.
  public mutating func value() throws(SeriError) -> Value {
    var stack = ValueStack(capacity: 16)
    try push(onto: &stack)
    return stack.pop()
  }

  /// Reads values up to the end of the input.
  mutating func values() throws(SeriError) -> [Value] {
    var stack = ValueStack(capacity: min(64, remaining))
    while !isAtEnd { try push(onto: &stack) }
    return stack.popAll()
  }

  /// Reads one value and drops it; it is checked as if it were kept.
  public mutating func skip() throws(SeriError) {
    let tag = try takeTag()
    switch tag {
    case SeriTag.nil, SeriTag.yes, SeriTag.no:
      return
    case SeriTag.double, SeriTag.pointer:
      _ = try wide()
    default:
      switch tag & 7 {
      case 2: _ = try expectInteger(tag)
      case 4, 5: _ = unsafe try rawString(tag)
      case SeriTag.table: try skipTable(tag)
      default: throw wrongTag(tag)
      }
    }
  }

  private mutating func skipTable(_ tag: UInt8) throws(SeriError) {
    for _ in 0..<(try enterTable(tag)) { try skip() }
    while !(try isTableEnded()) {
      try checkKey()
      try skip()
      try skip()
    }
  }

  /// Throws if the next value, a key, is NaN.
  @inlinable
  func checkKey() throws(SeriError) {
    if unsafe remaining >= 9 && at.load(as: UInt8.self) == SeriTag.double { try checkDoubleKey() }
  }

  @usableFromInline
  func checkDoubleKey() throws(SeriError) {
    let bits = UInt64(littleEndian: unsafe at.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
    if Double(bitPattern: bits).isNaN { throw SeriError(.keyIsNaN, offset: offset) }
  }

  // MARK: Values that are kept

  /// Reads a value and pushes it. Recursion is bounded by the limit of depth.
  private mutating func push(onto stack: inout ValueStack) throws(SeriError) {
    let tag = try takeTag()
    switch tag & 7 {
    case 4, 5: stack.push(.bytes(unsafe makeByteString(try rawString(tag))))
    case 2:
      if tag == SeriTag.double {
        stack.push(.double(Double(bitPattern: try wide())))
      } else {
        stack.push(.integer(try expectInteger(tag)))
      }
    case SeriTag.table: try pushTable(tag, onto: &stack)
    default:
      switch tag {
      case SeriTag.nil: stack.push(.nil)
      case SeriTag.no: stack.push(.boolean(false))
      case SeriTag.yes: stack.push(.boolean(true))
      case SeriTag.pointer: stack.push(.pointer(try wide()))
      default: throw wrongTag(tag)
      }
    }
  }

  private mutating func pushTable(_ tag: UInt8, onto stack: inout ValueStack) throws(SeriError) {
    let base = stack.count
    let count = try enterTable(tag)
    // Each element has a byte that is not read yet: all tables together reserve no more than the input's bytes.
    stack.reserve(count)
    for _ in 0..<count { try push(onto: &stack) }
    while !(try isTableEnded()) {
      try pushKey(onto: &stack)
      try push(onto: &stack)
    }
    stack.push(.table(stack.popTable(from: base, arrayCount: count)))
  }

  @inline(__always)
  private mutating func pushKey(onto stack: inout ValueStack) throws(SeriError) {
    try checkKey()
    let isDouble = unsafe at.load(as: UInt8.self) == SeriTag.double
    try push(onto: &stack)
    if isDouble { stack.normalizeKey() }
  }

  @inline(__always)
  private mutating func expectInteger(_ tag: UInt8) throws(SeriError) -> Int64 {
    guard let number = try rawInteger(tag) else { throw wrongTag(tag) }
    return number
  }

  /// What is wrong with a tag, just taken, that no value has.
  @inline(never)
  private func wrongTag(_ tag: UInt8) -> SeriError {
    SeriError(tag & 7 == 7 ? .unknownType(tag: tag) : .unknownCookie(tag: tag), offset: offset - 1)
  }
}
