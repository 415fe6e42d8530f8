// SeriTag: the first byte of each value. Bits 0 to 2 are the type, bits 3 to 7 the cookie.

@usableFromInline
enum SeriTag {
  @usableFromInline static let `nil`: UInt8 = 0
  @usableFromInline static let no: UInt8 = 0x01
  @usableFromInline static let yes: UInt8 = 0x09
  @usableFromInline static let zero: UInt8 = 0x02
  @usableFromInline static let byte1: UInt8 = 0x0a
  @usableFromInline static let byte2: UInt8 = 0x12
  @usableFromInline static let byte4: UInt8 = 0x22
  @usableFromInline static let byte8: UInt8 = 0x32
  @usableFromInline static let double: UInt8 = 0x42
  @usableFromInline static let pointer: UInt8 = 0x03
  @usableFromInline static let short: UInt8 = 0x04
  @usableFromInline static let long2: UInt8 = 0x15
  @usableFromInline static let long4: UInt8 = 0x25
  @usableFromInline static let table: UInt8 = 0x06
  /// A table whose count follows as an integer.
  @usableFromInline static let countedTable: UInt8 = 0xfe

  /// The kind that a tag's type says, whatever its cookie; `nil` for type 7.
  @usableFromInline
  static func kind(_ tag: UInt8) -> SeriKind? {
    switch tag & 7 {
    case 0: .nil
    case 1: .boolean
    case 2: tag == double ? .double : .integer
    case 3: .pointer
    case 4, 5: .bytes
    case 6: .table
    default: nil
    }
  }
}
