// Optionals, arrays and dictionaries.

extension Optional: SeriWritable where Wrapped: SeriWritable {
  /// Writes nil, or the value.
  @inlinable
  public func write(to writer: inout SeriWriter) {
    if let self { self.write(to: &writer) } else { writer.null() }
  }
}

extension Optional: SeriReadable where Wrapped: SeriReadable {
  /// Reads nil, or a value.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) {
    self = try reader.nullIfPresent() ? nil : try Wrapped(reading: &reader)
  }
}

extension Array: SeriWritable where Element: SeriWritable {
  /// Writes a table of elements; bytes (`[UInt8]`) are a string.
  @inlinable
  public func write(to writer: inout SeriWriter) {
    if Element.self == UInt8.self, let bytes = self as? [UInt8] {
      writer.bytes(bytes)
      return
    }
    writer.beginTable(arrayCount: count)
    for element in self { element.write(to: &writer) }
    writer.endTable()
  }
}

extension Array: SeriReadable where Element: SeriReadable {
  /// Reads a table without pairs; bytes (`[UInt8]`) are a string.
  ///
  /// An array with holes, as Lua may send it, has pairs: read it as a dictionary with integer keys.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) {
    if Element.self == UInt8.self, let bytes = try reader.bytes() as? [Element] {
      self = bytes
      return
    }
    let count = try reader.beginTable()
    self.init()
    reserveCapacity(Swift.min(count, reader.reservableBytes / Swift.max(MemoryLayout<Element>.stride, 1)))
    for _ in 0..<count { append(try Element(reading: &reader)) }
    try reader.endTable()
  }
}

extension Dictionary: SeriWritable where Key: SeriWritable, Value: SeriWritable {
  /// Writes a table of pairs, in no particular order; keys 1, 2, … are pairs too, which is the same table to Lua.
  ///
  /// A key that is nil or NaN fails.
  @inlinable
  public func write(to writer: inout SeriWriter) {
    writer.beginTable()
    for (key, value) in self {
      let start = writer.count
      key.write(to: &writer)
      writer.checkKey(from: start)
      value.write(to: &writer)
    }
    writer.endTable()
  }
}

extension Dictionary: SeriReadable where Key: SeriReadable, Value: SeriReadable {
  /// Reads a table; array elements need integer keys.
  ///
  /// A pair whose value is nil is none, and later pairs replace earlier ones.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) {
    let offset = reader.offset
    let count = try reader.beginTable()
    self.init()
    if count > 0 {
      for index in 1...count {
        guard let key = Key.key(forIndex: index) else { throw SeriError(.unexpectedElements, offset: offset) }
        if try !reader.nullIfPresent() { self[key] = try Value(reading: &reader) }
      }
    }
    while !(try reader.isTableEnded()) {
      try reader.checkKey()
      let key = try Key(reading: &reader)
      if try reader.nullIfPresent() {
        self[key] = nil
      } else {
        self[key] = try Value(reading: &reader)
      }
    }
  }
}
