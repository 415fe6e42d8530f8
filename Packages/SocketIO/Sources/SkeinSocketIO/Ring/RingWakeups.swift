// RingWakeups: what ends the owner's wait in the ring from outside: an eventfd and a timerfd, which the ring polls.
//
// States of `state`: open, asleep, signaled.
//   owner:     open -> asleep before it waits; anything -> open when it goes on.
//   signal():  anything -> signaled, and a write to the eventfd if it was asleep.
// No signal is lost: the owner waits only if it moved open -> asleep; whoever comes later finds asleep and writes,
// whoever came earlier left signaled. No alarm is lost: the owner says asleep and then reads `alarm`, setAlarm writes
// it and then looks for asleep; all four are sequentially consistent, so at least one sees the other.
// The polls are of edges: each write and each expiry makes a completion, and nothing is ever read.

#if SKEIN_IOURING
internal import CSkeinPlatform
internal import SkeinPlatform
internal import Synchronization

/// The owner's sleep, and what ends it.
@safe final class RingWakeups: Sendable {
  /// Polled by the ring.
  let event: Int32
  /// Polled by the ring.
  let timer: Int32

  // MARK: Any thread
  private let state = Atomic<UInt32>(State.open)
  /// The deadline asked for in nanoseconds; `Int64.max` is none.
  private let alarm = Atomic<Int64>(.max)
  /// There is something to collect that no completion will tell of.
  private let isSomethingDue = Atomic<Bool>(false)

  init() throws(SocketError) {
    event = skein_eventfd()
    timer = skein_timerfd()
    guard event >= 0, timer >= 0 else {
      let errorNumber = -min(event, timer)
      if event >= 0 { _ = skein_close(event) }
      if timer >= 0 { _ = skein_close(timer) }
      throw .system(SystemCallError(call: "eventfd", errorNumber: errorNumber))
    }
  }

  deinit {
    _ = skein_close(event)
    _ = skein_close(timer)
  }

  /// Runs `wait` with the time it may take in nanoseconds (negative: for ever), unless a signal or an announcement came
  /// before.
  ///
  /// - Returns: whether there may be something to collect.
  func sleep(until deadline: MonotonicInstant?, _ wait: (Int64) -> Bool) -> Bool {
    // Acquire: pairs with the release store in `announce`; one that comes later than this also signals.
    if isSomethingDue.load(ordering: .acquiring) { return true }
    // Sequentially consistent: pairs with the load in `setAlarm`; see above.
    // Failure acquires what the signaller published; pairs with the exchange in `signal`.
    let (fallsAsleep, _) = state.compareExchange(
      expected: State.open, desired: State.asleep, ordering: .sequentiallyConsistent)
    var mayCollect = false
    if fallsAsleep {
      // Sequentially consistent: pairs with the store in `setAlarm`; see above.
      let end = min(deadline?.nanoseconds ?? .max, alarm.load(ordering: .sequentiallyConsistent))
      mayCollect = wait(end == .max ? -1 : max(0, end - MonotonicInstant.now.nanoseconds))
    }
    // Acquire: sees what a signaller published; pairs with the release half of the exchange in `signal`.
    _ = state.exchange(State.open, ordering: .acquiringAndReleasing)
    dropPassedAlarm()
    // Acquire: pairs with the release store in `announce`.
    return mayCollect || isSomethingDue.load(ordering: .acquiring)
  }

  private func dropPassedAlarm() {
    // Relaxed: a passed deadline is done with; one that is set at this moment is in the future.
    let wanted = alarm.load(ordering: .relaxed)
    guard wanted != .max, wanted <= MonotonicInstant.now.nanoseconds else { return }
    // Relaxed: replaces just the deadline that has passed; on failure a new one stands.
    _ = alarm.compareExchange(expected: wanted, desired: .max, ordering: .relaxed)
  }

  /// Ends the current or the next sleep.
  func signal() {
    // Release: publishes what the signaller wrote; pairs with the exchange in `sleep`.
    if state.exchange(State.signaled, ordering: .acquiringAndReleasing) == State.asleep {
      _ = skein_eventfd_signal(event)
    }
  }

  /// Makes the current or a later sleep end at `deadline`.
  func setAlarm(at deadline: MonotonicInstant) {
    // Sequentially consistent: pairs with the load in `sleep`; see above.
    alarm.store(deadline.nanoseconds, ordering: .sequentiallyConsistent)
    // Sequentially consistent: pairs with the compare-exchange in `sleep`; see above.
    if state.load(ordering: .sequentiallyConsistent) == State.asleep {
      _ = skein_timerfd_arm(timer, deadline.nanoseconds)
    }
  }

  /// Says that there is something to collect.
  ///
  /// - Parameter fromOwner: the caller is the owner, which cannot be asleep.
  func announce(fromOwner: Bool) {
    // Release: pairs with the acquire load in `sleep`.
    isSomethingDue.store(true, ordering: .releasing)
    if !fromOwner { signal() }
  }

  /// What was announced is being collected; with the gate.
  func collected() {
    // Relaxed: only who holds the gate announces and collects, and an owner that reads the old value looks in vain.
    isSomethingDue.store(false, ordering: .relaxed)
  }

  private enum State {
    static let open: UInt32 = 0
    static let asleep: UInt32 = 1
    static let signaled: UInt32 = 2
  }
}
#endif
