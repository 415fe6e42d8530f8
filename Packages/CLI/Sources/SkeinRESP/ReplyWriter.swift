// ReplyWriter: RESP2 answers, appended to a byte buffer.

/// Appends RESP2 values to a buffer of bytes.
///
/// It does not check that an array gets as many elements as it announces.
///
///     var writer = ReplyWriter()
///     writer.array(2)
///     writer.bulk("a")
///     writer.nullBulk()      // writer.bytes is *2\r\n$1\r\na\r\n$-1\r\n
public struct ReplyWriter: Sendable {
  /// What was written so far.
  public var bytes: [UInt8] = []

  /// Creates a writer with nothing written.
  public init() {}

  /// Appends `text` as it is: the caller spells type byte and line end.
  public mutating func raw(_ text: StaticString) { bytes.append(text) }

  /// Appends a simple string; `text` must hold no line end.
  public mutating func simple(_ text: String) { line(UInt8(ascii: "+"), text) }

  /// Appends an error; `text` begins with its code (`ERR …`), and line ends in it become spaces as in Redis.
  public mutating func error(_ text: String) { error(Array(text.utf8)) }

  /// Appends an error whose text may quote what a client sent.
  ///
  /// Line ends at the end of `text` are dropped, and those within it become spaces, as Redis does.
  public mutating func error(_ text: [UInt8]) {
    bytes.append(UInt8(ascii: "-"))
    var end = text.count
    while end > 0, Self.isLineEnd(text[end - 1]) { end -= 1 }
    for byte in text[..<end] { bytes.append(Self.isLineEnd(byte) ? UInt8(ascii: " ") : byte) }
    bytes.append("\r\n")
  }

  /// Appends an integer.
  public mutating func integer(_ value: Int64) {
    bytes.append(UInt8(ascii: ":"))
    IntegerText.append(value, to: &bytes)
    bytes.append("\r\n")
  }

  /// Appends a bulk string of any bytes.
  public mutating func bulk(_ value: Span<UInt8>) {
    header(UInt8(ascii: "$"), value.count)
    bytes.append(span: value)
    bytes.append("\r\n")
  }

  /// Appends the UTF-8 of `text` as a bulk string.
  public mutating func bulk(_ text: String) {
    header(UInt8(ascii: "$"), text.utf8.count)
    bytes.append(contentsOf: text.utf8)
    bytes.append("\r\n")
  }

  /// Appends the null bulk string: no such value.
  public mutating func nullBulk() { bytes.append("$-1\r\n") }

  /// Appends the null array.
  public mutating func nullArray() { bytes.append("*-1\r\n") }

  /// Appends the header of an array; its `count` elements are to follow.
  public mutating func array(_ count: Int) { header(UInt8(ascii: "*"), count) }

  private mutating func header(_ type: UInt8, _ count: Int) {
    bytes.append(type)
    IntegerText.append(Int64(count), to: &bytes)
    bytes.append("\r\n")
  }

  private mutating func line(_ type: UInt8, _ text: String) {
    bytes.append(type)
    bytes.append(contentsOf: text.utf8)
    bytes.append("\r\n")
  }

  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0D || byte == 0x0A }
}

extension [UInt8] {
  /// Appends the bytes of a literal.
  mutating func append(_ text: StaticString) {
    unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends borrowed bytes in one copy.
  mutating func append(span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
