// MailboxWord: the one word that says how a mailbox stands.

/// Flags, known room and index of a mailbox in 64 bits; see the argument in MailboxCore.swift.
///
/// The index is on top, so that it wraps round without touching the rest.
@frozen
@usableFromInline
struct MailboxWord: Equatable {
  @usableFromInline var bits: UInt64
  @inlinable init(bits: UInt64) { self.bits = bits }

  /// Nothing can be pushed any more.
  @inlinable static var closed: UInt64 { 1 }
  /// The consumer runs or is scheduled.
  @inlinable static var awake: UInt64 { 1 << 1 }
  /// A side lane holds something that the consumer has not looked for yet.
  @inlinable static var signalled: UInt64 { 1 << 2 }
  /// A producer is linking a block.
  @inlinable static var installing: UInt64 { 1 << 3 }
  /// There is no block: the mailbox was at rest.
  @inlinable static var bare: UInt64 { 1 << 4 }
  /// The block is a wide one.
  @inlinable static var wide: UInt64 { 1 << 5 }
  /// The cell that needs no block was claimed since the last rest.
  @inlinable static var inlined: UInt64 { 1 << 6 }
  /// One element for which there is room, and the bits in which they are counted.
  @inlinable static var place: UInt64 { 1 << 7 }
  @inlinable static var places: UInt64 { 0xFFFF << 7 }
  /// One step of the index.
  @inlinable static var step: UInt64 { 1 << 23 }

  @inlinable func has(_ flag: UInt64) -> Bool { bits & flag != 0 }

  /// How many elements were claimed so far, in its lowest 32 bits: the number of the next one.
  @inlinable var index: UInt32 { UInt32(truncatingIfNeeded: bits >> 23) }
  /// Elements for which there is room for certain.
  @inlinable var room: Int { Int(truncatingIfNeeded: bits >> 7 & 0xFFFF) }
  /// The same word with as much of `room` as it can count.
  @inlinable
  func with(room: Int) -> MailboxWord {
    MailboxWord(bits: bits & ~Self.places | UInt64(truncatingIfNeeded: min(room, 0xFFFF)) << 7)
  }

  /// Whether the next cell, at `offset` of its block, may be claimed without a look at anything else.
  @inlinable
  func isClaimable(_ offset: Int) -> Bool {
    bits & (Self.closed | Self.bare) == 0 && bits & Self.places != 0 && offset != 0
  }
  /// The word after a claim.
  @inlinable var claimed: MailboxWord { MailboxWord(bits: (bits &+ (Self.step - Self.place)) | Self.awake) }
}
