import Glibc
import SkeinSocketIOTesting
import Testing

@Suite("The simulated network beside the kernel") struct KernelComparisonTests {
  /// What a client and a server do, one step after the other has arrived.
  enum Step: String, Sendable {
    case clientSends, clientShutsDown, serverSends, serverShutsDown, serverCloses, serverAborts
  }

  static let scripts: [[Step]] = [
    [.serverCloses],
    [.serverSends, .serverCloses],
    [.clientSends, .serverCloses],
    [.serverSends, .serverAborts],
    [.serverAborts],
    [.clientSends, .serverShutsDown, .serverCloses],
    [.serverCloses, .clientSends],
    [.serverSends, .serverCloses, .clientSends],
    [.clientShutsDown, .serverCloses],
    [.clientShutsDown, .serverAborts],
    [.clientShutsDown, .serverShutsDown, .serverAborts],
    [.serverShutsDown, .serverAborts],
    [.serverShutsDown, .clientShutsDown, .serverAborts],
  ]

  @Test(arguments: scripts)
  func `a client is told the same by both`(script: [Step]) throws {
    // The simulated client reads when all is over, as the real one does.
    let play = Play()
    let (client, server) = try play.connect()
    for step in script {
      switch step {
      case .clientSends: play.network.send(pattern(3), on: client)
      case .clientShutsDown: play.network.shutdownWrite(client)
      case .serverSends: play.network.send(pattern(50), on: server)
      case .serverShutsDown: play.network.shutdownWrite(server)
      case .serverCloses: play.network.close(server)
      case .serverAborts: play.network.abort(server)
      }
      // A server that reads nothing: what arrives for it stays unread.
      play.network.pauseReading(server)
      play.run()
    }
    #expect(try play.story(of: client).dropFirst() == kernelStory(of: script)[...])
  }

  private func kernelStory(of script: [Step]) throws -> [String] {
    var pair = try KernelPair()
    var arrived = true
    for step in script {
      switch step {
      case .clientSends:
        pair.send(3, from: pair.client)
        if !script.prefix(while: { $0 != .clientSends }).contains(.serverCloses) {
          arrived = pair.wait(for: POLLIN, on: pair.server) && arrived
        } else {
          // The answer is RST.
          arrived = pair.wait(for: 0, on: pair.client) && arrived
        }
      case .clientShutsDown:
        shutdown(pair.client, Int32(SHUT_WR))
        arrived = pair.wait(for: pollPeerEnded, on: pair.server) && arrived
      case .serverSends:
        pair.send(50, from: pair.server)
        arrived = pair.wait(for: POLLIN, on: pair.client) && arrived
      case .serverShutsDown:
        shutdown(pair.server, Int32(SHUT_WR))
        arrived = pair.wait(for: pollPeerEnded, on: pair.client) && arrived
      case .serverCloses, .serverAborts:
        pair.closeServer(aborting: step == .serverAborts)
        // After the server's FIN only RST is news.
        let isReset = script.contains(.serverShutsDown)
        arrived = pair.wait(for: isReset ? 0 : pollPeerEnded, on: pair.client) && arrived
      }
    }
    #expect(arrived)
    return pair.story()
  }
}
