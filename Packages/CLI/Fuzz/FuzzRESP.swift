// FuzzRESP: libFuzzer's entry point for the RESP parser and everything behind it.
//
// The first two bytes of an input choose how the rest is cut and what the client is; the rest is what it sends.
// Checked for each input:
//   - the parser finds the same requests and the same error whether the stream comes whole or in pieces;
//   - no limit is exceeded, every argument lies within the bytes, and memory follows what has arrived;
//   - a connection over three shards answers each request once and in one piece, and nothing traps.
// Built together with the sources of SkeinRESP by run.sh.

/// Small limits, so that the fuzzer meets them.
private let limits = RESPLimits(bulkBytes: 200, arguments: 20, lineBytes: 64, requestBytes: 300)

private struct Outcome: Equatable {
  var requests: [[[UInt8]]] = []
  var error: RESPProtocolError?
}

private func parse(_ stream: ArraySlice<UInt8>, pieceBytes: Int, authenticated: Bool) -> Outcome {
  var parser = RESPParser(limits: limits)
  var outcome = Outcome()
  var rest = stream
  while !rest.isEmpty {
    let piece = rest.prefix(pieceBytes)
    rest = rest.dropFirst(pieceBytes)
    parser.append(piece.span)
    let most = limits.requestBytes + 24 * limits.arguments + 2 * limits.lineBytes + pieceBytes
    precondition(parser.unfinishedBytes <= most)
    do throws(RESPProtocolError) {
      while let request = try parser.next(authenticated: authenticated) {
        precondition(request.argumentCount >= 1 && request.argumentCount <= max(limits.arguments, limits.lineBytes))
        let range = request.firstArgument..<request.firstArgument + request.argumentCount
        let words = parser.arguments[range].map { Array(parser.bytes[$0.range]) }
        precondition(words.reduce(0) { $0 + $1.count } <= limits.requestBytes)
        outcome.requests.append(words)
      }
    } catch {
      precondition(outcome.error == nil || outcome.error == error)
      outcome.error = error
    }
    parser.forgetRequests()
  }
  return outcome
}

/// Sends the stream through a whole connection and returns its answers.
private func converse(_ stream: ArraySlice<UInt8>, pieceBytes: Int, _ router: CommandRouter) -> [UInt8] {
  var core = ClientCore(id: 1, router: router)
  var first = Keyspace(maxMemoryBytes: 4_000)
  var second = Keyspace(maxMemoryBytes: 4_000)
  var third = Keyspace(maxMemoryBytes: 4_000)
  var output: [UInt8] = []
  var rest = stream
  while !rest.isEmpty {
    let piece = rest.prefix(pieceBytes)
    core.receive(piece.span)
    rest = rest.dropFirst(pieceBytes)
    while true {
      let batches = core.nextRound { ServerFacts() }
      var isCutShort = false
      for batch in batches {
        if isCutShort {
          core.complete(batch, with: ShardReply())
          continue
        }
        let reply =
          switch batch.shard {
          case 0: first.execute(batch, now: 1_000)
          case 1: second.execute(batch, now: 1_000)
          default: third.execute(batch, now: 1_000)
          }
        precondition(reply.executed > 0 || !batch.answersFirst, "the oldest request is always answered")
        isCutShort = batch.start + reply.executed < batch.end
        core.complete(batch, with: reply)
      }
      let answers = core.takeOutput()
      core.acknowledge(answers.count)
      output += answers
      if batches.isEmpty && answers.isEmpty { break }
    }
    precondition(core.isIdle, "everything complete is answered")
    precondition(core.isClosing || core.wantsInput, "an idle connection reads")
  }
  for used in [first.usedBytes, second.usedBytes, third.usedBytes] { precondition(used >= 0 && used <= 4_000) }
  return output
}

private let routers = [nil, Array("pw".utf8)].map { password in
  var configuration = ServerConfiguration()
  configuration.shardCount = 3
  configuration.limits = limits
  configuration.password = password
  configuration.replyLimitBytes = 300
  return CommandRouter(configuration: configuration)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  guard input.count > 2 else { return 0 }
  let stream = input[2...]
  let authenticated = input[0] & 1 == 0
  let pieceBytes = 1 + Int(input[1] % 37)
  let whole = parse(stream, pieceBytes: stream.count, authenticated: authenticated)
  precondition(whole == parse(stream, pieceBytes: pieceBytes, authenticated: authenticated), "a cut changed a request")
  let router = routers[Int(input[0] & 1)]
  let answers = converse(stream, pieceBytes: stream.count, router)
  precondition(answers == converse(stream, pieceBytes: pieceBytes, router), "a cut changed an answer")
  return 0
}
