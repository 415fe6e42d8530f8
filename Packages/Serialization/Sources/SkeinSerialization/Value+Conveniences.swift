// Values made of literals and of Swift's types, and taken apart again.

extension Value {
  /// A boolean.
  public init(_ value: Bool) { self = .boolean(value) }
  /// An integer that fits into 64 bits with a sign.
  public init(_ value: Int) { self = .integer(Int64(value)) }
  /// A double.
  public init(_ value: Double) { self = .double(value) }
  /// A string's UTF-8 bytes.
  public init(_ value: some StringProtocol) { self = .bytes(ByteString(value)) }
  /// Bytes.
  public init(_ value: [UInt8]) { self = .bytes(ByteString(value)) }

  /// Whether it is nil.
  public var isNil: Bool {
    if case .nil = self { true } else { false }
  }

  /// The boolean, if it is one.
  public var boolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }

  /// The integer, if it is one.
  public var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The double, if it is one; an integer is none.
  public var double: Double? {
    if case .double(let value) = self { value } else { nil }
  }

  /// The bytes, if it is a string.
  public var bytes: ByteString? {
    if case .bytes(let value) = self { value } else { nil }
  }

  /// The text, if it is a string of UTF-8.
  public var string: String? {
    if case .bytes(let value) = self { value.string } else { nil }
  }

  /// The table, if it is one.
  public var table: Table? {
    if case .table(let value) = self { value } else { nil }
  }

  /// The pointer's 64 bits, if it is one.
  public var pointer: UInt64? {
    if case .pointer(let value) = self { value } else { nil }
  }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
  /// Nil.
  public init(nilLiteral: ()) { self = .nil }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension Value: ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
  /// A double.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A string's UTF-8 bytes.
  public init(stringLiteral value: String) { self = .bytes(ByteString(value)) }
}

extension Value: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  /// A table of elements.
  public init(arrayLiteral elements: Value...) { self = .table(Table(array: elements)) }
  /// A table of pairs, in the literal's order.
  public init(dictionaryLiteral elements: (Value, Value)...) { self = .table(Table(hash: elements)) }
}

extension Value: CustomStringConvertible {
  /// The value as Lua would spell it; a pointer as `pointer(0x…)`.
  public var description: String {
    switch self {
    case .nil: "nil"
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .double(let value): String(value)
    case .bytes(let value): value.quoted
    case .table(let value): value.description
    case .pointer(let value): "pointer(0x\(String(value, radix: 16)))"
    }
  }
}

extension ByteString {
  /// A Lua literal: between quotes; what is not printable ASCII as `\ddd`.
  var quoted: String {
    var text: [UInt8] = [0x22]
    for byte in self {
      switch byte {
      case 0x22, 0x5c: text += [0x5c, byte]
      case 0x20..<0x7f: text.append(byte)
      default: text += [0x5c, 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
      }
    }
    text.append(0x22)
    return String(decoding: text, as: UTF8.self)
  }
}
