// TimerQueue: one wheel for many threads.
//
// Owns:       a wheel, under a lock, and who waits for its next deadline.
// Shared by:  any threads; one of them, or several in turn, advances it.
// Order of firing: timers are taken out one at a time, under the lock, in the wheel's order. `isFiring` lets only
//   one thread take and call; another that advances meanwhile raises `target` and leaves, and the first goes on to
//   the raised target before it clears the flag under the same lock. So handlers run one after another, in the
//   wheel's order, and a target that was raised is never forgotten.
// No deadline is overslept: `announced` is the tick by which the waiter's owner will look, because it read it
//   through `nextDeadline` or was told with `wake(at:)`; it is never later than the first armed timer. An arm or
//   a rearm before it lowers it and tells the waiter. Two such calls can reach the waiter in the wrong order, and it keeps the last
//   one only; so each caller looks again, under the lock, and repeats the call if an earlier tick was announced
//   since. Whoever's call came last has looked after it, so what the waiter keeps last is what was announced.

public import SkeinPlatform
internal import Synchronization

/// Timers on the monotonic clock that any thread arms and cancels, and that one place fires.
///
/// It has no thread: its owner calls ``advance(to:)`` and then waits in a ``Waiter`` until ``nextDeadline``. Use
/// ``TimerThread`` for one that runs by itself, and ``SkeinClock`` to sleep on it.
///
/// ```swift
/// let queue = TimerQueue(capacity: 10_000)
/// let handle = try queue.arm(after: .seconds(5), from: .now) { print("late") }
/// queue.advance(to: .now)            // fires what is due
/// let armed = queue.cancel(handle)   // true: it will not fire
/// ```
///
/// No timer fires early; each fires at the first `advance` at or after its deadline rounded up to a tick, in the
/// order of the deadlines and, within a tick, of the arms. After a stall all that is due fires in that order.
/// - Thread safety: any thread.
public final class TimerQueue: Sendable {
  /// The length of a tick; deadlines are rounded up to whole ticks.
  public let tick: Duration
  /// Greatest number of timers armed at once.
  public let capacity: Int

  private let length: TickLength
  private let state: Lock<State>
  /// The lock's `announced`, to be read without the lock.
  private let announcedTick = Atomic<UInt64>(.max)
  /// Where the wheel stands, to be read without the lock.
  private let wheelTick = Atomic<UInt64>(0)

  private struct State: ~Copyable {
    var wheel: TimerWheel<TimerEntry>
    var waiter: (any Waiter)?
    /// The tick by which the waiter's owner will look; `UInt64.max` when it may wait for ever.
    var announced = UInt64.max
    /// The tick to which the thread that fires shall go.
    var target: UInt64 = 0
    /// The latest instant that an advance was called for.
    var latestAdvance = MonotonicInstant(nanoseconds: .min)
    var isFiring = false
    var isShutDown = false
  }

  /// Creates a queue without timers.
  ///
  /// - Parameters:
  ///   - capacity: greatest number of timers armed at once; 1 to 8,388,608.
  ///   - tick: the length of a tick; 1 µs or more.
  ///   - waiter: where the owner waits; may be set later with ``attach(_:)``.
  public init(capacity: Int, tick: Duration = .milliseconds(1), waiter: (any Waiter)? = nil) {
    precondition(tick >= .microseconds(1), "a tick is 1 µs or more")
    self.tick = tick
    self.capacity = capacity
    length = TickLength(nanoseconds: tick.nanosecondsClamped)
    state = Lock(State(wheel: TimerWheel(capacity: capacity), waiter: waiter))
  }

  // MARK: Arm and cancel

  /// Arms a timer that calls `target` once at `deadline`.
  ///
  /// - Parameters:
  ///   - deadline: when to fire; a past deadline fires at the next advance.
  ///   - target: kept until the timer fires, is cancelled or is dropped.
  ///   - token: handed to the target unchanged; its meaning is the caller's.
  /// - Returns: a handle for ``cancel(_:)``; it may be dropped.
  /// - Throws: ``TimerError/full(capacity:)`` when ``capacity`` timers are armed, ``TimerError/shutDown`` after
  ///   ``shutDown()``.
  /// - Complexity: O(1), no allocation but for chunks of 256 timers.
  /// - Thread safety: any thread. Wakes the waiter if no deadline was as early.
  @discardableResult
  public func arm(
    at deadline: MonotonicInstant, target: any TimerTarget, token: UInt64 = 0
  ) throws(TimerError) -> TimerHandle {
    try arm(at: deadline, TimerEntry(target: target, token: token), inFullQueue: false)
  }

  /// Arms a timer that calls `handler` once at `deadline`.
  ///
  /// As ``arm(at:target:token:)``, with one allocation for the closure.
  @discardableResult
  public func arm(
    at deadline: MonotonicInstant, handler: @escaping @Sendable () -> Void
  ) throws(TimerError) -> TimerHandle {
    try arm(at: deadline, target: TimerHandler(handler))
  }

  /// Arms a timer that calls `handler` once, `delay` after `start`.
  ///
  /// As ``arm(at:handler:)``.
  @discardableResult
  public func arm(
    after delay: Duration, from start: MonotonicInstant = .now, handler: @escaping @Sendable () -> Void
  ) throws(TimerError) -> TimerHandle {
    try arm(at: start.advanced(by: delay), target: TimerHandler(handler))
  }

  /// Gives an armed timer another deadline, earlier or later; it keeps its handle, target and token.
  ///
  /// For timeouts that begin anew with each sign of life: as a cancel and an arm, at half the cost. Within its tick the
  /// timer fires after those that are armed there.
  ///
  /// - Returns: `false`, and nothing is armed, when the timer has fired, is being fired at this moment, was cancelled or
  ///   was dropped.
  /// - Complexity: O(1), no allocation.
  /// - Thread safety: any thread. Wakes the waiter if no deadline was as early.
  @discardableResult
  public func rearm(_ handle: TimerHandle, at deadline: MonotonicInstant) -> Bool {
    let due = length.tick(atOrAfter: deadline)
    let (isArmed, waiter) = state.withLock { state -> (Bool, (any Waiter)?) in
      guard state.wheel.rearm(handle, at: Tick(due)) else { return (false, nil) }
      guard due < state.announced else { return (true, nil) }
      announce(due, in: &state)
      return (true, state.waiter)
    }
    if let waiter { tell(waiter, tick: due) }
    return isArmed
  }

  /// Takes back a timer.
  ///
  /// - Returns: `true` when the timer was armed and now never fires; `false` when it has fired, is being fired at
  ///   this moment, was cancelled before or was dropped by ``shutDown()``.
  /// - Complexity: O(1).
  /// - Thread safety: any thread.
  @discardableResult
  public func cancel(_ handle: TimerHandle) -> Bool {
    // The entry leaves the lock before it is released: the target's deinit may come back here.
    let entry = state.withLock { state in state.wheel.cancel(handle) }
    return entry != nil
  }

  /// Arms an entry; `inFullQueue` lets one that stood in the queue a moment ago return to its place.
  func arm(
    at deadline: MonotonicInstant, _ entry: TimerEntry, inFullQueue: Bool
  ) throws(TimerError) -> TimerHandle {
    let due = length.tick(atOrAfter: deadline)
    let (handle, waiter) = try state.withLock { state throws(TimerError) -> (TimerHandle, (any Waiter)?) in
      guard !state.isShutDown else { throw .shutDown }
      let handle: TimerHandle
      if inFullQueue {
        handle = state.wheel.insert(at: Tick(due), payload: entry)
      } else {
        handle = try state.wheel.arm(at: Tick(due), payload: entry)
      }
      guard due < state.announced else { return (handle, nil) }
      announce(due, in: &state)
      return (handle, state.waiter)
    }
    if let waiter { tell(waiter, tick: due) }
    return handle
  }

  // MARK: The owner's side

  /// Fires every timer that is due at `instant`.
  ///
  /// Handlers run on this thread, without a lock held, one after another in the order of the deadlines. When
  /// another thread, or a handler further up this thread's stack, is firing at the moment, that one fires what is
  /// due at `instant` too and this call returns at once. An instant before an earlier one changes nothing.
  ///
  /// - Returns: how many timers this call fired.
  /// - Complexity: O(timers fired); one atomic load when nothing is due.
  /// - Thread safety: any thread.
  @discardableResult
  public func advance(to instant: MonotonicInstant) -> Int {
    let tick = length.tick(atOrBefore: instant)
    // Relaxed: an old value only defers a timer that is armed at this moment to the next look; before the owner
    // waits it looks through `nextDeadline`, under the lock. The wheel's place only says how far it lags.
    let nothingIsDue = announcedTick.load(ordering: .relaxed) > tick
    // Relaxed: as above. A wheel that lags by less than its lowest level's length costs nothing.
    if nothingIsDue, tick < wheelTick.load(ordering: .relaxed) + 64 { return 0 }
    var entry = state.withLock { state -> TimerEntry? in
      state.latestAdvance = max(state.latestAdvance, instant)
      state.target = max(state.target, tick)
      if state.isFiring { return nil }
      state.isFiring = true
      return takeDue(&state)
    }
    var fired = 0
    while let due = entry {
      due.target.timerFired(token: due.token)
      fired += 1
      entry = state.withLock { state in takeDue(&state) }
    }
    return fired
  }

  /// When the first timer is due; `nil` when none is armed.
  ///
  /// The owner reads it just before it waits, and waits no longer: from then on the queue wakes the waiter only for
  /// timers that are due earlier. It is a whole tick and may lie in the past. Exact but for the case told at
  /// ``TimerWheel/nextExpiry()``; never late.
  ///
  /// - Complexity: O(1) amortized.
  /// - Thread safety: any thread.
  public var nextDeadline: MonotonicInstant? {
    state.withLock { state in
      let next = state.wheel.nextExpiry()?.rawValue
      announce(next ?? .max, in: &state)
      return next.map { tick in length.instant(of: tick) }
    }
  }

  /// Says where the owner waits: from now on an arm that makes the next deadline earlier wakes `waiter`.
  ///
  /// The waiter belongs to this queue alone as far as `wake(at:)` goes: it keeps one deadline.
  /// - Thread safety: any thread; takes the place of the waiter before.
  public func attach(_ waiter: any Waiter) {
    let tick = state.withLock { state -> UInt64 in
      state.waiter = waiter
      announce(state.wheel.nextExpiry()?.rawValue ?? .max, in: &state)
      return state.announced
    }
    if tick != .max { tell(waiter, tick: tick) }
  }

  /// Number of timers that are armed.
  ///
  /// - Thread safety: any thread.
  public var count: Int { state.withLock { state in state.wheel.count } }

  /// Bytes held for timers, armed or free.
  ///
  /// - Thread safety: any thread.
  public var storageBytes: Int { state.withLock { state in state.wheel.storageBytes } }

  /// The latest instant that ``advance(to:)`` was called for and that had work to do.
  ///
  /// - Thread safety: any thread.
  public var lastAdvance: MonotonicInstant { state.withLock { state in state.latestAdvance } }

  /// Ends the queue: drops what is armed and refuses every later arm with ``TimerError/shutDown``.
  ///
  /// Dropped timers never fire; each one's target gets ``TimerTarget/timerDropped(token:)`` on this thread, in no
  /// particular order, and sleepers throw ``TimerError/shutDown``. Closures are just released.
  ///
  /// - Returns: how many timers were dropped; 0 when the queue was shut down before.
  /// - Complexity: O(armed timers).
  /// - Thread safety: any thread.
  @discardableResult
  public func shutDown() -> Int {
    let dropped = state.withLock { state -> [TimerEntry] in
      var dropped: [TimerEntry] = []
      state.isShutDown = true
      state.waiter = nil
      state.wheel.removeAll { entry in dropped.append(entry) }
      announce(.max, in: &state)
      return dropped
    }
    for entry in dropped { entry.target.timerDropped(token: entry.token) }
    return dropped.count
  }
}

// MARK: Under lock and below

extension TimerQueue {
  /// Takes the next due timer; clears the flag when there is none.
  private func takeDue(_ state: inout State) -> TimerEntry? {
    let entry = state.wheel.popExpired(upTo: Tick(state.target))
    // Relaxed: a hint for `advance`, see there.
    wheelTick.store(state.wheel.now.rawValue, ordering: .relaxed)
    if entry == nil {
      state.isFiring = false
      // Nothing earlier is armed, so the hint for `advance` may say so; the waiter's owner looks again by itself.
      if state.announced <= state.target { announce(state.wheel.nextExpiry()?.rawValue ?? .max, in: &state) }
    }
    return entry
  }

  private func announce(_ tick: UInt64, in state: inout State) {
    state.announced = tick
    // Relaxed: a hint for `advance`, see there.
    announcedTick.store(tick, ordering: .relaxed)
  }

  /// Tells the waiter of `tick`, and again as long as an earlier one was announced meanwhile.
  private func tell(_ waiter: any Waiter, tick: UInt64) {
    var told = tick
    while true {
      waiter.wake(at: length.instant(of: told))
      let announced = state.withLock { state in state.announced }
      if announced >= told { return }
      told = announced
    }
  }
}
