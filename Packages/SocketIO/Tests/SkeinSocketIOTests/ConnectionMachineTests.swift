// ConnectionMachineTests: every state with every stimulus.

import SkeinPlatform
import Testing

@testable import SkeinSocketIO

@Suite("ConnectionMachine") struct ConnectionMachineTests {
  /// How each state is reached.
  private static let states: [(name: String, path: (ConnectionMachine.Phase, [ConnectionStimulus]))] = [
    ("accepted", (.accepted, [])),
    ("connecting", (.connecting, [])),
    ("connecting finishing", (.connecting, [.shutdownWrite(pending: true)])),
    ("connecting gone", (.connecting, [.close(pending: true)])),
    ("open", (.accepted, [.start])),
    ("open paused", (.accepted, [.start, .pause])),
    ("open in-ended", (.accepted, [.start, .receivedEnd])),
    ("open finishing", (.accepted, [.start, .shutdownWrite(pending: true)])),
    ("open in-ended finishing", (.accepted, [.start, .receivedEnd, .shutdownWrite(pending: true)])),
    ("open out-ended", (.accepted, [.start, .shutdownWrite(pending: false)])),
    ("open out-failed", (.accepted, [.start, .sendFailed(32)])),
    ("draining", (.accepted, [.start, .close(pending: true)])),
    ("draining in-ended", (.accepted, [.start, .receivedEnd, .close(pending: true)])),
    ("lingering", (.accepted, [.start, .close(pending: false)])),
    ("closed", (.accepted, [.start, .abort])),
  ]

  private static let stimuli: [(name: String, stimulus: ConnectionStimulus)] = [
    ("start", .start), ("connected", .connected(pending: false)), ("connected+", .connected(pending: true)),
    ("connectFailed", .connectFailed(111)), ("received", .received(10)), ("receivedEnd", .receivedEnd),
    ("receiveFailed", .receiveFailed(104)), ("sendFailed", .sendFailed(32)), ("hangUp", .hangUp(104)),
    ("drained", .drained), ("shutdownWrite", .shutdownWrite(pending: false)),
    ("shutdownWrite+", .shutdownWrite(pending: true)), ("close", .close(pending: false)),
    ("close+", .close(pending: true)), ("abort", .abort), ("timeUp", .timeUp), ("loopShutDown", .loopShutDown),
  ]

  /// What is done, and the state after it. What is not here changes nothing.
  private static let table: [String: [String: String]] = [
    "accepted": [
      "start": "-> open", "receiveFailed": "closed drop descriptor -> closed",
      "sendFailed": "closed drop descriptor -> closed", "hangUp": "closed drop descriptor -> closed",
      "close": "closed fin linger -> lingering", "close+": "closed fin linger -> lingering",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "connecting": [
      "connected": "connected flush -> open", "connected+": "connected flush -> open",
      "connectFailed": "closed drop descriptor -> closed", "hangUp": "closed drop descriptor -> closed",
      "shutdownWrite": "-> connecting finishing", "shutdownWrite+": "-> connecting finishing",
      "close": "closed drop descriptor -> closed", "close+": "closed flushLimit -> connecting gone",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "connecting finishing": [
      "connected": "connected fin -> open out-ended", "connected+": "connected flush -> open finishing",
      "connectFailed": "closed drop descriptor -> closed", "hangUp": "closed drop descriptor -> closed",
      "close": "closed drop descriptor -> closed", "close+": "closed flushLimit -> connecting finishing gone",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "connecting gone": [
      "connected": "fin linger -> lingering", "connected+": "flush -> draining",
      "connectFailed": "drop descriptor -> closed", "hangUp": "drop descriptor -> closed",
      "abort": "drop descriptor -> closed", "timeUp": "drop reset -> closed",
      "loopShutDown": "drop descriptor -> closed",
    ],
    "open": [
      "received": "received -> open", "receivedEnd": "inputEnded -> open in-ended",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "drop -> open out-failed",
      "hangUp": "closed drop descriptor -> closed", "shutdownWrite": "fin -> open out-ended",
      "shutdownWrite+": "-> open finishing", "close": "closed fin linger -> lingering",
      "close+": "closed flushLimit -> draining", "abort": "closed drop descriptor -> closed",
      "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open paused": [
      "received": "received -> open paused", "receivedEnd": "inputEnded -> open paused in-ended",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "closed drop descriptor -> closed",
      "hangUp": "closed drop descriptor -> closed", "shutdownWrite": "fin -> open paused out-ended",
      "shutdownWrite+": "-> open paused finishing", "close": "closed fin linger -> lingering",
      "close+": "closed flushLimit -> draining", "abort": "closed drop descriptor -> closed",
      "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open in-ended": [
      "received": "received -> open in-ended", "receivedEnd": "inputEnded -> open in-ended",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "closed drop descriptor -> closed",
      "hangUp": "closed drop descriptor -> closed", "shutdownWrite": "closed fin drop descriptor -> closed",
      "shutdownWrite+": "-> open in-ended finishing", "close": "closed fin drop descriptor -> closed",
      "close+": "closed flushLimit -> draining in-ended", "abort": "closed drop descriptor -> closed",
      "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open finishing": [
      "received": "received -> open finishing", "receivedEnd": "inputEnded -> open in-ended finishing",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "drop -> open out-failed",
      "hangUp": "closed drop descriptor -> closed", "drained": "fin -> open out-ended",
      "close": "closed fin linger -> lingering", "close+": "closed flushLimit -> draining",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open in-ended finishing": [
      "received": "received -> open in-ended finishing", "receivedEnd": "inputEnded -> open in-ended finishing",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "closed drop descriptor -> closed",
      "hangUp": "closed drop descriptor -> closed", "drained": "closed fin drop descriptor -> closed",
      "close": "closed fin drop descriptor -> closed", "close+": "closed flushLimit -> draining in-ended",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open out-ended": [
      "received": "received -> open out-ended", "receivedEnd": "inputEnded closed drop descriptor -> closed",
      "receiveFailed": "closed drop descriptor -> closed", "sendFailed": "drop -> open out-failed",
      "hangUp": "closed drop descriptor -> closed", "close": "closed linger -> lingering",
      "close+": "closed linger -> lingering", "abort": "closed drop descriptor -> closed",
      "loopShutDown": "closed drop descriptor -> closed",
    ],
    "open out-failed": [
      "received": "received -> open out-failed", "receivedEnd": "closed drop descriptor -> closed",
      "receiveFailed": "closed drop descriptor -> closed", "hangUp": "closed drop descriptor -> closed",
      "close": "closed drop descriptor -> closed", "close+": "closed drop descriptor -> closed",
      "abort": "closed drop descriptor -> closed", "loopShutDown": "closed drop descriptor -> closed",
    ],
    "draining": [
      "receivedEnd": "-> draining in-ended", "receiveFailed": "drop descriptor -> closed",
      "sendFailed": "drop descriptor -> closed", "hangUp": "drop descriptor -> closed",
      "drained": "fin linger -> lingering", "abort": "drop descriptor -> closed", "timeUp": "drop reset -> closed",
      "loopShutDown": "drop descriptor -> closed",
    ],
    "draining in-ended": [
      "receiveFailed": "drop descriptor -> closed", "sendFailed": "drop descriptor -> closed",
      "hangUp": "drop descriptor -> closed", "drained": "fin drop descriptor -> closed",
      "abort": "drop descriptor -> closed", "timeUp": "drop reset -> closed",
      "loopShutDown": "drop descriptor -> closed",
    ],
    "lingering": [
      "receivedEnd": "drop descriptor -> closed", "receiveFailed": "drop descriptor -> closed",
      "sendFailed": "drop descriptor -> closed", "hangUp": "drop descriptor -> closed",
      "abort": "drop descriptor -> closed", "timeUp": "drop descriptor -> closed",
      "loopShutDown": "drop descriptor -> closed",
    ],
    "closed": [:],
  ]

  private static func make(_ path: (ConnectionMachine.Phase, [ConnectionStimulus])) -> ConnectionMachine {
    var machine = ConnectionMachine(path.0, lingerBytes: 100)
    for stimulus in path.1 { _ = machine.apply(stimulus) }
    return machine
  }

  private static func describe(_ machine: ConnectionMachine) -> String {
    switch machine.phase {
    case .accepted, .lingering, .closed: return "\(machine.phase)"
    case .draining: return machine.inputEnded ? "draining in-ended" : "draining"
    case .connecting:
      return "connecting" + (machine.output == .finishing ? " finishing" : "") + (machine.isGone ? " gone" : "")
    case .open:
      let output =
        switch machine.output {
        case .open: ""
        case .finishing: " finishing"
        case .ended: " out-ended"
        case .failed: " out-failed"
        }
      return "open" + (machine.isPaused ? " paused" : "") + (machine.inputEnded ? " in-ended" : "") + output
    }
  }

  private static func describe(_ actions: ConnectionActions) -> String {
    let names: [(ConnectionActions, String)] = [
      (.tellConnected, "connected"), (.tellReceived, "received"), (.tellInputEnded, "inputEnded"),
      (.tellClosed, "closed"), (.flush, "flush"), (.sendFIN, "fin"), (.armFlush, "flushLimit"), (.armLinger, "linger"),
      (.dropQueue, "drop"), (.closeDescriptor, "descriptor"), (.resetDescriptor, "reset"),
    ]
    return names.filter { actions.contains($0.0) }.map(\.1).joined(separator: " ")
  }

  @Test func `every state answers every stimulus as the table says`() {
    #expect(Self.states.map(\.name).sorted() == Self.table.keys.sorted())
    for state in Self.states {
      let start = Self.make(state.path)
      #expect(Self.describe(start) == state.name)
      for (name, stimulus) in Self.stimuli {
        var machine = start
        let actions = Self.describe(machine.apply(stimulus))
        let result = (actions.isEmpty ? "" : actions + " ") + "-> " + Self.describe(machine)
        #expect(result == Self.table[state.name]?[name] ?? "-> \(state.name)", "\(state.name) with \(name)")
      }
    }
  }

  @Test func `every sequence of four stimuli tells the end at most once and nothing after it`() {
    let told: ConnectionActions = [.tellConnected, .tellReceived, .tellInputEnded]
    for phase in [ConnectionMachine.Phase.accepted, .connecting] {
      forEachSequence(of: 4, from: ConnectionMachine(phase, lingerBytes: 100)) { steps in
        var ends = 0
        var closes = 0
        var fins = 0
        for (actions, machine) in steps {
          if ends > 0 { #expect(actions.isDisjoint(with: told), "told after the end") }
          if actions.contains(.tellClosed) { ends += 1 }
          if actions.contains(.closeDescriptor) || actions.contains(.resetDescriptor) { closes += 1 }
          if actions.contains(.sendFIN) { fins += 1 }
          #expect((machine.phase == .closed) == (closes == 1))
          if machine.phase == .closed { #expect(ends == 1) }
        }
        #expect(ends <= 1 && closes <= 1 && fins <= 1)
      }
    }
  }

  private func forEachSequence(
    of length: Int, from machine: ConnectionMachine, steps: [(ConnectionActions, ConnectionMachine)] = [],
    _ body: ([(ConnectionActions, ConnectionMachine)]) -> Void
  ) {
    if length == 0 { return body(steps) }
    for (_, stimulus) in Self.stimuli {
      // A poller tells the end of input once.
      if machine.inputEnded, case .receivedEnd = stimulus { continue }
      var next = machine
      let actions = next.apply(stimulus)
      forEachSequence(of: length - 1, from: next, steps: steps + [(actions, next)], body)
    }
  }

  @Test func `a lingering connection discards a limited number of bytes`() {
    var machine = ConnectionMachine(.accepted, lingerBytes: 100)
    #expect(machine.apply(.start) == [])
    #expect(machine.apply(.close(pending: false)).contains(.armLinger))
    #expect(machine.wantsInput)
    #expect(machine.apply(.received(100)) == [])
    #expect(machine.apply(.received(1)) == [.dropQueue, .closeDescriptor])
  }

  @Test func `a paused connection reads nothing, and a closing one discards`() {
    var machine = ConnectionMachine(.accepted, lingerBytes: 100)
    #expect(!machine.wantsInput)
    _ = machine.apply(.start)
    #expect(machine.wantsInput)
    _ = machine.apply(.pause)
    #expect(!machine.wantsInput)
    _ = machine.apply(.close(pending: true))
    #expect(machine.wantsInput)
  }
}
