import Skein
import SkeinCluster
import SkeinPlatform
import SkeinSerialization
import SkeinSocketIO
import Testing

/// Tells a caller the deadline that its request has here, in nanoseconds of the monotonic clock.
private actor Teller: SkeinService {
  nonisolated let context: SkeinContext
  init(_ context: SkeinContext) { self.context = context }

  static let tell = Command("TELL") { (teller: isolated Teller) in teller.deadline }
  static let tellLater = Command("TELLLATER") { (teller: isolated Teller) async in
    await Task.yield()
    return teller.deadline
  }
  static let commands: CommandTable<Teller> = [tell, tellLater]

  private var deadline: Int64 { context.currentCall?.deadline?.nanoseconds ?? 0 }
}

@Suite("Deadlines of peers' requests") struct RemoteDeadlineTests {
  @Test(arguments: backends, ["TELL", "TELLLATER"])
  func `each request of a peer has a deadline of its own, also one that waited for another's answer`(
    backend: SocketBackend, command: String
  ) async throws {
    let options = options { options in
      // The thread that answers one request is the one that lets the next one in.
      options.workers = 1
      options.cluster.acceptor.maxRequestsInWork = 1
      options.sockets = SocketOptions()
      options.sockets?.backend = backend
    }
    try await withNode(options) { node in
      node.cluster.register("teller", try await node.spawn { Teller($0) })
      let peer = try Peer(node.cluster.open(on: .loopback(port: 0)))
      let body = try Seri.encode([Value(command)])
      var requests: [UInt8] = []
      for session in 1...20 {
        RequestPacket.appendSmall(
          to: .name(try ClusterName("@teller")), session: UInt32(session), body: body, into: &requests)
      }
      peer.send(requests)
      let answers = await onThread { (1...20).map { _ in peer.readPacket() } }
      // An answer is its session, its type, and here one integer.
      let deadlines = try answers.map { try Seri.decode(one: Int64.self, from: Array($0.dropFirst(5))) }
      #expect(deadlines[0] > 0)
      for (before, next) in zip(deadlines, deadlines.dropFirst()) { #expect(before < next) }
    }
  }
}
