// MailboxWord: the one word that says how a mailbox stands.

/// Flags and index of a mailbox in 64 bits; see the argument in Mailbox.swift.
@frozen
@usableFromInline
struct MailboxWord: Equatable {
  @usableFromInline var bits: UInt64
  @inlinable init(bits: UInt64) { self.bits = bits }

  /// Nothing can be pushed any more.
  @inlinable static var closed: UInt64 { 1 }
  /// The consumer runs or is scheduled.
  @inlinable static var awake: UInt64 { 2 }
  /// A side lane holds something that the consumer has not looked for yet.
  @inlinable static var signalled: UInt64 { 4 }
  /// A producer is linking the next block.
  @inlinable static var installing: UInt64 { 8 }
  /// There is no block: the mailbox was at rest.
  @inlinable static var bare: UInt64 { 16 }
  /// One step of the index.
  @inlinable static var step: UInt64 { 32 }
  /// The flags together.
  @inlinable static var flags: UInt64 { 31 }

  /// A bare, closed to nobody, resting mailbox.
  @inlinable static var initial: MailboxWord { MailboxWord(bits: 15 * step | bare) }

  @inlinable func has(_ flag: UInt64) -> Bool { bits & flag != 0 }
  /// Where the next element goes: lap (60 bits) and offset (4 bits), 15 = needs a block.
  @inlinable var index: UInt64 { bits >> 5 }
  @inlinable var offset: Int { Int(truncatingIfNeeded: index & 15) }

  /// How many elements were pushed before `index`, counted from some start.
  @inlinable static func position(_ index: UInt64) -> Int {
    Int(truncatingIfNeeded: (index >> 4) &* 15 &+ (index & 15))
  }
}
