// MachineTimer: the one timer that a state machine asks for.

internal import SkeinPlatform
internal import SkeinTimer

/// Holds the timer of the last `.arm`.
///
/// - Thread safety: whoever carries out the machine's actions, one at a time.
struct MachineTimer {
  private let queue: TimerQueue
  private var armed: TimerHandle?

  init(_ queue: TimerQueue) { self.queue = queue }

  /// Has `fire` called at `time`, in the place of what was armed before.
  mutating func arm(at time: MonotonicInstant, _ fire: @escaping @Sendable () -> Void) throws(TimerError) {
    disarm()
    armed = try queue.arm(at: time, handler: fire)
  }

  mutating func disarm() {
    if let armed { queue.cancel(armed) }
    armed = nil
  }
}
