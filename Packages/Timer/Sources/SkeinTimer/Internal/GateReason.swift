// GateReason: why a gate at which a sleeper or a timed operation waits was opened.

internal import SkeinPlatform

/// How a gate was opened.
enum GateReason: UInt8 {
  /// The timer fired.
  case fired = 2
  /// The queue was shut down.
  case dropped = 3
  /// The waiting task was cancelled.
  case cancelled = 4
  /// What was waited for has ended.
  case ended = 5
}

extension TaskGate {
  /// Waits until the gate is open and says why it was opened.
  nonisolated(nonsending) func reason() async -> GateReason {
    guard let reason = GateReason(rawValue: await wait()) else {
      preconditionFailure("a gate was opened by a stranger")
    }
    return reason
  }

  /// Opens the gate; `false` when it was open.
  @discardableResult
  nonisolated func open(_ reason: GateReason) -> Bool { open(reason.rawValue) }
}

/// Opens a gate when its timer fires.
final class GateTimer: TimerTarget {
  private let gate: TaskGate
  init(_ gate: TaskGate) { self.gate = gate }
  func timerFired(token: UInt64) { gate.open(.fired) }
  func timerDropped(token: UInt64) { gate.open(.dropped) }
}
