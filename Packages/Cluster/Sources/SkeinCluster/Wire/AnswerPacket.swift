// AnswerPacket: what an acceptor sends, packet by packet.
//
// session:u32, little-endian, then one byte:
//   00  an error            text
//   01  a whole answer      body
//   02  a large one begins  total:u32
//   03  a part              bytes
//   04  the last part       bytes

/// One packet of an acceptor. Bytes are ranges of the packet that was decoded, so that nothing is copied twice.
public enum AnswerPacket: Hashable, Sendable {
  /// The request failed; the text is for people.
  case error(session: UInt32, text: Range<Int>)
  /// A whole answer.
  case small(session: UInt32, body: Range<Int>)
  /// The beginning of a large answer, whose parts together have `total` bytes.
  case begin(session: UInt32, total: UInt32)
  /// A part of a large answer.
  case part(session: UInt32, isLast: Bool, bytes: Range<Int>)

  /// Reads a packet, without its size bytes.
  ///
  /// - Throws: ``ClusterWireError`` when it is none of an acceptor's.
  public init(decoding packet: RawSpan) throws(ClusterWireError) {
    let size = packet.byteCount
    if size == 0 { throw .emptyPacket }
    if size < 5 { throw .tooShort(type: packet.byte(at: size - 1), size: size) }
    let session = packet.littleEndian32(at: 0)
    let type = packet.byte(at: 4)
    switch type {
    case 0: self = .error(session: session, text: 5..<size)
    case 1: self = .small(session: session, body: 5..<size)
    case 2:
      if size != 9 { throw .wrongSize(type: type, size: size, expected: 9) }
      self = .begin(session: session, total: packet.littleEndian32(at: 5))
    case 3, 4: self = .part(session: session, isLast: type == 4, bytes: 5..<size)
    default: throw .unknownType(type)
    }
  }

  // MARK: Writing

  /// Appends an error. A text above ``ClusterWire/maxErrorBytes`` is cut.
  public static func appendError(session: UInt32, text: [UInt8], into output: inout [UInt8]) {
    append(session, 0, text.prefix(ClusterWire.maxErrorBytes), into: &output)
  }

  /// Appends a whole answer.
  ///
  /// - Precondition: `body` has fewer than ``ClusterWire/largeAnswerBytes`` bytes.
  public static func appendSmall(session: UInt32, body: [UInt8], into output: inout [UInt8]) {
    precondition(body.count < ClusterWire.largeAnswerBytes, "a body above 32,768 bytes is large")
    append(session, 1, body[...], into: &output)
  }

  /// Appends the beginning of a large answer of `total` bytes.
  public static func appendBegin(session: UInt32, total: UInt32, into output: inout [UInt8]) {
    output.append(packetSize: 9)
    output.append(littleEndian: session)
    output.append(2)
    output.append(littleEndian: total)
  }

  /// Appends a part of a large answer.
  ///
  /// - Precondition: `bytes` has at most ``ClusterWire/partBytes`` bytes.
  public static func appendPart(session: UInt32, isLast: Bool, bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
    precondition(bytes.count <= ClusterWire.partBytes, "a part has at most 32,768 bytes")
    append(session, isLast ? 4 : 3, bytes, into: &output)
  }

  private static func append(
    _ session: UInt32, _ type: UInt8, _ bytes: ArraySlice<UInt8>, into output: inout [UInt8]
  ) {
    output.append(packetSize: 5 + bytes.count)
    output.append(littleEndian: session)
    output.append(type)
    output.append(contentsOf: bytes)
  }
}
