// ClusterAddress: whom a request is for, at the node that it is sent to.

/// A name as it travels: 1 to 255 bytes, with its prefix (`@simpledb`, `.launcher`).
///
/// Names are bytes; those that are text are UTF-8.
public struct ClusterName: Hashable, Sendable, CustomStringConvertible {
  /// The bytes, prefix included.
  public let bytes: [UInt8]

  /// Takes the bytes of a name.
  ///
  /// - Throws: ``ClusterWireError/emptyName`` or ``ClusterWireError/nameTooLong(_:)``.
  public init(bytes: [UInt8]) throws(ClusterWireError) {
    if bytes.isEmpty { throw .emptyName }
    if bytes.count > 255 { throw .nameTooLong(bytes.count) }
    self.bytes = bytes
  }

  /// Takes the UTF-8 of `text`.
  ///
  /// - Throws: ``ClusterWireError/emptyName`` or ``ClusterWireError/nameTooLong(_:)``.
  public init(_ text: String) throws(ClusterWireError) { try self.init(bytes: Array(text.utf8)) }

  /// The name as text; what is not UTF-8 is shown as U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// Whom a request is for, at the node that it is sent to.
public enum ClusterAddress: Hashable, Sendable, CustomStringConvertible {
  /// A service by its id. Number 0 is the node itself, which answers name queries.
  case number(UInt32)
  /// A service by a name.
  case name(ClusterName)

  /// The node itself: a call to it asks for a name.
  public static let nameQuery = ClusterAddress.number(0)

  /// The number or the name.
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .name(let name): name.description
    }
  }
}
