// The wheel's slots: where a timer stands, and how it gets in and out. See TimerWheel.swift for the invariants.

/// The timer of a slot that was the first to be due of all that were put there.
@usableFromInline
struct EarliestTimer: BitwiseCopyable {
  /// Its deadline; `UInt64.max` in an empty slot.
  @usableFromInline var deadline: UInt64
  /// Its handle's number: when it names no timer any more, or one of another deadline, it has left the slot.
  @usableFromInline var tag: UInt64

  @inlinable
  init(deadline: UInt64, tag: UInt64) {
    self.deadline = deadline
    self.tag = tag
  }

  @inlinable static var none: EarliestTimer { EarliestTimer(deadline: .max, tag: 0) }
}

/// The arithmetic of levels: six bits of a tick each.
@usableFromInline
enum TimerLevels {
  /// 11 × 6 bits cover the 64 bits of a tick.
  @usableFromInline static var count: Int { 11 }
  /// Slots of all levels together; also the number of the first cell that is not a slot's end.
  @usableFromInline static var slotCount: Int { count * 64 }

  /// The level at which a timer due at `deadline` stands.
  @inlinable
  static func level(of deadline: UInt64, now: UInt64) -> Int {
    // The lowest bit is set so that equal ticks belong to level 0.
    (63 - ((deadline ^ now) | 1).leadingZeroBitCount) / 6
  }

  /// The slot in which a timer due at `deadline` stands.
  @inlinable
  static func slot(of deadline: UInt64, now: UInt64) -> Int {
    let level = level(of: deadline, now: now)
    return level << 6 | Int(truncatingIfNeeded: deadline >> UInt64(6 * level)) & 63
  }

  /// The first tick of a slot at `level`.
  @inlinable
  static func start(of slot: Int, at level: Int, now: UInt64) -> UInt64 {
    let above = 6 * (level + 1)
    // A shift by 64 or more gives 0: nothing is above the top level.
    return ((now >> above) << above) | UInt64(slot) << UInt64(6 * level)
  }
}

extension TimerWheel where Payload: ~Copyable {
  /// The first timer of a slot in which one stands.
  @inlinable
  func first(of slot: Int) -> UInt32 { unsafe (slab.links + slot).pointee.next }

  /// Appends the timer that `tag` names to the slot in which its deadline belongs.
  @inlinable @inline(__always)
  mutating func place(_ tag: UInt64, deadline: UInt64) {
    let cell = TimerHandle(rawValue: tag).index
    let slot = TimerLevels.slot(of: deadline, now: current)
    let links = unsafe slab.links
    let last = unsafe (links + slot).pointee.previous
    unsafe (links + Int(cell)).pointee = TimerLinks(next: UInt32(truncatingIfNeeded: slot), previous: last)
    unsafe (links + Int(last)).pointee.next = cell
    unsafe (links + slot).pointee.previous = cell
    if last == UInt32(truncatingIfNeeded: slot) { occupy(slot) }
    if unsafe deadline <= (earliest + slot).pointee.deadline {
      unsafe (earliest + slot).pointee = EarliestTimer(deadline: deadline, tag: tag)
    }
  }

  /// Takes `cell` out of its slot.
  @inlinable @inline(__always)
  mutating func unlink(_ cell: UInt32) {
    let links = unsafe slab.links
    let own = unsafe (links + Int(cell)).pointee
    unsafe (links + Int(own.previous)).pointee.next = own.next
    unsafe (links + Int(own.next)).pointee.previous = own.previous
    // In a ring of two both neighbours are the slot's end, whose number is the slot's.
    if own.next == own.previous { vacate(Int(own.next)) }
  }

  @inlinable
  mutating func occupy(_ slot: Int) {
    let level = unsafe occupied + slot >> 6
    unsafe level.pointee = unsafe level.pointee | 1 << UInt64(slot & 63)
    levels |= 1 << UInt64(slot >> 6)
  }

  @inlinable
  mutating func vacate(_ slot: Int) {
    let level = unsafe occupied + slot >> 6
    let left = unsafe level.pointee & ~(1 << UInt64(slot & 63))
    unsafe level.pointee = left
    unsafe (earliest + slot).pointee = .none
    if left == 0 { levels &= ~(1 << UInt64(slot >> 6)) }
  }

  /// Moves the timers of a slot whose range `now` has entered to the levels below, in order.
  @inlinable
  mutating func spread(_ slot: Int) {
    let links = unsafe slab.links
    var cell = first(of: slot)
    let end = UInt32(truncatingIfNeeded: slot)
    unsafe links[slot] = TimerLinks(next: end, previous: end)
    vacate(slot)
    while cell != end {
      let next = unsafe (links + Int(cell)).pointee.next
      let body = unsafe slab.body(cell).pointee
      place(body.tag, deadline: body.deadline)
      cell = next
    }
  }

  /// Whether the slot's earliest timer still stands there.
  @inlinable
  func knowsEarliest(of slot: Int) -> Bool {
    let known = unsafe (earliest + slot).pointee
    let handle = TimerHandle(rawValue: known.tag)
    return unsafe slab.contains(handle) && slab.body(handle.index).pointee.deadline == known.deadline
  }

  /// Finds the earliest deadline of a slot again, if enough timers came since the last search to pay for it.
  @inlinable
  mutating func search(_ slot: Int) {
    let paid = slab.arrivals(since: searchedAt) * 8
    guard paid >= searchPrice else { return }
    let allowed = max(paid, 64)
    var left = allowed
    searchedAt = slab.arrivals
    var found = EarliestTimer.none
    var cell = first(of: slot)
    while cell != UInt32(truncatingIfNeeded: slot) {
      if left == 0 {
        // Looked at for nothing, and paid for: the next try comes when it may look at twice as many.
        searchPrice = 2 * allowed
        return
      }
      left -= 1
      let body = unsafe slab.body(cell).pointee
      if body.deadline <= found.deadline { found = EarliestTimer(deadline: body.deadline, tag: body.tag) }
      cell = unsafe (slab.links + Int(cell)).pointee.next
    }
    searchedAt &-= UInt64(left / 8)
    searchPrice = 0
    unsafe (earliest + slot).pointee = found
  }
}
