// Value: what the wire can say.

/// One value of the wire: what Lua has, without functions.
///
/// 16 bytes. Copying one costs at most a reference count.
///
/// ```swift
/// let request: [Value] = ["SET", "gold", 125, ["vip": true, "level": 57]]
/// request[3].table?["level"].integer   // 57
/// ```
public enum Value: Sendable {
  /// No value.
  case `nil`
  /// True or false.
  case boolean(Bool)
  /// A 64-bit integer. `1` and `1.0` are different values.
  case integer(Int64)
  /// A double; its bits are kept, those of a NaN too.
  case double(Double)
  /// A string of bytes, which need not be text.
  case bytes(ByteString)
  /// An array and pairs.
  case table(Table)
  /// A pointer of the process that wrote it, which means nothing in any other and is never followed.
  case pointer(UInt64)
}

extension Value: Hashable {
  /// Equality of what would be written: doubles are compared by their bits, tables by their elements and their pairs in order.
  ///
  /// To compare tables as maps, see ``isSameMap(as:)``.
  @inlinable
  public static func == (left: Value, right: Value) -> Bool {
    switch (left, right) {
    case (.nil, .nil): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
    case (.bytes(let left), .bytes(let right)): left == right
    case (.table(let left), .table(let right)): left == right
    case (.pointer(let left), .pointer(let right)): left == right
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .nil: hasher.combine(UInt8(0))
    case .boolean(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value.bitPattern)
    case .bytes(let value): hasher.combine(value)
    case .table(let value): hasher.combine(value)
    case .pointer(let value):
      hasher.combine(UInt8(1))
      hasher.combine(value)
    }
  }
}

extension Value {
  /// Which of the seven kinds it is.
  public var kind: SeriKind {
    switch self {
    case .nil: .nil
    case .boolean: .boolean
    case .integer: .integer
    case .double: .double
    case .bytes: .bytes
    case .table: .table
    case .pointer: .pointer
    }
  }

  /// Number of tables with contents that lie within one another here: 0 for all but tables that are not empty.
  public var depth: Int {
    if case .table(let table) = self { table.depth } else { 0 }
  }

  /// The key that this one is in a table: a double with an integral value is the integer.
  ///
  /// Lua has no such doubles as keys, and Skynet's reader turns them into integers.
  public var normalizedKey: Value {
    if case .double(let number) = self, let integer = number.exactInteger { .integer(integer) } else { self }
  }
}

extension Double {
  /// The integer that it is, if it is one and fits.
  ///
  /// `Int64(exactly:)` asks the C library's mathematics, which a program that uses only this module need not link.
  @usableFromInline
  var exactInteger: Int64? {
    guard self >= -0x1p63, self < 0x1p63 else { return nil }
    let integer = Int64(self)
    return Double(integer) == self ? integer : nil
  }
}
