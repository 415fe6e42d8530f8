// Host: what the network knows of a host and of its listeners, and which way from host to host is cut.

struct Host {
  let name: String
  var isDown = false
  var acceptsAgainAt: Int64 = 0
  var connections: Set<UInt64> = []
  var connectionsMade = 0

  /// A port that a client of this host gets.
  mutating func nextPort() -> Int {
    connectionsMade += 1
    return 32_768 + (connectionsMade - 1) % 28_232
  }
}

final class ListeningSocket {
  let id: SimulatedNetwork.ListenerID
  let host: Int
  let address: String
  let backlog: Int
  /// Connections that the host has not accepted yet, in the order of their coming.
  var waiting: [UInt64] = []

  init(_ id: SimulatedNetwork.ListenerID, host: Int, address: String, backlog: Int) {
    self.id = id
    self.host = host
    self.address = address
    self.backlog = backlog
  }
}

/// One direction between two hosts.
struct Route: Hashable {
  let from: Int
  let to: Int
}

/// The host of an address: what stands before the port, if there is one.
func hostName(of address: String) -> String {
  let bytes = Array(address.utf8)
  guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return address }
  let isBracketed = bytes.first == UInt8(ascii: "[")
  if isBracketed && bytes.last == UInt8(ascii: "]") { return address }
  // An IPv6 address without brackets has no port.
  if !isBracketed && bytes[..<colon].contains(UInt8(ascii: ":")) { return address }
  return String(decoding: bytes[..<colon], as: UTF8.self)
}
