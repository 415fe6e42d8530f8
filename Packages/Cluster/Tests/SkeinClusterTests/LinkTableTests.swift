// Every event in every state of a link, and the state that it leads to.

import Glibc
import SkeinPlatform
import Testing

@testable import SkeinCluster

private let failure = SystemCallError(call: "connect", errorNumber: ECONNREFUSED)

private let states = ["unknown", "idle", "connecting", "up", "closing", "backing off", "down", "shut down"]

/// A link in a state, without a request; the attempt that is there, or was, is number 1.
private func link(in state: String) -> LinkMachine {
  let directory: LinkMachine.Directory = state == "unknown" ? .unknown : state == "down" ? .down : .address("h:1")
  var link = LinkMachine(peer: "p", directory: directory, seed: 1)
  switch state {
  case "connecting": link.dial(now: start)
  case "up", "closing":
    link.dial(now: start)
    link.connected(1, now: start)
    if state == "closing" { link.inputEnded(1, now: start) }
  case "backing off":
    link.call(1, to: .number(1), body: [], deadline: nil, now: start)
    link.connectFailed(1, failure, now: start)
  case "shut down": link.shutDown(now: start)
  default: break
  }
  _ = link.takeActions()
  return link
}

private func name(_ state: LinkState) -> String {
  if case .backingOff = state { "backing off" } else { state.description }
}

private typealias Event = @Sendable (inout LinkMachine) -> Void

private let malformed: [UInt8] = [0, 1, 0]

/// An event, and the states it leads to from those of `states`; "=" for the same.
private let table: [(String, Event, [String])] = [
  (
    "call", { $0.call(9, to: .number(1), body: [], deadline: nil, now: start) },
    ["=", "connecting", "=", "=", "=", "=", "=", "="]
  ),
  (
    "call that waits",
    { $0.call(9, to: .number(1), body: [], deadline: nil, waitsForConnection: true, now: start) },
    ["=", "connecting", "=", "=", "=", "=", "=", "="]
  ),
  (
    "send", { _ = $0.send(to: .number(1), body: [], now: start) },
    ["=", "connecting", "=", "=", "=", "=", "=", "="]
  ),
  ("cancel", { $0.cancel(9, now: start) }, ["=", "=", "=", "=", "=", "=", "=", "="]),
  ("dial", { $0.dial(now: start) }, ["=", "connecting", "=", "=", "=", "=", "=", "="]),
  (
    "the same address", { $0.setAddress("h:1", now: start) },
    ["idle", "=", "=", "=", "=", "=", "idle", "="]
  ),
  (
    "another address", { $0.setAddress("h:2", now: start) },
    ["idle", "=", "closing", "closing", "=", "idle", "idle", "="]
  ),
  ("down", { $0.setDown(now: start) }, ["down", "down", "closing", "closing", "=", "down", "=", "="]),
  ("disconnect", { $0.disconnect(reason: "r", now: start) }, ["=", "=", "closing", "closing", "=", "=", "=", "="]),
  ("hello", { $0.peerSaidHello(now: start) }, ["=", "=", "=", "=", "=", "idle", "=", "="]),
  (
    "shut down", { $0.shutDown(now: start) },
    ["shut down", "shut down", "shut down", "shut down", "shut down", "shut down", "shut down", "="]
  ),
  ("connected", { $0.connected(1, now: start) }, ["=", "=", "up", "=", "=", "=", "=", "="]),
  (
    "connect failed", { $0.connectFailed(1, failure, now: start) },
    ["=", "=", "backing off", "=", "idle", "=", "=", "="]
  ),
  ("checked alive", { $0.checked(1, peerHasEnded: false, now: start) }, ["=", "=", "=", "=", "=", "=", "=", "="]),
  ("checked ended", { $0.checked(1, peerHasEnded: true, now: start) }, ["=", "=", "=", "=", "=", "=", "=", "="]),
  ("FIN", { $0.inputEnded(1, now: start) }, ["=", "=", "=", "closing", "=", "=", "=", "="]),
  ("failed", { $0.failed(1, failure, now: start) }, ["=", "=", "=", "closing", "=", "=", "=", "="]),
  ("closed", { $0.connectionClosed(1, now: start) }, ["=", "=", "backing off", "idle", "idle", "=", "=", "="]),
  (
    "rubbish", { link in malformed.withRawSpan { link.received(1, $0, now: start) } },
    ["=", "=", "=", "closing", "=", "=", "=", "="]
  ),
  ("queued bytes", { $0.queuedBytes(1, 0) }, ["=", "=", "=", "=", "=", "=", "=", "="]),
  ("timer too early", { $0.timerFired(now: start) }, ["=", "=", "=", "=", "=", "=", "=", "="]),
  ("timer late", { $0.timerFired(now: at(100)) }, ["=", "=", "closing", "=", "=", "idle", "=", "="]),
]

@Suite("LinkMachine's table") struct LinkTableTests {
  @Test func `every state can be reached`() {
    #expect(states.map { name(link(in: $0).state) } == states)
  }

  @Test func `every event leads from every state to the one in the table`() {
    for (event, body, ends) in table {
      for (state, end) in zip(states, ends) {
        var link = link(in: state)
        body(&link)
        #expect(name(link.state) == (end == "=" ? state : end), "\(event) in \(state)")
      }
    }
  }

  @Test func `a connection is asked for only on the way into connecting, and closed only on the way out`() {
    for (event, body, _) in table {
      for state in states {
        var link = link(in: state)
        let before = link.state
        body(&link)
        let after = link.state
        let actions = link.takeActions()
        let connects = actions.filter { if case .connect = $0 { true } else { false } }.count
        let ends = actions.filter {
          switch $0 {
          case .close, .abort: true
          default: false
          }
        }.count
        #expect(connects == (before != after && after == .connecting ? 1 : 0), "\(event) in \(state)")
        // A link that is closing already is told to hurry when its time is over, or when the node shuts down.
        let mayEnd = name(before) == "up" || before == .connecting || before == .closing
        #expect(ends <= (mayEnd ? 1 : 0), "\(event) in \(state)")
        let changes = actions.filter { if case .stateChanged = $0 { true } else { false } }.count
        #expect(changes >= (before == after ? 0 : 1), "\(event) in \(state)")
      }
    }
  }

  @Test func `every event of another attempt leaves every state alone`() {
    for state in states {
      for event: Event in [
        { $0.connected(7, now: start) }, { $0.connectFailed(7, failure, now: start) },
        { $0.checked(7, peerHasEnded: true, now: start) }, { $0.inputEnded(7, now: start) },
        { $0.failed(7, failure, now: start) }, { $0.connectionClosed(7, now: start) },
        { link in malformed.withRawSpan { link.received(7, $0, now: start) } }, { $0.queuedBytes(7, 0) },
      ] {
        var link = link(in: state)
        event(&link)
        #expect(name(link.state) == state)
        #expect(link.takeActions().isEmpty)
      }
    }
  }
}
