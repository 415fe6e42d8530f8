// MachineRunner: a pure state machine behind a lock, whose actions one thread at a time carries out.
//
// Shared by:  any thread that has an event.
// How:        an event is applied under the lock, and its actions join a list. Whoever finds nobody carrying actions
//             out does so, without the lock, until the list is empty; events that this causes, or that other threads
//             bring meanwhile, only add to the list. So events are applied one at a time, actions are carried out one
//             at a time in the order in which they were given, and an action may call anything, also back into here.

internal import SkeinPlatform

/// A machine whose events give actions.
protocol ActingMachine: Sendable {
  associatedtype Action: Sendable
  /// Takes what is to be done, in order.
  mutating func takeActions() -> [Action]
}

extension LinkMachine: ActingMachine {}
extension AcceptorMachine: ActingMachine {}

/// Applies events to a machine and has its actions carried out.
final class MachineRunner<Machine: ActingMachine>: Sendable {
  private struct State {
    var machine: Machine
    var actions: [Machine.Action] = []
    var isCarryingOut = false
  }

  // MARK: Under lock
  private let state: Lock<State>

  init(_ machine: Machine) { state = Lock(State(machine: machine)) }

  /// Applies an event; `perform` carries out the actions, here or wherever that is going on already.
  func apply<Result: Sendable>(
    _ event: (inout Machine) -> Result, perform: (Machine.Action) -> Void
  ) -> Result {
    let (result, isOurs) = state.withLock { state in
      let result = event(&state.machine)
      state.actions += state.machine.takeActions()
      if state.isCarryingOut || state.actions.isEmpty { return (result, false) }
      state.isCarryingOut = true
      return (result, true)
    }
    if isOurs { carryOut(perform) }
    return result
  }

  /// Looks at the machine, or takes something out of it that is no action.
  func with<Result: Sendable>(_ body: (inout Machine) -> Result) -> Result {
    state.withLock { state in body(&state.machine) }
  }

  private func carryOut(_ perform: (Machine.Action) -> Void) {
    while true {
      let actions = state.withLock { state -> [Machine.Action] in
        let taken = state.actions
        state.actions = []
        if taken.isEmpty { state.isCarryingOut = false }
        return taken
      }
      if actions.isEmpty { return }
      for action in actions { perform(action) }
    }
  }
}
