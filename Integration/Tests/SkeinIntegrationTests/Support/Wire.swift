// Wire: packets of Skynet's cluster protocol, written and read byte by byte and not with the product's code.

/// Packets, each with its two size bytes.
enum Wire {
  /// A packet with its size.
  static func packet(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes }

  /// A small request to a name; session 0 makes it a push.
  static func request(_ name: String, session: UInt32, _ body: [UInt8]) -> [UInt8] {
    packet([0x80, UInt8(name.utf8.count)] + Array(name.utf8) + little(session) + body)
  }

  /// A large call in parts; `total` is what it announces, where that is not the truth.
  static func largeCall(_ name: String, session: UInt32, _ body: [UInt8], total: Int? = nil) -> [UInt8] {
    var bytes = packet(
      [0x81, UInt8(name.utf8.count)] + Array(name.utf8) + little(session) + little(UInt32(total ?? body.count)))
    for start in stride(from: 0, to: body.count, by: 32_768) {
      let end = min(start + 32_768, body.count)
      bytes += packet([end == body.count ? 3 : 2] + little(session) + body[start..<end])
    }
    return bytes
  }

  static func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

  /// A string in Skynet's encoding.
  static func string(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    precondition(bytes.count < 32, "short strings only")
    return [UInt8(bytes.count << 3 | 4)] + bytes
  }

  /// A request's session and body.
  static func parse(request packet: [UInt8]) -> (session: [UInt8], body: [UInt8]) {
    let head = packet[0] & 0x80 == 0 ? 5 : 2 + Int(packet[1])
    return (Array(packet[head..<(head + 4)]), Array(packet[(head + 4)...]))
  }

  /// Bytes from hexadecimal digits, and back.
  static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { (($0 < 16 ? "0" : "") + String($0, radix: 16)) }.joined()
  }
}

extension RawClient {
  /// The next packet of a cluster peer, without its size; nil at the end of the stream.
  func readPacket() throws -> [UInt8]? {
    guard let high = try readByte() else { return nil }
    let low = try read(exactly: 1)[0]
    return try read(exactly: Int(high) << 8 | Int(low))
  }

  /// Makes a call as a cluster peer does; the answer's type, 1 for values and 0 for an error, and its body.
  func call(_ name: String, session: UInt32, _ body: [UInt8]) throws -> (type: UInt8, body: [UInt8]) {
    try send(Wire.request(name, session: session, body))
    return try readAnswer(to: session)
  }

  /// The next answer, which has to be that to `session`.
  func readAnswer(to session: UInt32) throws -> (type: UInt8, body: [UInt8]) {
    guard let packet = try readPacket() else { throw Failure("the stream ended where an answer was due") }
    guard packet.count >= 5, Array(packet[..<4]) == Wire.little(session) else {
      throw Failure("this is no answer to session \(session): \(Wire.hex(packet))")
    }
    return (packet[4], Array(packet[5...]))
  }
}
