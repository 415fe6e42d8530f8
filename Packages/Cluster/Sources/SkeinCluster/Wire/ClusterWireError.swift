// ClusterWireError: what can be wrong with a packet, or with what is to become one.

/// Why a packet cannot be read, or not be written.
public enum ClusterWireError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A packet without a byte.
  case emptyPacket
  /// The byte that says what the packet is has an unknown value.
  case unknownType(UInt8)
  /// The packet ends before its fixed fields do.
  case tooShort(type: UInt8, size: Int)
  /// A packet of fixed size has another one.
  case wrongSize(type: UInt8, size: Int, expected: Int)
  /// A name address without a byte.
  case emptyName
  /// A name address above 255 bytes.
  case nameTooLong(Int)
  /// A trace tag above 32,768 bytes.
  case traceTagTooLong(Int)

  /// The reason in a phrase.
  public var description: String {
    switch self {
    case .emptyPacket: "an empty packet"
    case .unknownType(let type): "an unknown packet type \(type)"
    case .tooShort(let type, let size): "a packet of type \(type) with \(size) bytes, too short for its fields"
    case .wrongSize(let type, let size, let expected):
      "a packet of type \(type) with \(size) bytes, which must have \(expected)"
    case .emptyName: "an empty name"
    case .nameTooLong(let size): "a name of \(size) bytes, above 255"
    case .traceTagTooLong(let size): "a trace tag of \(size) bytes, above 32,768"
    }
  }
}

/// The sizes that the protocol fixes.
public enum ClusterWire {
  /// Greatest size of a packet, without its two size bytes.
  public static let maxPacketBytes = 65_535
  /// Greatest number of body bytes in one part of a large message; all parts but the last have exactly so many.
  public static let partBytes = 32_768
  /// Requests from so many body bytes on are large.
  public static let largeRequestBytes = 32_768
  /// Answers from so many body bytes on are large: one more than for requests.
  public static let largeAnswerBytes = 32_769
  /// Error texts are cut to so many bytes.
  public static let maxErrorBytes = 32_768
  /// Greatest size of a trace tag.
  public static let maxTraceTagBytes = 32_768
  /// Greatest session number that a connector gives.
  public static let maxSession = UInt32(Int32.max)
}
