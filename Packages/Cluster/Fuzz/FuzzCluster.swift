// FuzzCluster: libFuzzer's entry point for what a peer may send: requests to an acceptor, answers to a link.
//
// The first two bytes of an input choose the side, how the rest is cut, and who answers when; the rest is what the peer
// sends. Checked for each input:
//   - the machine does the same whether the stream comes whole or in pieces;
//   - each call ends at most once, each delivered request is answered at most once, a push never;
//   - limits hold: calls in work, bytes kept, open large messages; and nothing traps.
// Built together with the sources of SkeinCluster and SkeinPlatform's clock by run.sh.

import SkeinPlatform

private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

private func lend<Result>(_ bytes: [UInt8], _ body: (RawSpan) -> Result) -> Result { unsafe body(bytes.span.bytes) }

private func pieces(_ stream: ArraySlice<UInt8>, _ size: Int) -> [[UInt8]] {
  stride(from: stream.startIndex, to: stream.endIndex, by: size).map {
    Array(stream[$0..<min($0 + size, stream.endIndex)])
  }
}

/// Small limits, so that the fuzzer meets them.
private var large: LargeLimits {
  var limits = LargeLimits()
  limits.open = 6
  limits.messageBytes = 120
  limits.openBytes = 300
  return limits
}

// MARK: Requests

private struct Inbound: Equatable {
  var delivered: [ClusterRequest] = []
  var output: [UInt8] = []
  var end: AcceptorAction?
}

private func accept(_ stream: ArraySlice<UInt8>, pieceBytes: Int) -> Inbound {
  var configuration = AcceptorConfiguration()
  configuration.requests = large
  configuration.maxRequestsInWork = 3
  configuration.maxUnreadAnswerBytes = 200
  configuration.maxBacklogBytes = 1 << 20
  var acceptor = AcceptorMachine(configuration: configuration)
  var result = Inbound()
  var work: [ClusterRequest] = []

  func carryOut() {
    while true {
      let actions = acceptor.takeActions()
      if actions.isEmpty { return }
      for action in actions {
        switch action {
        case .deliver(let request):
          precondition(result.end == nil, "delivered after the end")
          result.delivered.append(request)
          if request.kind != .push { work.append(request) }
          acceptor.handedOver(now: start)
          precondition(acceptor.requestsInWork <= 3)
        case .write:
          result.output += acceptor.takeOutput()
          acceptor.sentBytes(acceptor.writer.takenBytes, now: start)
        case .close, .abort:
          precondition(result.end == nil, "ended twice")
          result.end = action
        case .pauseReading, .resumeReading, .arm, .disarm, .log: break
        }
      }
    }
  }

  for piece in pieces(stream, pieceBytes) {
    lend(piece) { acceptor.received($0, now: start) }
    carryOut()
    // Everything that is in work is answered before more arrives, so that the cut makes no difference to the order.
    while !work.isEmpty {
      let request = work.removeFirst()
      if request.id % 3 == 0 {
        acceptor.fail(request.id, text: "no", now: start)
      } else {
        acceptor.answer(request.id, body: request.body, now: start)
      }
      acceptor.answer(request.id, body: [], now: start)
      carryOut()
    }
  }
  acceptor.inputEnded(now: start)
  carryOut()
  precondition(result.end != nil, "an idle connection closes after the peer's FIN")
  return result
}

/// The answers in `output`, in the order of their sessions' first packets.
private func checkAnswers(_ result: Inbound) {
  var reader = FrameReader()
  var ends = 0
  lend(result.output) { bytes in
    reader.read(bytes) { packet in
      do throws(ClusterWireError) {
        switch try AnswerPacket(decoding: packet) {
        case .error, .small, .part(_, isLast: true, _): ends += 1
        case .begin, .part: break
        }
      } catch {
        preconditionFailure("an answer of ours is wrong: \(error)")
      }
    }
  }
  precondition(reader.unfinishedBytes == 0, "an answer is torn")
}

// MARK: Answers

private struct Outbound: Equatable {
  var results: [UInt64: Result<[UInt8], ClusterError>] = [:]
  var hasEnded = false
}

private func answer(_ stream: ArraySlice<UInt8>, pieceBytes: Int) -> Outbound {
  var configuration = LinkConfiguration()
  configuration.answers = large
  configuration.maxPendingCalls = 5
  var link = LinkMachine(peer: "p", directory: .address("a"), configuration: configuration, seed: 1)
  var outcome = Outbound()

  func carryOut() {
    while true {
      let actions = link.takeActions()
      if actions.isEmpty { return }
      for action in actions {
        switch action {
        case .complete(let id, let result):
          precondition(outcome.results.updateValue(result, forKey: id) == nil, "a call ended twice")
        case .checkConnection(let attempt): link.checked(attempt, peerHasEnded: false, now: start)
        case .write(let attempt):
          _ = link.takeOutput()
          link.sentBytes(attempt, link.writer.takenBytes)
        case .close, .abort: outcome.hasEnded = true
        case .connect, .checkProgress, .arm, .disarm, .stateChanged, .log: break
        }
      }
    }
  }

  link.dial(now: start)
  link.connected(1, now: start)
  for id in 1...6 as ClosedRange<UInt64> { link.call(id, to: .number(1_024), body: [1], deadline: nil, now: start) }
  carryOut()
  // One caller has gone: its session is reserved, and its answer ignored.
  link.cancel(2, now: start)
  for piece in pieces(stream, pieceBytes) {
    lend(piece) { link.received(1, $0, now: start) }
    carryOut()
    precondition(link.joiner.openCount <= 6 && link.reader.unfinishedBytes <= 65_537)
  }
  link.shutDown(now: start)
  carryOut()
  precondition(outcome.results.count == 6, "a call did not end")
  return outcome
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard input.count > 2 else { return 0 }
  let stream = input[2...]
  let pieceBytes = 1 + Int(input[1] % 37)
  if input[0] & 1 == 0 {
    let whole = accept(stream, pieceBytes: stream.count)
    let cut = accept(stream, pieceBytes: pieceBytes)
    precondition(whole.delivered == cut.delivered && whole.end == cut.end, "a cut changed a request")
    checkAnswers(whole)
    checkAnswers(cut)
  } else {
    precondition(
      answer(stream, pieceBytes: stream.count) == answer(stream, pieceBytes: pieceBytes), "a cut changed an answer")
  }
  return 0
}
