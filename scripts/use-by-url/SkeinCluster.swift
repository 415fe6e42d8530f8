import SkeinCluster

var packet: [UInt8] = []
RequestPacket.appendSmall(to: .name(try ClusterName("@simpledb")), session: 1, body: [], into: &packet)
precondition(packet.count == 2 + 1 + 1 + 9 + 4)
let limits = LinkConfiguration()
precondition(limits.maxPendingCalls == 10_000)
