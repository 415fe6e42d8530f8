// GateReason: why a gate at which a sleeper or a timed operation waits was opened.

public import SkeinPlatform

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

extension GateReason {
  /// The reason with which a gate of this layer was opened.
  init(opened number: UInt8) {
    guard let reason = GateReason(rawValue: number) else { preconditionFailure("a gate was opened by a stranger") }
    self = reason
  }
}

extension TaskGate {
  /// Opens the gate; `false` when it was open.
  @discardableResult
  nonisolated func open(_ reason: GateReason) -> Bool { open(reason.rawValue) }
}

/// A gate may be a timer's target: it is opened when the timer fires or is dropped.
extension TaskGate: TimerTarget {
  /// Opens the gate.
  public nonisolated func timerFired(token: UInt64) { open(.fired) }

  /// Opens the gate.
  public nonisolated func timerDropped(token: UInt64) { open(.dropped) }
}
