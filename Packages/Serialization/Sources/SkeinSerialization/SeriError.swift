// SeriError: why a message could not be written or read.

/// Why a message could not be written or read, and where.
public struct SeriError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong.
  public let reason: Reason
  /// Where: the first byte of the value that cannot be read; the input's length where it ends before a value or an end
  /// of a table; when writing, the number of bytes written before it.
  public let offset: Int

  /// Makes an error, for conformances to ``SeriReadable`` that have reasons of their own.
  public init(_ reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// What was wrong with a message, with what a caller needs to act on it.
  public enum Reason: Hashable, Sendable {
    /// The input ends within a value, or within a table.
    case endOfInput
    /// The tag has the type 7, which means nothing.
    case unknownType(tag: UInt8)
    /// The upper five bits of the tag are none that its type has.
    case unknownCookie(tag: UInt8)
    /// A string is announced to be longer than the rest of the input.
    case lengthExceedsInput(length: Int, remaining: Int)
    /// A table's array is announced to have more elements than the input has bytes.
    case countExceedsInput(count: Int, remaining: Int)
    /// A table's count is not an integer.
    case countIsNotAnInteger(tag: UInt8)
    /// A table's count is negative, or 2^31 or more.
    case countOutOfRange(Int64)
    /// A table's key is NaN.
    case keyIsNaN
    /// A table's key is nil. Only when writing: in the input a nil in the place of a key ends the table.
    case keyIsNil
    /// A value lies within more tables than `limit`.
    case tooDeep(limit: Int)
    /// The message has more values than `limit`.
    case tooManyValues(limit: Int)
    /// The message has more bytes than `limit`.
    case tooManyBytes(limit: Int)
    /// Tables were begun and not ended, or ended and not begun. Only when writing by hand.
    case unbalancedTables
    /// Another kind of value was asked for than there is.
    case mismatch(expected: SeriKind, found: SeriKind)
    /// The number does not fit into the type that was asked for.
    case numberOutOfRange(type: String)
    /// A string is not UTF-8, and text was asked for.
    case notUTF8
    /// A table has pairs, and only an array was asked for.
    case unexpectedPair
    /// A table has array elements, and only pairs were asked for.
    case unexpectedElements
    /// A record lacks a field.
    case missingField(String)
    /// A message has more values than were asked for.
    case unexpectedValue
    /// A reason of the type being read.
    case other(String)
  }

  /// One line: the reason, and `at byte N`.
  public var description: String { "\(reason) at byte \(offset)" }
}

extension SeriError.Reason: CustomStringConvertible {
  /// The reason in words.
  public var description: String {
    switch self {
    case .endOfInput: "the input ends within a value"
    case .unknownType(let tag): "unknown type 7 (tag \(tag))"
    case .unknownCookie(let tag): "type \(tag & 7) has no form \(tag >> 3) (tag \(tag))"
    case .lengthExceedsInput(let length, let remaining): "a string of \(length) bytes, with \(remaining) left"
    case .countExceedsInput(let count, let remaining): "a table of \(count) elements, with \(remaining) bytes left"
    case .countIsNotAnInteger(let tag): "a table's count is not an integer (tag \(tag))"
    case .countOutOfRange(let count): "a table's count of \(count) is out of range"
    case .keyIsNaN: "a table's key is NaN"
    case .keyIsNil: "a table's key is nil"
    case .tooDeep(let limit): "tables nest deeper than \(limit)"
    case .tooManyValues(let limit): "more than \(limit) values"
    case .tooManyBytes(let limit): "more than \(limit) bytes"
    case .unbalancedTables: "tables were not ended as they were begun"
    case .mismatch(let expected, let found): "expected \(expected), found \(found)"
    case .numberOutOfRange(let type): "the number does not fit into \(type)"
    case .notUTF8: "the string is not UTF-8"
    case .unexpectedPair: "expected an array, found a table with pairs"
    case .unexpectedElements: "expected pairs, found a table with array elements"
    case .missingField(let name): "the field \(name) is missing"
    case .unexpectedValue: "more values than expected"
    case .other(let text): text
    }
  }
}

/// What kinds of values there are.
public enum SeriKind: String, Hashable, Sendable, CustomStringConvertible {
  /// No value.
  case `nil`
  /// True or false.
  case boolean
  /// A 64-bit integer.
  case integer
  /// A double.
  case double
  /// A byte string.
  case bytes
  /// A table.
  case table
  /// An opaque 64-bit pointer.
  case pointer

  /// The kind's name.
  public var description: String { rawValue }
}
