// TimerWheel: timers in hierarchical slots, without a clock and without a thread.
//
// Owns:       every armed timer and its payload.
// Shared by:  nobody; TimerQueue puts one under a lock.
// Eleven levels of 64 slots cover all 64 bits of a tick. A timer due at d stands at the level of the highest
// group of six bits in which d differs from `now`, in the slot that d's group there names.
// Invariants (outside of a method):
//   I1  every armed timer is due after `now`, and a slot's timers share all bits of the deadline above its level
//       with `now`, so no level ever wraps round.
//   I2  hence any timer of a lower level is due before any of a higher one, and a lower slot before a higher.
//   I3  when `now` enters a slot's range the slot is spread over the levels below at once, in order. A timer that
//       is armed later therefore never stands before an earlier one of the same tick: first armed, first fired.
//   I4  a slot's `earliest` is never later than its first deadline, and it is that one's if its tag still names a
//       timer of that deadline.
// Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7.

/// A set of timers ordered by the tick at which they are due.
///
/// It has neither clock nor thread: its owner tells it the time with ``popExpired(upTo:)``, which hands out what is
/// due, in the order of the ticks and, within a tick, in the order of arming. Use ``TimerQueue`` when several threads
/// arm timers or when closures are to be called.
///
/// ```swift
/// var wheel = TimerWheel<String>(capacity: 1_000)
/// let handle = try wheel.arm(at: Tick(20), payload: "tea")
/// while let due = wheel.popExpired(upTo: Tick(25)) { print(due) }
/// wheel.cancel(handle) == nil  // it has fired
/// ```
///
/// Memory follows the number of armed timers, in chunks of 2,048: 24 bytes a timer and the payload. The slots
/// themselves are 17 KB.
/// - Thread safety: none; one thread at a time.
@safe public struct TimerWheel<Payload: ~Copyable>: ~Copyable {
  /// Greatest number of timers armed at once.
  public let capacity: Int

  /// All timers due at or before this tick have been handed out.
  public var now: Tick { Tick(current) }
  /// Number of timers that are armed.
  public var count: Int { slab.used }
  /// Bytes held for timers, armed or free; the fixed slots not counted.
  ///
  /// - Complexity: O(`capacity` / 1,024).
  public var storageBytes: Int { (slab.touched - TimerLevels.slotCount) * TimerSlab<Payload>.cellBytes }

  @usableFromInline var current: UInt64
  /// The timers; its first cells are the ends of the slots' lists.
  @usableFromInline var slab: TimerSlab<Payload>
  /// One for each slot.
  @usableFromInline let earliest: UnsafeMutablePointer<EarliestTimer>
  /// Levels in which a timer stands, one bit each.
  @usableFromInline var levels: UInt64 = 0
  // Read and written through `pointee`: with ThreadSanitizer, Swift 6.3.1 makes a broken module of in-place changes
  // through the subscript of a stored pointer or InlineArray.
  /// A level's slots in which a timer stands, one bit each.
  @usableFromInline let occupied: UnsafeMutablePointer<UInt64>
  /// The arrivals that have paid for searches: each of the later ones pays for looking at eight timers.
  @usableFromInline var searchedAt: UInt64 = 0
  /// What must be paid before the next search, after one that was not allowed enough.
  @usableFromInline var searchPrice = 0

  /// Creates a wheel without timers.
  ///
  /// - Parameters:
  ///   - capacity: greatest number of timers armed at once; 1 to 8,388,608.
  ///   - start: the tick that it is now.
  public init(capacity: Int, startingAt start: Tick = .zero) {
    precondition(capacity > 0 && capacity <= 1 << 23, "a wheel's capacity is 1 to 8,388,608")
    self.capacity = capacity
    current = start.rawValue
    unsafe occupied = .allocate(capacity: TimerLevels.count)
    unsafe occupied.initialize(repeating: 0, count: TimerLevels.count)
    slab = TimerSlab(ends: TimerLevels.slotCount, capacity: capacity)
    unsafe earliest = .allocate(capacity: TimerLevels.slotCount)
    unsafe earliest.initialize(repeating: .none, count: TimerLevels.slotCount)
  }

  @inlinable
  deinit {
    for level in 0..<TimerLevels.count {
      for slot in level << 6..<(level + 1) << 6 {
        var cell = first(of: slot)
        while cell != UInt32(truncatingIfNeeded: slot) {
          unsafe slab.payload(cell).deinitialize(count: 1)
          cell = unsafe (slab.links + Int(cell)).pointee.next
        }
      }
    }
    unsafe earliest.deallocate()
    unsafe occupied.deallocate()
  }

  /// Arms a timer that is handed out once, at `deadline`.
  ///
  /// - Parameters:
  ///   - deadline: the tick at which it is due; one that is not after ``now`` is due at the next tick.
  ///   - payload: handed out unchanged when the timer expires or is cancelled.
  /// - Returns: a handle for ``cancel(_:)``; it may be dropped.
  /// - Throws: ``TimerError/full(capacity:)`` when ``capacity`` timers are armed; the payload is dropped.
  /// - Complexity: O(1); allocates when no chunk has a free place.
  @inlinable @inline(__always)
  @discardableResult
  public mutating func arm(at deadline: Tick, payload: consuming Payload) throws(TimerError) -> TimerHandle {
    guard slab.used < capacity else { throw .full(capacity: capacity) }
    return insert(at: deadline, payload: payload)
  }

  /// Arms a timer without regard to the capacity; for those that stood in the wheel a moment ago.
  @inlinable @inline(__always)
  mutating func insert(at deadline: Tick, payload: consuming Payload) -> TimerHandle {
    let due = effective(deadline)
    let handle = slab.insert(payload, deadline: due)
    place(handle.rawValue, deadline: due)
    return handle
  }

  /// `deadline`, or the next tick if it is past.
  @inlinable @inline(__always)
  func effective(_ deadline: Tick) -> UInt64 {
    if deadline.rawValue > current { return deadline.rawValue }
    // Past the last tick there is none: what is armed there is due at once when it comes.
    return current == .max ? current : current + 1
  }

  /// Takes back a timer that has not expired.
  ///
  /// - Returns: its payload, or `nil` when the timer has expired or was cancelled before.
  /// - Complexity: O(1).
  @inlinable @inline(__always)
  @discardableResult
  public mutating func cancel(_ handle: TimerHandle) -> Payload? {
    guard slab.contains(handle) else { return nil }
    unlink(handle.index)
    return slab.remove(handle.index)
  }

  /// Gives a timer that has not expired another deadline; it keeps its handle and its payload.
  ///
  /// As a cancel and an arm, at half the cost: within its tick it comes after those that are armed there.
  ///
  /// - Parameters:
  ///   - handle: names the timer.
  ///   - deadline: as in ``arm(at:payload:)``.
  /// - Returns: `false` when the timer has expired or was cancelled before.
  /// - Complexity: O(1), no allocation.
  @inlinable @inline(__always)
  @discardableResult
  public mutating func rearm(_ handle: TimerHandle, at deadline: Tick) -> Bool {
    guard slab.contains(handle) else { return false }
    unlink(handle.index)
    let due = effective(deadline)
    unsafe slab.body(handle.index).pointee.deadline = due
    place(handle.rawValue, deadline: due)
    return true
  }

  /// Whether the timer that `handle` names is armed.
  ///
  /// - Complexity: O(1).
  @inlinable
  public func isArmed(_ handle: TimerHandle) -> Bool { slab.contains(handle) }

  /// Hands out the first timer that is due at or before `tick`, or moves ``now`` to `tick` when there is none.
  ///
  /// Call it until it returns `nil`. Timers armed between two calls take their place in the order; one whose
  /// deadline is past is due at the tick after ``now``, which is that of the timer handed out last.
  /// - Returns: the payload of the first due timer; `nil` when none is left.
  /// - Complexity: O(1) amortized: a timer moves down at most ten levels in its life, and empty time is skipped.
  @inlinable
  public mutating func popExpired(upTo tick: Tick) -> Payload? {
    while levels != 0 {
      let level = levels.trailingZeroBitCount
      let bit = unsafe (occupied + level).pointee.trailingZeroBitCount
      let start = TimerLevels.start(of: bit, at: level, now: current)
      if start > tick.rawValue { break }
      current = max(current, start)
      if level == 0 {
        let cell = first(of: bit)
        unlink(cell)
        return slab.remove(cell)
      }
      spread(level << 6 | bit)
    }
    current = max(current, tick.rawValue)
    return nil
  }

  /// When the first timer is due; `nil` when none is armed.
  ///
  /// Exact, except in one case that keeps it O(1): when the first timer was cancelled and its slot holds more timers
  /// than arms have paid for, eight each, the answer is the cancelled timer's tick. It is never late.
  /// - Complexity: O(1) amortized over arms.
  @inlinable
  public mutating func nextExpiry() -> Tick? {
    guard levels != 0 else { return nil }
    let level = levels.trailingZeroBitCount
    let bit = unsafe (occupied + level).pointee.trailingZeroBitCount
    if level == 0 { return Tick(TimerLevels.start(of: bit, at: 0, now: current)) }
    let slot = level << 6 | bit
    if !knowsEarliest(of: slot) { search(slot) }
    return unsafe Tick((earliest + slot).pointee.deadline)
  }

  /// Takes every timer out, in no particular order.
  ///
  /// - Returns: how many there were.
  /// - Complexity: O(number of armed timers).
  @discardableResult
  public mutating func removeAll(_ body: (consuming Payload) -> Void) -> Int {
    let total = count
    while levels != 0 {
      let level = levels.trailingZeroBitCount
      let slot = unsafe level << 6 | (occupied + level).pointee.trailingZeroBitCount
      let cell = first(of: slot)
      unlink(cell)
      body(slab.remove(cell))
    }
    return total
  }
}

// @unchecked: the pointers lead to memory that only this value owns.
extension TimerWheel: @unchecked Sendable where Payload: Sendable & ~Copyable {}
