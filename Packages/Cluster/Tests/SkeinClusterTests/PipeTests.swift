// A link and an acceptor over a pipe of bytes, cut anywhere.

import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("A link and an acceptor") struct PipeTests {
  @Test(arguments: 0..<(isPureSoak ? 2_000 : 60))
  func `requests and answers of any size get through a pipe that cuts anywhere`(seed: Int) {
    var random = SplitMix64(state: UInt64(seed))
    var configuration = LinkConfiguration()
    configuration.window = [1_000, 40_000, 1 << 20][seed % 3]
    configuration.keepsOrder = seed % 2 == 0
    var link = LinkMachine(peer: "p", directory: .address("h:1"), configuration: configuration, seed: 1)
    var limits = AcceptorConfiguration()
    limits.maxRequestsInWork = 1 + seed % 7
    limits.maxUnreadAnswerBytes = 1 + 20_000 * (seed % 3)
    limits.window = configuration.window
    var acceptor = AcceptorMachine(configuration: limits)
    link.dial(now: start)
    link.connected(1, now: start)
    var there: [UInt8] = []
    var back: [UInt8] = []
    var isPaused = false
    var work: [ClusterRequest] = []
    var sent: [UInt64: [UInt8]] = [:]
    var pushes: [[UInt8]] = []
    var arrivedPushes: [[UInt8]] = []
    var arrivedCalls: [[UInt8]] = []
    var done: [UInt64: [UInt8]] = [:]

    func carryOut() {
      while true {
        let actions = link.takeActions()
        let inbound = acceptor.takeActions()
        if actions.isEmpty && inbound.isEmpty { return }
        for action in actions {
          switch action {
          case .checkConnection: link.checked(1, peerHasEnded: false, now: start)
          case .write:
            there += link.takeOutput()
            link.queuedBytes(1, there.count)
          case .complete(let id, let result):
            #expect(done[id] == nil)
            done[id] = (try? result.get()) ?? [0xEE]
          default: break
          }
        }
        for action in inbound {
          switch action {
          case .deliver(let request):
            if request.kind == .push { arrivedPushes.append(request.body) } else { arrivedCalls.append(request.body) }
            if request.kind == .call { work.append(request) }
            acceptor.handedOver(now: start)
          case .write:
            back += acceptor.takeOutput()
            acceptor.queuedBytes(back.count, now: start)
          case .pauseReading: isPaused = true
          case .resumeReading: isPaused = false
          case .close, .abort: Issue.record("the acceptor ended")
          default: break
          }
        }
      }
    }

    func cut(_ bytes: inout [UInt8]) -> [UInt8] {
      let most = [1, 7, 2_000, 100_000][Int.random(in: 0..<4, using: &random)]
      let piece = Array(bytes.prefix(Int.random(in: 1...most, using: &random)))
      bytes.removeFirst(piece.count)
      return piece
    }

    for id in 1...40 as ClosedRange<UInt64> {
      let size = [0, 1, 300, 32_767, 32_768, 32_769, 100_000][Int.random(in: 0..<7, using: &random)]
      let body = [UInt8(id)] + [UInt8](repeating: UInt8(id), count: size)
      if id % 4 == 0 {
        #expect(link.send(to: .number(1_024), body: body, now: start) == .queued)
        pushes.append(body)
      } else {
        link.call(id, to: .number(1_024), body: body, deadline: nil, now: start)
        sent[id] = body
      }
    }
    carryOut()
    var steps = 0
    while done.count < sent.count || arrivedPushes.count < pushes.count {
      steps += 1
      if steps > 2_000_000 { break }
      switch Int.random(in: 0..<3, using: &random) {
      case 0 where !there.isEmpty && !isPaused:
        cut(&there).withRawSpan { acceptor.received($0, now: start) }
        link.queuedBytes(1, there.count)
      case 1 where !back.isEmpty:
        cut(&back).withRawSpan { link.received(1, $0, now: start) }
        acceptor.queuedBytes(back.count, now: start)
      case 2 where !work.isEmpty:
        let request = work.remove(at: Int.random(in: work.indices, using: &random))
        acceptor.answer(request.id, body: request.body, now: start)
      default: break
      }
      carryOut()
      #expect(acceptor.requestsInWork <= limits.maxRequestsInWork)
    }
    for (id, body) in sent where done[id] != body { Issue.record("call \(id) has a wrong answer") }
    if configuration.keepsOrder {
      #expect(areEqual(arrivedPushes, pushes))
      #expect(areEqual(arrivedCalls, sent.sorted { $0.key < $1.key }.map(\.value)))
    } else {
      let isLarge: ([UInt8]) -> Bool = { $0.count >= 32_768 }
      #expect(areEqual(arrivedPushes.filter { !isLarge($0) }, pushes.filter { !isLarge($0) }))
      #expect(areEqual(arrivedPushes.filter(isLarge), pushes.filter(isLarge)))
    }
  }
}
