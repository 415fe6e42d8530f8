// SeriWritable and SeriReadable: types that are written and read without a `Value` between, and which of Swift's are.

/// A type that writes itself as one value.
public protocol SeriWritable {
  /// Writes exactly one value.
  ///
  /// What cannot be written is told with ``SeriWriter/fail(_:)``.
  func write(to writer: inout SeriWriter)
}

/// A type that reads itself from one value.
public protocol SeriReadable {
  /// Reads exactly one value.
  ///
  /// - Throws: ``SeriError`` if the input is wrong, or is another kind of value.
  init(reading reader: inout SeriReader) throws(SeriError)

  /// What a dictionary has as the key of a table's array element; nil, the default, if it cannot have any.
  ///
  /// - Parameter index: 1 for the first element.
  static func key(forIndex index: Int) -> Self?
}

extension SeriReadable {
  /// No key.
  @inlinable
  public static func key(forIndex index: Int) -> Self? { nil }
}

extension SeriWriter {
  /// Writes `value` as it writes itself.
  @inlinable @inline(__always)
  public mutating func write(_ value: some SeriWritable) { value.write(to: &self) }

  /// Writes a pair of a record: a key known when the program is compiled, and its value.
  @inlinable @inline(__always)
  public mutating func pair(_ name: StaticString, _ value: some SeriWritable) {
    key(name)
    value.write(to: &self)
  }
}

extension SeriReader {
  /// Reads a value as the type that the place has.
  @inlinable @inline(__always)
  public mutating func read<T: SeriReadable>(_ type: T.Type = T.self) throws(SeriError) -> T {
    try T(reading: &self)
  }
}

extension Bool: SeriWritable, SeriReadable {
  /// Writes a boolean.
  @inlinable
  public func write(to writer: inout SeriWriter) { writer.boolean(self) }
  /// Reads a boolean.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) { self = try reader.boolean() }
}

extension Double: SeriWritable, SeriReadable {
  /// Writes a double.
  @inlinable
  public func write(to writer: inout SeriWriter) { writer.double(self) }
  /// Reads a double, or an integer that a double can hold exactly.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) { self = try reader.double() }
}

extension String: SeriWritable, SeriReadable {
  /// Writes a string of UTF-8 bytes.
  @inlinable
  public func write(to writer: inout SeriWriter) { writer.string(self) }
  /// Reads a string, which must be UTF-8.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) { self = try reader.string() }
}

extension ByteString: SeriWritable, SeriReadable {
  /// Writes a string.
  @inlinable
  public func write(to writer: inout SeriWriter) { writer.bytes(self) }
  /// Reads a string.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) { self = try reader.byteString() }
}

extension SeriWritable where Self: FixedWidthInteger {
  /// Writes an integer; one that does not fit into 64 bits with a sign fails.
  @inlinable
  public func write(to writer: inout SeriWriter) {
    if let number = Int64(exactly: self) {
      writer.integer(number)
    } else {
      writer.fail(.numberOutOfRange(type: "a 64-bit integer"))
    }
  }
}

extension SeriReadable where Self: FixedWidthInteger {
  /// Reads an integer that fits into the type.
  @inlinable
  public init(reading reader: inout SeriReader) throws(SeriError) {
    let offset = reader.offset
    guard let number = Self(exactly: try reader.integer()) else {
      throw SeriError(.numberOutOfRange(type: "\(Self.self)"), offset: offset)
    }
    self = number
  }

  /// The index itself.
  @inlinable
  public static func key(forIndex index: Int) -> Self? { Self(exactly: index) }
}

extension Int: SeriWritable, SeriReadable {}
extension Int8: SeriWritable, SeriReadable {}
extension Int16: SeriWritable, SeriReadable {}
extension Int32: SeriWritable, SeriReadable {}
extension Int64: SeriWritable, SeriReadable {}
extension UInt: SeriWritable, SeriReadable {}
extension UInt8: SeriWritable, SeriReadable {}
extension UInt16: SeriWritable, SeriReadable {}
extension UInt32: SeriWritable, SeriReadable {}
extension UInt64: SeriWritable, SeriReadable {}
