// KeyRing: which node holds a key, computed from the description in the handbook and not with the product's code.

/// The nodes of a cluster on a ring of 64-bit numbers: 160 points a node, and a key belongs to the first point at or
/// behind its own number. Numbers are FNV-1a with the finalizer of MurmurHash3.
struct KeyRing: Sendable {
  private let points: [(number: UInt64, name: String)]

  init(_ names: [String]) {
    points = names.flatMap { name in (0..<160).map { (Self.number("\(name)#\($0)"), name) } }
      .sorted { $0.number < $1.number }
  }

  /// The name of the node that holds `key`.
  func owner(_ key: String) -> String {
    let number = Self.number(key)
    return (points.first { $0.number >= number } ?? points[0]).name
  }

  /// The first `count` keys of the node `name`, with a common beginning.
  func keys(of name: String, _ count: Int, prefix: String = "key") -> [String] {
    var keys: [String] = []
    var number = 0
    while keys.count < count {
      if owner("\(prefix)\(number)") == name { keys.append("\(prefix)\(number)") }
      number += 1
    }
    return keys
  }

  private static func number(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
  }
}
