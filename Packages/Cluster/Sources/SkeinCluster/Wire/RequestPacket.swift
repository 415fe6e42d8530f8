// RequestPacket: what a connector sends, packet by packet.
//
// All integers behind the size bytes are little-endian. First byte:
//   00 / 80  a whole request, by number / name      addr:u32 | len:u8 name · session:u32 · body
//   01 / 81  a large call begins, by number / name  address · session:u32 · total:u32
//   41 / c1  a large push begins, by number / name  the same
//   02 / 03  a part, more follow / the last one     session:u32 · bytes
//   04       the trace tag of the next request      bytes
// Session 0 in a whole request means push. A large push has a session too, which joins its parts.

/// One packet of a connector. Bytes are ranges of the packet that was decoded, so that nothing is copied twice.
public enum RequestPacket: Hashable, Sendable {
  /// A whole request; session 0 says that it is a push.
  case small(to: ClusterAddress, session: UInt32, body: Range<Int>)
  /// The beginning of a large request, whose parts together have `total` bytes.
  case begin(to: ClusterAddress, session: UInt32, isPush: Bool, total: UInt32)
  /// A part of a large request.
  case part(session: UInt32, isLast: Bool, bytes: Range<Int>)
  /// The trace tag of the next request of the connection.
  case trace(tag: Range<Int>)

  /// Reads a packet, without its size bytes.
  ///
  /// - Throws: ``ClusterWireError`` when it is none of a connector's.
  public init(decoding packet: RawSpan) throws(ClusterWireError) {
    let size = packet.byteCount
    if size == 0 { throw .emptyPacket }
    let type = packet.byte(at: 0)
    switch type {
    case 0x00:
      if size < 9 { throw .tooShort(type: type, size: size) }
      self = .small(
        to: .number(packet.littleEndian32(at: 1)), session: packet.littleEndian32(at: 5), body: 9..<size)
    case 0x80:
      let (name, end) = try Self.name(of: packet, fieldBytes: 4)
      self = .small(to: .name(name), session: packet.littleEndian32(at: end), body: end + 4..<size)
    case 0x01, 0x41:
      if size != 13 { throw .wrongSize(type: type, size: size, expected: 13) }
      self = .begin(
        to: .number(packet.littleEndian32(at: 1)), session: packet.littleEndian32(at: 5), isPush: type == 0x41,
        total: packet.littleEndian32(at: 9))
    case 0x81, 0xC1:
      // Bytes behind the total are ignored, as Skynet does.
      let (name, end) = try Self.name(of: packet, fieldBytes: 8)
      self = .begin(
        to: .name(name), session: packet.littleEndian32(at: end), isPush: type == 0xC1,
        total: packet.littleEndian32(at: end + 4))
    case 0x02, 0x03:
      if size < 5 { throw .tooShort(type: type, size: size) }
      self = .part(session: packet.littleEndian32(at: 1), isLast: type == 0x03, bytes: 5..<size)
    case 0x04:
      if size - 1 > ClusterWire.maxTraceTagBytes { throw .traceTagTooLong(size - 1) }
      self = .trace(tag: 1..<size)
    default: throw .unknownType(type)
    }
  }

  /// The name of a packet, and where the fixed fields of `fieldBytes` bytes behind it begin.
  private static func name(of packet: RawSpan, fieldBytes: Int) throws(ClusterWireError) -> (ClusterName, Int) {
    let size = packet.byteCount
    if size < 2 { throw .tooShort(type: packet.byte(at: 0), size: size) }
    let end = 2 + Int(packet.byte(at: 1))
    if size < end + fieldBytes { throw .tooShort(type: packet.byte(at: 0), size: size) }
    return (try ClusterName(bytes: [UInt8](copying: packet.extracting(2..<end))), end)
  }

  // MARK: Writing

  /// Appends a whole request.
  ///
  /// - Precondition: `body` has fewer than ``ClusterWire/largeRequestBytes`` bytes.
  public static func appendSmall(
    to address: ClusterAddress, session: UInt32, body: [UInt8], into output: inout [UInt8]
  ) {
    precondition(body.count < ClusterWire.largeRequestBytes, "a body of 32,768 bytes or more is large")
    let size = 1 + encodedBytes(address) + 4 + body.count
    output.append(packetSize: size)
    append(type: 0x00, address, into: &output)
    output.append(littleEndian: session)
    output.append(contentsOf: body)
  }

  /// Appends the beginning of a large request of `total` bytes.
  public static func appendBegin(
    to address: ClusterAddress, session: UInt32, isPush: Bool, total: UInt32, into output: inout [UInt8]
  ) {
    output.append(packetSize: 1 + encodedBytes(address) + 8)
    append(type: isPush ? 0x41 : 0x01, address, into: &output)
    output.append(littleEndian: session)
    output.append(littleEndian: total)
  }

  /// Appends a part of a large request.
  ///
  /// - Precondition: `bytes` has at most ``ClusterWire/partBytes`` bytes.
  public static func appendPart(session: UInt32, isLast: Bool, bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
    precondition(bytes.count <= ClusterWire.partBytes, "a part has at most 32,768 bytes")
    output.append(packetSize: 5 + bytes.count)
    output.append(isLast ? 0x03 : 0x02)
    output.append(littleEndian: session)
    output.append(contentsOf: bytes)
  }

  /// Appends the trace tag of the request that follows at once.
  ///
  /// - Throws: ``ClusterWireError/traceTagTooLong(_:)``.
  public static func appendTrace(tag: [UInt8], into output: inout [UInt8]) throws(ClusterWireError) {
    if tag.count > ClusterWire.maxTraceTagBytes { throw .traceTagTooLong(tag.count) }
    output.append(packetSize: 1 + tag.count)
    output.append(0x04)
    output.append(contentsOf: tag)
  }

  private static func encodedBytes(_ address: ClusterAddress) -> Int {
    switch address {
    case .number: 4
    case .name(let name): 1 + name.bytes.count
    }
  }

  private static func append(type: UInt8, _ address: ClusterAddress, into output: inout [UInt8]) {
    switch address {
    case .number(let number):
      output.append(type)
      output.append(littleEndian: number)
    case .name(let name):
      output.append(type | 0x80)
      output.append(UInt8(name.bytes.count))
      output.append(contentsOf: name.bytes)
    }
  }
}
