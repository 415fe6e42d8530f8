// FrameReader: a byte stream to packets, in any cut.
//
// Owns:       the bytes of a packet that has not arrived completely; nothing else.
// Invariants:
//   I1  `partial` is empty, or holds a proper beginning of a packet with its size bytes, or a whole packet that
//       `takeAssembled` is about to fetch. It never has more than 65,537 bytes, and only bytes that arrived.
//   I2  which packets come out depends on the bytes only, not on how they were cut.

/// Cuts a connection's bytes into packets: two size bytes, most significant first, then so many bytes.
///
/// A packet that lies whole in what was received is not copied.
///
///     var offset = 0
///     while true {
///       switch reader.next(in: bytes, from: &offset) {
///       case .within(let range): handle(bytes.extracting(range))
///       case .assembled:
///         let packet = reader.takeAssembled()
///         handle(unsafe packet.span.bytes.extracting(droppingFirst: 2))
///       case .needsMore: return
///       }
///     }
///
/// - Complexity: O(bytes received) altogether, for any cut.
/// - Thread safety: a value; one thread at a time.
public struct FrameReader: Sendable {
  /// Where the next packet is.
  public enum Step: Hashable, Sendable {
    /// In the input: this range, without the size bytes.
    case within(Range<Int>)
    /// It came in pieces; fetch it with ``FrameReader/takeAssembled()`` before the next step.
    case assembled
    /// The input is used up.
    case needsMore
  }

  private var partial: [UInt8] = []

  /// Creates a reader at the beginning of a stream.
  public init() {}

  /// Bytes that are kept until the rest of their packet arrives.
  public var unfinishedBytes: Int { partial.count }

  /// Finds the next packet of `input` from `offset` on, and moves `offset` behind it.
  public mutating func next(in input: RawSpan, from offset: inout Int) -> Step {
    if !partial.isEmpty { return assemble(input, &offset) }
    let available = input.byteCount - offset
    if available >= 2 {
      let end = offset + 2 + (Int(input.byte(at: offset)) << 8 | Int(input.byte(at: offset + 1)))
      if end <= input.byteCount {
        defer { offset = end }
        return .within(offset + 2..<end)
      }
    }
    partial.append(input.extracting(offset..<input.byteCount))
    offset = input.byteCount
    return .needsMore
  }

  /// Hands out the packet that came in pieces: its two size bytes, then the packet.
  public mutating func takeAssembled() -> [UInt8] {
    let packet = partial
    partial = []
    return packet
  }

  /// Calls `body` with each packet of `input`, without its size bytes.
  ///
  /// - Throws: what `body` throws; the rest of `input` is then lost.
  public mutating func read<Failure: Error>(
    _ input: RawSpan, _ body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = 0
    while true {
      switch next(in: input, from: &offset) {
      case .within(let range): try body(input.extracting(range))
      case .assembled:
        let packet = takeAssembled()
        // Bytes have no padding that could be read uninitialized.
        try unsafe body(packet.span.bytes.extracting(droppingFirst: 2))
      case .needsMore: return
      }
    }
  }

  /// Calls `body` with each packet of `input`, without its size bytes.
  ///
  /// - Throws: what `body` throws; the rest of `input` is then lost.
  public mutating func read<Failure: Error>(
    _ input: [UInt8], _ body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    // Bytes have no padding that could be read uninitialized.
    try unsafe read(input.span.bytes, body)
  }

  private mutating func assemble(_ input: RawSpan, _ offset: inout Int) -> Step {
    if partial.count == 1 {
      if offset == input.byteCount { return .needsMore }
      partial.append(input.byte(at: offset))
      offset += 1
    }
    let missing = 2 + (Int(partial[0]) << 8 | Int(partial[1])) - partial.count
    let count = min(missing, input.byteCount - offset)
    partial.append(input.extracting(offset..<offset + count))
    offset += count
    return count == missing ? .assembled : .needsMore
  }
}
