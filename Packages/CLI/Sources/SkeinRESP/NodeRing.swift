// NodeRing: which node of a cluster holds a key.
//
// Consistent hashing (Karger and others, 1997): each node has 160 points on a ring of 64-bit numbers, and a key belongs
// to the node of the first point at or behind its own number. When a node joins or leaves, only the keys of that node
// change hands. Points and keys are numbered by `number(of:)`, which does not depend on process, machine or version.

/// The nodes of a cluster, and which of them holds which key.
///
/// - Thread safety: a value.
public struct NodeRing: Hashable, Sendable {
  /// Points of each node.
  static let pointsPerNode = 160

  /// The nodes' names, sorted by their bytes.
  public let names: [String]
  /// The place in ``names`` of the node that asks.
  public let own: Int
  /// The names of the others, sorted; remote node n of a ``CommandRouter`` is the n-th of them.
  public let peers: [String]
  /// A number that two nodes have in common exactly when their lists of names are the same: ``number(of:)`` of the
  /// sorted names, each followed by a line feed. Addresses do not count.
  public let fingerprint: UInt64
  /// Numbers of all points, ascending, and the node of each.
  private let points: [UInt64]
  private let owners: [UInt16]

  /// Makes the ring of `own` and `peers`.
  ///
  /// - Returns: `nil` when a name is empty, occurs twice, or has a comma or a control character in it, or there are more
  ///   than 1,024 nodes.
  public init?(own: String, peers: [String]) {
    let names = ([own] + peers).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard names.count <= 1_024, names.allSatisfy(Self.isName), Set(names).count == names.count else { return nil }
    self.names = names
    self.own = names.firstIndex(of: own)!
    self.peers = names.filter { $0 != own }
    fingerprint = Self.number(of: Array(names.map { $0 + "\n" }.joined().utf8).span)
    var all: [(point: UInt64, owner: UInt16)] = []
    for (index, name) in names.enumerated() {
      for point in 0..<Self.pointsPerNode {
        all.append((Self.number(of: Array("\(name)#\(point)".utf8).span), UInt16(index)))
      }
    }
    // Two points with one number: the smaller name has it, on every node.
    all.sort { ($0.point, $0.owner) < ($1.point, $1.owner) }
    points = all.map(\.point)
    owners = all.map(\.owner)
  }

  /// Whether a list with commas or lines can hold the name.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && !text.unicodeScalars.contains { $0 == "," || $0.properties.generalCategory == .control }
  }

  /// The place in ``names`` of the node that holds `key`.
  ///
  /// - Complexity: O(log n).
  public func owner(of key: Span<UInt8>) -> Int {
    let number = Self.number(of: key)
    var low = 0
    var high = points.count
    while low < high {
      let middle = (low + high) / 2
      if points[middle] < number { low = middle + 1 } else { high = middle }
    }
    return Int(owners[low == points.count ? 0 : low])
  }

  /// The 64-bit FNV-1a hash of `bytes`, mixed by the finalizer of MurmurHash3, so that similar names lie far apart.
  static func number(of bytes: Span<UInt8>) -> UInt64 {
    var hash = KeyHash.fnv1a(bytes)
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
  }
}
