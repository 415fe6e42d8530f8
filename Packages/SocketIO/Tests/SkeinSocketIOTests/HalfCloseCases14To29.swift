// Cases 14 to 29: abort, repeated calls, resets.

import Glibc
import SkeinPlatform
import SkeinSocketIO
import Testing

@Suite("Half close, cases 14-29") struct HalfCloseCases14To29 {
  private static func isFailure(_ reason: CloseReason?, _ numbers: Int32...) -> Bool {
    if case .failed(let error) = reason { numbers.contains(error.errorNumber) } else { false }
  }

  @Test(arguments: Setting.all)
  func `case 14: an abort of an idle connection sends FIN`(setting: Setting) throws {
    let session = try Session(setting)
    session.connection.abort()
    try session.wait(.closed(.aborted))
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.isEmpty && wire.end == .fin)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 15: an abort drops what is queued`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.abort()
    try session.waitUntilClosed()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.count < big.count && wire.bytes == Array(big[..<wire.bytes.count]))
    #expect(wire.end == .fin)
    #expect(session.log.mainEvents == [.closed(.aborted)])
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 16: an abort with unread input resets`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.send(pattern(100))
    session.connection.abort()
    try session.wait(.data(1), .closed(.aborted))
    #expect(try session.peerReadsAll().end == .reset)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 17: a close with unread input sends FIN and no reset`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.send(pattern(100))
    session.connection.close()
    try session.wait(.data(1), .closed(.closed))
    #expect(try session.peerReadsAll().end == .fin)
    session.peer.shutdownWrite()
    try session.bed.waitUntilEmpty()
    #expect(session.peer.pendingError == 0)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 18: a close with unread input and FIN sends all that is queued`(setting: Setting) throws {
    let session = try Session.paused(setting)
    session.peer.send(pattern(1_000))
    session.peer.shutdownWrite()
    #expect(session.connection.send(pattern(5)).isAccepted)
    session.connection.close()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == pattern(5) && wire.end == .fin)
    try session.bed.waitUntilEmpty()
    #expect(session.peer.pendingError == 0)
    try session.finish()
    #expect(session.log.mainEvents == [.data(1), .closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 19: the end is told once, however often it is asked for`(setting: Setting) throws {
    let session = try Session(setting)
    session.connection.close()
    session.connection.close()
    session.connection.abort()
    #expect(session.connection.send([1]) == .closed)
    try session.wait(.closed(.closed))
    #expect(try session.peerReadsAll().end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 20: a closing connection takes no more bytes`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    #expect(session.connection.send([1]) == .closed)
    #expect(session.connection.sendLow([1]) == .closed)
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 21: an abort ends a flush`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    session.connection.abort()
    // As in case 50.
    try session.bed.waitUntilEmpty()
    let wire = try session.peerReadsAll()
    #expect(wire.bytes.count < big.count && wire.end == .fin)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 22: who starts a closing connection is told that it is closed`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.connection.close()
    let second = EventLog(noted: session.bed.noted)
    session.connection.start(handler: second)
    try session.bed.wait(for: "the second handler") { second.events == [.closed(.closed)] }
    let wire = try session.peerReadsAll()
    #expect(wire.bytes == big)
    try session.finish()
    #expect(session.log.mainEvents == [.closed(.closed)])
  }

  @Test(arguments: Setting.all)
  func `case 23: a reset ends the connection`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.reset()
    try session.wait(.closed(.failed(SystemCallError(call: "recv", errorNumber: ECONNRESET))))
    #expect(session.connection.send([1]) == .closed)
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 24: what came before a reset is delivered before it`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.send(pattern(50))
    session.peer.reset()
    try session.waitUntilClosed()
    let end = Event.closed(.failed(SystemCallError(call: "recv", errorNumber: ECONNRESET)))
    // The reset may overtake the bytes.
    #expect(session.log.events == [.data(50), end] || session.log.events == [end])
    try session.finish()
  }

  @Test(arguments: Setting.all)
  func `case 25: a send to a peer that has closed ends in one error`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.close()
    try session.wait(.inputEnded)
    #expect(session.connection.send(pattern(10)).isAccepted)
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    #expect(session.connection.send(pattern(10)) == .closed)
    try session.finish()
    #expect(session.log.events.count == 2)
  }

  @Test(arguments: Setting.all)
  func `case 26: a reset while a half-closed connection sends frees it`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    session.peer.shutdownWrite()
    try session.wait(.inputEnded)
    #expect(session.connection.send(big).isAccepted)
    session.peer.reset()
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    try session.finish()
    #expect(session.log.mainEvents.count == 2)
  }

  @Test(arguments: Setting.all)
  func `case 27: a reset of an idle half-closed connection is noticed`(setting: Setting) throws {
    let session = try Session(setting)
    session.peer.shutdownWrite()
    try session.wait(.inputEnded)
    session.peer.reset()
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    try session.finish()
    #expect(session.log.events.count == 2)
  }

  @Test(arguments: Setting.all)
  func `case 28: a reset while we send ends the connection and the queue`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    session.peer.reset()
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    #expect(session.connection.send([1]) == .closed)
    try session.finish()
    #expect(session.log.mainEvents.count == 1)
  }

  @Test(arguments: Setting.all)
  func `case 29: a peer that closes with unread data while we send ends the connection`(setting: Setting) throws {
    let session = try Session(setting, receiveBuffer: 32_768)
    #expect(session.connection.send(big).isAccepted)
    _ = session.peer.read(1)
    session.peer.close()
    try session.waitUntilClosed()
    #expect(Self.isFailure(session.log.closeReason, EPIPE, ECONNRESET))
    try session.finish()
    #expect(session.log.mainEvents.filter { $0 != .inputEnded }.count == 1)
  }
}
