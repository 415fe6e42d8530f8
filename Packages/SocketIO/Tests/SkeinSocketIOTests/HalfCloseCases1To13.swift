// Cases 1 to 13 of the contract on half-closed connections: input, half close, graceful close.

import SkeinPlatform
import SkeinSocketIO
import Testing

@Suite("Half close, cases 1-13") struct HalfCloseCases1To13 {
  @Test(arguments: Setting.all)
  func `case 1: bytes of the peer are delivered`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.send(pattern(10))
    try session.wait(.data(10))
    #expect(session.log.bytes == pattern(10))
    session.connection.abort()
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 2: the peer's close ends the input and leaves the connection to us`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.close()
    try session.wait(.inputEnded)
    #expect(session.connection.closeReason == nil)
    session.connection.close()
    try session.wait(.inputEnded, .closed(.closed))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 3: after the peer's FIN we still send`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.shutdownWrite()
    try session.wait(.inputEnded)
    #expect(session.connection.send([1, 2, 3, 4, 5]).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == [1, 2, 3, 4, 5])
    #expect(wire.end == .fin)
    try session.wait(.inputEnded, .closed(.closed))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 4: a request with FIN gets its answer`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.send(pattern(10))
    session.peer.shutdownWrite()
    try session.wait(.data(10), .inputEnded)
    #expect(session.connection.send(pattern(1_000)).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(1_000))
    #expect(wire.end == .fin)
    try session.wait(.data(10), .inputEnded, .closed(.closed))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 5: a request with FIN gets its whole answer of 8 MiB`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    session.peer.send(pattern(10))
    session.peer.shutdownWrite()
    try session.wait(.data(10), .inputEnded)
    #expect(session.connection.send(big).isAccepted)
    try session.bed.wait(for: "the watermark") { session.log.events.contains(.writable(false)) }
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    #expect(wire.end == .fin)
    try session.wait(.data(10), .inputEnded, .closed(.closed))
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 6: close sends FIN`(setting: Setting) throws {
    let session = try Session(setting)
    session.connection.close()
    try session.wait(.closed(.closed))
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.isEmpty && wire.end == .fin)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 7: close after a big send loses nothing`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    try session.waitUntilClosed()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    #expect(wire.end == .fin)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 8: input that crosses a flush costs none of the answer`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    session.peer.send(pattern(100))
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    #expect(wire.end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 9: input after the close costs none of an answer that the kernel has`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(pattern(1_000_000)).isAccepted)
    session.connection.close()
    session.peer.send(pattern(14))
    let wire = try session.peerReadsAll(pieceSize: 4_096)
    #expect(wire.bytes == pattern(1_000_000))
    #expect(wire.end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 10: the peer's FIN while we flush changes nothing`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    session.peer.shutdownWrite()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    #expect(wire.end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 11: a peer that closes with unread data frees the descriptor`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    _ = session.peer.read(1)
    session.peer.close()
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 12: a reset while we flush frees the descriptor`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    session.peer.reset()
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 13: a peer that does not read is reset at the flush limit`(setting: Setting) throws {
    var limits = SocketLimits()
    limits.flushLimit = .milliseconds(50)
    let session = try Session(setting, limits: limits, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    try session.waitUntilClosed()
    try session.bed.waitUntilEmpty()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.count < big.count)
    #expect(wire.end == .reset)
    #expect(session.log.mainEvents == [.closed(.closed)])
    try session.finish()
  }
}
