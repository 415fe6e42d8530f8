// KeyHash: the hash that decides where a key is.

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): the same in every process, machine and version.
enum KeyHash {
  static func fnv1a(_ bytes: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
    return hash
  }
}
