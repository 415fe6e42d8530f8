// Bytes: the few raw reads and appends that the wire needs, each checked against its bounds.

extension RawSpan {
  /// The byte at `offset`; traps outside the span.
  @inline(__always)
  func byte(at offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// Four bytes, least significant first; traps outside the span.
  @inline(__always)
  func littleEndian32(at offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

extension [UInt8] {
  /// A copy of `bytes`.
  init(copying bytes: RawSpan) {
    self = []
    append(bytes)
  }

  /// Appends a copy of `bytes`.
  mutating func append(_ bytes: RawSpan) {
    // The pointer lives as long as the closure, and append copies.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// Appends four bytes, least significant first.
  mutating func append(littleEndian value: UInt32) {
    append(UInt8(truncatingIfNeeded: value))
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value >> 16))
    append(UInt8(truncatingIfNeeded: value >> 24))
  }

  /// Appends the size of a packet, most significant byte first.
  mutating func append(packetSize size: Int) {
    precondition(size <= 65_535, "a packet has at most 65,535 bytes")
    append(UInt8(size >> 8))
    append(UInt8(size & 0xFF))
  }
}
