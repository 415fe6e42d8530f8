// An acceptor whose requests, answers, kernel and peer come in any order.

import SkeinPlatform
import Testing

@testable import SkeinCluster

@Suite("AcceptorMachine under chaos") struct AcceptorChaosTests {
  private static let seeds = isPureSoak ? 20_000 : 300

  private struct World {
    var acceptor: AcceptorMachine
    let limits: AcceptorConfiguration
    var random: SplitMix64
    var stream: [UInt8]
    var output: [UInt8] = []
    /// Bytes of `output` that the kernel does not have.
    var held = 0
    var isPaused = false
    var hasEnded = false
    var sentFIN = false
    var work: [ClusterRequest] = []
    var calls = 0
    var pushes = 0
    var problems: [String] = []

    mutating func perform() {
      while true {
        let actions = acceptor.takeActions()
        if actions.isEmpty { return }
        for action in actions {
          if hasEnded { problems.append("\(action) after the end") }
          switch action {
          case .deliver(let request):
            if request.kind == .push {
              pushes += 1
            } else {
              calls += 1
              work.append(request)
            }
            acceptor.handedOver(now: start)
            if acceptor.requestsInWork > limits.maxRequestsInWork { problems.append("too many calls in work") }
          case .write:
            let taken = acceptor.takeOutput()
            if held + taken.count > limits.window + 40_000 { problems.append("more than the window was handed out") }
            output += taken
            held += taken.count
            acceptor.queuedBytes(held, now: start)
          case .pauseReading:
            if isPaused { problems.append("paused twice") }
            isPaused = true
          case .resumeReading:
            if !isPaused { problems.append("resumed twice") }
            isPaused = false
          case .close: hasEnded = true
          case .abort(let reason):
            hasEnded = true
            problems.append("aborted: \(reason)")
          case .arm, .disarm, .log: break
          }
        }
      }
    }

    mutating func step() {
      switch Int.random(in: 0..<8, using: &random) {
      case 0...2:
        guard !isPaused, !stream.isEmpty else { break }
        let piece = Array(stream.prefix(Int.random(in: 1...3_000, using: &random)))
        stream.removeFirst(piece.count)
        piece.withRawSpan { acceptor.received($0, now: start) }
      case 3, 4:
        guard !work.isEmpty else { break }
        let request = work.remove(at: Int.random(in: work.indices, using: &random))
        let size = [0, 10, 1_000, 33_000][Int.random(in: 0..<4, using: &random)]
        if Bool.random(using: &random) {
          acceptor.answer(request.id, body: [UInt8](repeating: 1, count: size), now: start)
        } else {
          acceptor.fail(request.id, text: "no", now: start)
        }
        // A second answer to the same request is nothing.
        acceptor.answer(request.id, body: [], now: start)
      case 5, 6:
        held -= Int.random(in: 0...held, using: &random)
        acceptor.queuedBytes(held, now: start)
      default:
        // The FIN comes behind everything, so never while reading is paused.
        guard stream.isEmpty, !isPaused, !sentFIN else { break }
        sentFIN = true
        acceptor.inputEnded(now: start)
      }
      perform()
    }
  }

  @Test func `every call is answered once before the connection closes, within the limits`() throws {
    for seed in 0..<Self.seeds {
      var random = SplitMix64(state: UInt64(seed))
      var limits = AcceptorConfiguration()
      limits.maxRequestsInWork = Int.random(in: 1...5, using: &random)
      limits.maxUnreadAnswerBytes = [100, 2_000, 50_000][seed % 3]
      limits.window = [50, 5_000, 1 << 20][seed % 3]
      var stream: [UInt8] = []
      var calls = 0
      var pushes = 0
      for number in 1...30 {
        let isPush = Int.random(in: 0..<4, using: &random) == 0
        if isPush { pushes += 1 } else { calls += 1 }
        if Int.random(in: 0..<10, using: &random) == 0 {
          RequestPacket.appendBegin(
            to: .number(9), session: UInt32(number), isPush: isPush, total: 600, into: &stream)
          for part in 0..<3 {
            RequestPacket.appendPart(
              session: UInt32(number), isLast: part == 2, bytes: [UInt8](repeating: 2, count: 200)[...], into: &stream)
          }
        } else {
          RequestPacket.appendSmall(
            to: .number(9), session: isPush ? 0 : UInt32(number), body: [UInt8](repeating: 3, count: number * 7),
            into: &stream)
        }
      }
      var world = World(
        acceptor: AcceptorMachine(configuration: limits), limits: limits, random: random, stream: stream)
      var steps = 0
      while !world.hasEnded && steps < 20_000 {
        world.step()
        steps += 1
      }
      var problems = world.problems
      if !world.hasEnded { problems.append("the connection did not close") }
      if world.calls != calls || world.pushes != pushes { problems.append("requests were lost or doubled") }
      let sessions = try answers(in: packets(of: world.output)).map(\.session)
      if sessions.count != calls || Set(sessions).count != calls { problems.append("answers were lost or doubled") }
      if !problems.isEmpty { Issue.record("seed \(seed): \(problems)") }
    }
  }
}
