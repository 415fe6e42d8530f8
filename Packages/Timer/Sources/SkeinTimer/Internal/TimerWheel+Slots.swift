// The wheel's slots: where a timer stands, and how it gets in and out. See TimerWheel.swift for the invariants.

/// One slot: a list of timers, first armed first.
@usableFromInline
struct TimerSlot {
  @usableFromInline var first = noIndex
  @usableFromInline var last = noIndex
  @usableFromInline var count: UInt32 = 0
  /// The earliest deadline in the slot, or an earlier one when the slot is marked stale.
  @usableFromInline var earliest = UInt64.max

  @inlinable
  init() {}
}

/// Which slots of a level hold timers.
@usableFromInline
struct TimerLevelBits {
  /// Slots in which a timer stands, one bit each.
  @usableFromInline var occupied: UInt64 = 0
  /// Slots whose earliest timer was cancelled, one bit each.
  @usableFromInline var stale: UInt64 = 0

  @inlinable
  init() {}
}

/// The arithmetic of levels: six bits of a tick each.
@usableFromInline
enum TimerLevels {
  /// 11 × 6 bits cover the 64 bits of a tick.
  @usableFromInline static var count: Int { 11 }

  /// The level at which a timer due at `deadline` stands.
  @inlinable
  static func level(of deadline: UInt64, now: UInt64) -> Int {
    // The lowest bit is set so that equal ticks belong to level 0.
    (63 - ((deadline ^ now) | 1).leadingZeroBitCount) / 6
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
  /// Appends the node at `index` to the slot in which its deadline belongs.
  @inlinable
  mutating func place(_ index: UInt32) {
    let node = unsafe slab[index]
    let deadline = unsafe node.pointee.deadline
    let level = TimerLevels.level(of: deadline, now: current)
    let bit = Int(truncatingIfNeeded: deadline >> UInt64(6 * level)) & 63
    let slot = level << 6 | bit
    let last = unsafe (slots + slot).pointee.last
    unsafe node.pointee.slot = slot
    unsafe node.pointee.next = noIndex
    unsafe node.pointee.previous = last
    if last == noIndex {
      unsafe (slots + slot).pointee.first = index
      unsafe (slots + slot).pointee.earliest = deadline
      unsafe (bits + level).pointee.occupied |= 1 << UInt64(bit)
      levels |= 1 << UInt64(level)
    } else {
      unsafe slab[last].pointee.next = index
      if unsafe deadline <= (slots + slot).pointee.earliest {
        unsafe (slots + slot).pointee.earliest = deadline
        unsafe (bits + level).pointee.stale &= ~(1 << UInt64(bit))
      }
    }
    unsafe (slots + slot).pointee.last = index
    unsafe (slots + slot).pointee.count += 1
  }

  /// Takes the node at `index` out of its slot.
  @inlinable
  mutating func unlink(_ index: UInt32) {
    let node = unsafe slab[index]
    let slot = unsafe node.pointee.slot
    let next = unsafe node.pointee.next
    let previous = unsafe node.pointee.previous
    if previous == noIndex {
      unsafe (slots + slot).pointee.first = next
    } else {
      unsafe slab[previous].pointee.next = next
    }
    if next == noIndex {
      unsafe (slots + slot).pointee.last = previous
    } else {
      unsafe slab[next].pointee.previous = previous
    }
    unsafe (slots + slot).pointee.count -= 1
    if unsafe (slots + slot).pointee.count == 0 { vacate(slot: slot & 63, at: slot >> 6) }
  }

  @inlinable
  mutating func vacate(slot: Int, at level: Int) {
    unsafe (bits + level).pointee.occupied &= ~(1 << UInt64(slot))
    unsafe (bits + level).pointee.stale &= ~(1 << UInt64(slot))
    if unsafe (bits + level).pointee.occupied == 0 { levels &= ~(1 << UInt64(level)) }
  }

  /// Moves the timers of a slot whose range `now` has entered to the levels below, in order.
  @usableFromInline
  mutating func spread(slot: Int, at level: Int) {
    var index = unsafe (slots + (level << 6 | slot)).pointee.first
    unsafe (slots + (level << 6 | slot)).pointee = TimerSlot()
    vacate(slot: slot, at: level)
    while index != noIndex {
      let next = unsafe slab[index].pointee.next
      place(index)
      index = next
    }
  }

  /// Finds the earliest deadline of a slot again, if enough was paid in for looking at all of its timers.
  @usableFromInline
  mutating func search(slot: Int, at level: Int) {
    let position = level << 6 | slot
    let length = Int(unsafe (slots + position).pointee.count)
    guard length <= max(searchCredit, 64) else { return }
    searchCredit = max(0, searchCredit - length)
    var earliest = UInt64.max
    var index = unsafe (slots + position).pointee.first
    while index != noIndex {
      earliest = min(earliest, unsafe slab[index].pointee.deadline)
      index = unsafe slab[index].pointee.next
    }
    unsafe (slots + position).pointee.earliest = earliest
    unsafe (bits + level).pointee.stale &= ~(1 << UInt64(slot))
  }
}
