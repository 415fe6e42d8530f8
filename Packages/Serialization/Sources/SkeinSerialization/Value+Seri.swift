// Values and tables, written and read with the writer's and the reader's calls.

extension Value: SeriWritable, SeriReadable {
  /// Writes the value, tables with their elements and pairs as they stand.
  ///
  /// A key that is nil or NaN fails.
  public func write(to writer: inout SeriWriter) {
    switch self {
    case .nil: writer.null()
    case .boolean(let value): writer.boolean(value)
    case .integer(let value): writer.integer(value)
    case .double(let value): writer.double(value)
    case .bytes(let value): writer.bytes(value)
    case .table(let value): value.write(to: &writer)
    case .pointer(let value): writer.pointer(value)
    }
  }

  /// Reads a value of whatever kind.
  public init(reading reader: inout SeriReader) throws(SeriError) { self = try reader.value() }

  /// The integer of an array element.
  public static func key(forIndex index: Int) -> Value? { .integer(Int64(index)) }
}

extension Table: SeriWritable, SeriReadable {
  /// Writes the table with its elements and pairs as they stand.
  public func write(to writer: inout SeriWriter) {
    guard let storage else {
      writer.beginTable()
      writer.endTable()
      return
    }
    let arrayCount = Int(storage.header.arrayCount)
    let count = storage.header.valueCount
    writer.beginTable(arrayCount: arrayCount)
    unsafe storage.withUnsafeMutablePointerToElements { values in
      for index in 0..<arrayCount { unsafe values[index].write(to: &writer) }
      for index in stride(from: arrayCount, to: count, by: 2) {
        if unsafe values[index].cannotBeKey { writer.failKey(unsafe values[index]) }
        unsafe values[index].write(to: &writer)
        unsafe values[index + 1].write(to: &writer)
      }
    }
    writer.endTable()
  }

  /// Reads a table.
  public init(reading reader: inout SeriReader) throws(SeriError) {
    let offset = reader.offset
    let value = try reader.value()
    guard case .table(let table) = value else {
      throw SeriError(.mismatch(expected: .table, found: value.kind), offset: offset)
    }
    self = table
  }
}

extension Value {
  fileprivate var cannotBeKey: Bool {
    switch self {
    case .nil: true
    case .double(let number): number.isNaN
    default: false
    }
  }
}

extension SeriWriter {
  fileprivate mutating func failKey(_ key: Value) { fail(key.isNil ? .keyIsNil : .keyIsNaN) }

  /// Fails if the key that was written from `keyStart` on is nil or NaN.
  @inlinable
  mutating func checkKey(from keyStart: Int) {
    guard count > keyStart else { return }
    let tag = unsafe start.load(fromByteOffset: keyStart, as: UInt8.self)
    if tag == SeriTag.nil { fail(.keyIsNil) }
    guard tag == SeriTag.double, count - keyStart == 9 else { return }
    let bits = UInt64(littleEndian: unsafe start.loadUnaligned(fromByteOffset: keyStart + 1, as: UInt64.self))
    if Double(bitPattern: bits).isNaN { fail(.keyIsNaN) }
  }
}
