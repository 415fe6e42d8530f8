// ByteString: the bytes of a string, in place when they are few.

/// A string of bytes, of no particular encoding.
///
/// Strings of up to 14 bytes are held in place and allocate nothing; longer ones share an array. Text is made of it
/// with ``string``, which needs the bytes to be UTF-8.
///
/// ```swift
/// let name: ByteString = "player-7"
/// name.count        // 8
/// name.string       // "player-7"
/// ```
@safe public struct ByteString: Sendable {
  /// Greatest number of bytes held in place.
  @usableFromInline static let inlineCapacity = 14

  /// Up to 14 bytes, and their number in the last.
  @usableFromInline
  struct Small: Sendable, Equatable {
    @usableFromInline var low: UInt64
    @usableFromInline var middle: UInt32
    @usableFromInline var high: UInt16
    @usableFromInline var count: UInt8

    /// The first eight bytes as a little-endian number, and the other six.
    @inlinable
    init(_ low: UInt64, _ rest: UInt64, count: Int) {
      self.low = low
      self.middle = UInt32(truncatingIfNeeded: rest)
      self.high = UInt16(truncatingIfNeeded: rest >> 32)
      self.count = UInt8(truncatingIfNeeded: count)
    }

    @inlinable
    var rest: UInt64 { UInt64(middle) | UInt64(high) << 32 }
  }

  /// Small exactly when there are at most `inlineCapacity` bytes; unused bytes are zero.
  @usableFromInline
  enum Storage: Sendable {
    case small(Small)
    case large([UInt8])
  }

  @usableFromInline let storage: Storage

  /// The empty string.
  @inlinable
  public init() { storage = .small(Small(0, 0, count: 0)) }

  /// Takes `bytes` as they are.
  ///
  /// - Complexity: O(1); the array is shared if it is too long to be held in place.
  @inlinable
  public init(_ bytes: [UInt8]) {
    if bytes.count > Self.inlineCapacity {
      storage = .large(bytes)
    } else {
      self = unsafe bytes.withUnsafeBytes { unsafe ByteString(copying: $0) }
    }
  }

  /// Takes the UTF-8 bytes of `text`.
  @inlinable
  public init(_ text: some StringProtocol) {
    let copied = text.utf8.withContiguousStorageIfAvailable {
      unsafe ByteString(copying: UnsafeRawBufferPointer($0))
    }
    self = copied ?? ByteString(Array(text.utf8))
  }

  /// Copies `bytes`.
  @inlinable
  public init(copying bytes: RawSpan) {
    self = unsafe bytes.withUnsafeBytes { unsafe ByteString(copying: $0) }
  }

  @inlinable
  init(copying bytes: UnsafeRawBufferPointer) {
    if bytes.count > Self.inlineCapacity {
      unsafe storage = .large(Array(bytes))
      return
    }
    var low: UInt64 = 0
    var rest: UInt64 = 0
    for index in 0..<Swift.min(8, bytes.count) { unsafe low |= UInt64(bytes[index]) << (8 * UInt64(index)) }
    if bytes.count > 8 {
      for index in 8..<bytes.count { unsafe rest |= UInt64(bytes[index]) << (8 * UInt64(index - 8)) }
    }
    storage = .small(Small(low, rest, count: bytes.count))
  }

  /// Copies `count` bytes, of which there are at most `inlineCapacity`, where 16 bytes can be read.
  @inlinable @inline(__always)
  init(wide start: UnsafeRawPointer, count: Int) {
    let words = unsafe Words(start, count: count)
    storage = .small(Small(words.low, words.rest, count: count))
  }

  /// The first bytes at a place as two little-endian numbers, with zeros behind them.
  @usableFromInline
  struct Words {
    @usableFromInline let low: UInt64
    @usableFromInline let rest: UInt64

    /// Takes `count` bytes, at most 16, where 16 bytes can be read.
    @inlinable @inline(__always)
    init(_ start: UnsafeRawPointer, count: Int) {
      let first = UInt64(littleEndian: unsafe start.loadUnaligned(as: UInt64.self))
      let second = UInt64(littleEndian: unsafe start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      // A shift of 64 gives 0 with Swift's smart shifts.
      low = first & ~(~0 << (8 * UInt64(truncatingIfNeeded: Swift.min(count, 8))))
      rest = second & ~(~0 << (8 * UInt64(truncatingIfNeeded: Swift.max(count, 8) - 8)))
    }
  }

  /// Number of bytes.
  @inlinable
  public var count: Int {
    switch storage {
    case .small(let small): Int(small.count)
    case .large(let bytes): bytes.count
    }
  }

  /// Whether the bytes are in an array, and not in place.
  var isShared: Bool {
    if case .large = storage { true } else { false }
  }

  /// Whether there are none.
  @inlinable
  public var isEmpty: Bool { count == 0 }

  /// The text, if the bytes are UTF-8.
  public var string: String? { unsafe withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) } }

  /// Calls `body` with the bytes, which are there only for the call.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch storage {
    case .small(let small):
      let words: InlineArray<2, UInt64> = [small.low.littleEndian, small.rest.littleEndian]
      return unsafe try body(words.span.bytes.extracting(first: Int(small.count)))
    case .large(let bytes):
      return unsafe try body(bytes.span.bytes)
    }
  }

  @inlinable
  func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withBytes { (span) throws(Failure) in try unsafe span.withUnsafeBytes(body) }
  }
}

extension ByteString: Hashable {
  @inlinable
  public static func == (left: ByteString, right: ByteString) -> Bool {
    switch (left.storage, right.storage) {
    case (.small(let left), .small(let right)): left == right
    case (.large(let left), .large(let right)): left == right
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    hasher.combine(UInt8(0xff))
  }
}

extension ByteString: RandomAccessCollection {
  /// Where the bytes begin: 0.
  @inlinable
  public var startIndex: Int { 0 }
  /// The number of bytes.
  @inlinable
  public var endIndex: Int { count }

  /// The byte at `index`.
  @inlinable
  public subscript(index: Int) -> UInt8 {
    switch storage {
    case .small(let small):
      precondition(index >= 0 && index < small.count, "the index is within the string")
      let word = index < 8 ? small.low : small.rest
      return UInt8(truncatingIfNeeded: word >> (8 * UInt64(index & 7)))
    case .large(let bytes):
      return bytes[index]
    }
  }
}

extension ByteString: ExpressibleByStringLiteral, CustomStringConvertible {
  /// The literal's UTF-8 bytes.
  public init(stringLiteral value: String) { self.init(value) }

  /// The text if it is UTF-8, else the bytes in hexadecimal after `0x`.
  public var description: String { string ?? hexadecimal }

  private var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = Array("0x".utf8)
    for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
