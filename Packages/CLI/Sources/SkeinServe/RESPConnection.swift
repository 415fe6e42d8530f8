// RESPConnection: the service of one client: bytes from its socket, rounds of commands on the shards, answers back.
//
// A round runs with all its shards held together, so that nobody sees a later command of a client before an earlier
// one, on whichever shards the two are. Where a shard cannot be had within some microseconds the round's batches are
// called one after the other instead: slower, with the same order.

internal import Skein
internal import SkeinPlatform
internal import SkeinRESP
internal import SkeinSocketIO

actor RESPConnection: SocketService {
  nonisolated let context: SkeinContext
  nonisolated let socket: ServiceSocket
  private let server: RESPServer
  private let isRefused: Bool
  private var core: ClientCore
  /// Whether a round is on its way by calls: nothing else runs until it is back.
  private var awaitsShards = false
  /// Whether a message to go on is on its way.
  private var goesOn = false
  private var bytesWritten = 0
  private var bytesAcknowledged = 0
  private var requestsCounted = 0

  init(_ context: SkeinContext, _ socket: ServiceSocket, _ server: RESPServer, isRefused: Bool) {
    self.context = context
    self.socket = socket
    self.server = server
    self.isRefused = isRefused
    core = ClientCore(id: Int64(context.id), router: server.router)
  }

  deinit { server.figures.clientLeft() }

  private static let proceed = Command("PROCEED") { (connection: isolated RESPConnection) in
    connection.goesOn = false
    connection.pump()
  }
  private static let runRound = Command("ROUND") {
    (connection: isolated RESPConnection, batches: [ShardBatch]) async in await connection.callShards(batches)
  }

  func socketChanged() {
    if socket.closeReason != nil { return }
    if isRefused {
      socket.write(ServerConfiguration.tooManyClientsReply)
      return socket.close()
    }
    pump()
  }

  // MARK: - Rounds

  /// Longest time for which one client's rounds run before others have their turn.
  private static let turn = Duration.microseconds(200)

  /// Runs rounds until there is nothing to do, or the shards are awaited, or others should have their turn.
  private func pump() {
    if awaitsShards || goesOn || socket.closeReason != nil { return }
    let end = MonotonicInstant.now.advanced(by: RESPConnection.turn)
    repeat {
      acknowledge()
      if core.wantsInput { core.receive(socket.read().span) }
      let batches = core.nextRound { server.facts }
      if !batches.isEmpty && !runHeld(batches) {
        awaitsShards = true
        server.figures.roundCalled()
        _ = reference.send(RESPConnection.runRound, batches)
        return
      }
      let output = core.takeOutput()
      if !output.isEmpty { write(output) }
      if batches.isEmpty && output.isEmpty && !(core.wantsInput && socket.hasUnread) {
        // Too much is unread, but the socket has not told of a full queue, and where the kernel takes all in time it
        // never will: look again soon. Once it has told, it will tell of the end, too.
        if core.waitsForReader && socket.isWritable { break }
        return endIfDone()
      }
    } while MonotonicInstant.now < end
    goesOn = true
    _ = reference.send(RESPConnection.proceed)
  }

  private func write(_ output: [UInt8]) {
    server.figures.executed(core.requestCount - requestsCounted)
    requestsCounted = core.requestCount
    bytesWritten += output.count
    // Refused only when the connection is over, of which we are told. The core keeps below the queue's limit.
    socket.write(output)
  }

  /// Tells the core what the kernel has taken.
  private func acknowledge() {
    let taken = bytesWritten - socket.queuedBytes - bytesAcknowledged
    guard taken > 0 else { return }
    bytesAcknowledged += taken
    core.acknowledge(taken)
  }

  private func endIfDone() {
    let isDone = core.isIdle && !socket.hasUnread && (socket.inputEnded || socket.isDraining)
    if isDone || core.isFinished { socket.close() }
  }

  // MARK: - Shards

  /// Tries to hold a shard in the time in which another connection's round usually ends.
  private static let triesPerHold = 200

  /// Runs a round with all its shards held.
  ///
  /// - Returns: `false` when one of them could not be had; nothing was executed then.
  private func runHeld(_ batches: [ShardBatch]) -> Bool {
    // Other nodes' keys cannot be held.
    if batches.contains(where: { $0.shard >= server.shards.count }) { return false }
    if batches.count == 1 {
      guard let hold = hold(batches[0].shard) else { return false }
      complete(batches[0], with: perform(batches[0], on: hold))
      return true
    }
    var holds = [ServiceHold<Shard>?](repeating: nil, count: server.shards.count)
    // In the order of the shards, as everybody does: no two rounds wait for each other.
    for shard in Set(batches.map(\.shard)).sorted() {
      guard let hold = hold(shard) else { return false }
      holds[shard] = hold
    }
    var isCutShort = false
    for batch in batches {
      guard !isCutShort, let hold = holds[batch.shard] else {
        complete(batch, with: ShardReply())
        continue
      }
      let reply = perform(batch, on: hold)
      if batch.start + reply.executed < batch.end { isCutShort = true }
      complete(batch, with: reply)
    }
    return true
  }

  private func hold(_ shard: Int) -> ServiceHold<Shard>? {
    for _ in 0..<RESPConnection.triesPerHold {
      if let hold = server.shards[shard].tryHold() { return hold }
      PlatformThread.relax()
    }
    return nil
  }

  private func perform(_ batch: ShardBatch, on hold: ServiceHold<Shard>) -> ShardReply {
    do { return try hold.perform(Shard.execute, arguments: batch) } catch {
      preconditionFailure("executing a batch throws nothing: \(error)")
    }
  }

  private func complete(_ batch: ShardBatch, with reply: ShardReply) { core.complete(batch, with: reply) }

  /// Runs a round by calls, one batch after the other.
  private func callShards(_ batches: [ShardBatch]) async {
    await server.complete(batches) { batch, result in core.complete(batch, result) }
    awaitsShards = false
    pump()
  }
}
