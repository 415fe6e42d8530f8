// EventLog: a handler that writes down what it hears.

import SkeinPlatform
import SkeinSocketIO
import Testing

enum Event: Equatable, Sendable {
  case connected
  /// Bytes that came in one piece or in several.
  case data(Int)
  case inputEnded
  case writable(Bool)
  case closed(CloseReason)
}

extension RawSpan {
  var array: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}

final class EventLog: ConnectionHandler {
  private struct State {
    var events: [Event] = []
    var bytes: [UInt8] = []
    var isClosed = false
  }

  private let state = Lock(State())
  private let keepsBytes: Bool
  private let noted: @Sendable () -> Void
  private let onData: @Sendable (Connection, RawSpan) -> Void

  init(
    keepsBytes: Bool = true, onData: @escaping @Sendable (Connection, RawSpan) -> Void = { _, _ in },
    noted: @escaping @Sendable () -> Void
  ) {
    self.keepsBytes = keepsBytes
    self.onData = onData
    self.noted = noted
  }

  var events: [Event] { state.withLock { $0.events } }
  /// Without the watermarks.
  var mainEvents: [Event] { events.filter { if case .writable = $0 { false } else { true } } }
  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var closeReason: CloseReason? {
    for case .closed(let reason) in events { return reason }
    return nil
  }

  private func note(_ event: Event) {
    state.withLock { state in
      if state.isClosed { Issue.record("\(event) after the end: \(state.events)") }
      if case .closed = event { state.isClosed = true }
      if case .data(let more) = event, case .data(let count)? = state.events.last {
        state.events[state.events.count - 1] = .data(count + more)
      } else {
        state.events.append(event)
      }
    }
    noted()
  }

  func connected(_ connection: Connection) { note(.connected) }
  func received(_ connection: Connection, _ bytes: RawSpan) {
    if keepsBytes {
      let copy = bytes.array
      state.withLock { $0.bytes += copy }
    }
    onData(connection, bytes)
    note(.data(bytes.byteCount))
  }
  func inputEnded(_ connection: Connection) { note(.inputEnded) }
  func writabilityChanged(_ connection: Connection, isWritable: Bool) { note(.writable(isWritable)) }
  func closed(_ connection: Connection, reason: CloseReason) { note(.closed(reason)) }
}

/// A listener's handler that keeps what it is given.
final class Acceptor: ListenerHandler {
  private let list = Lock<[Connection]>([])
  private let starved = Lock<(paused: Int, resumed: Int)>((0, 0))
  private let noted: @Sendable () -> Void
  private let onAccept: @Sendable (Connection) -> Bool

  /// - Parameter onAccept: says whether the acceptor keeps the connection.
  init(onAccept: @escaping @Sendable (Connection) -> Bool = { _ in true }, noted: @escaping @Sendable () -> Void) {
    self.onAccept = onAccept
    self.noted = noted
  }

  var connections: [Connection] { list.withLock { $0 } }
  var pauses: Int { starved.withLock { $0.paused } }
  var resumptions: Int { starved.withLock { $0.resumed } }

  func forget() { list.withLock { $0 = [] } }
  func accepted(_ connection: Connection) {
    if onAccept(connection) { list.withLock { $0.append(connection) } }
    noted()
  }
  func acceptPaused(_ error: SocketError, retryAfter: Duration) {
    starved.withLock { $0.paused += 1 }
    noted()
  }
  func acceptResumed() {
    starved.withLock { $0.resumed += 1 }
    noted()
  }
}
