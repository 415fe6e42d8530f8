// SeriKeys: the keys of a record, found quickly.

/// The keys of a record type, as an enum of strings.
///
/// Made once for a type, it finds a key in the input with a comparison of two words if keys come in the enum's order,
/// and otherwise looks through the others. Keys may come in any order; a key that the enum lacks is skipped with its
/// value.
///
/// ```swift
/// struct Point: SeriReadable, SeriWritable {
///   var x = 0.0
///   var y = 0.0
///
///   enum Key: String, CaseIterable, Sendable { case x, y }
///   static let keys = SeriKeys<Key>()
///
///   init(reading reader: inout SeriReader) throws(SeriError) {
///     var record = try reader.beginRecord(Self.keys)
///     while let key = try reader.nextKey(of: &record) {
///       switch key {
///       case .x: x = try reader.read()
///       case .y: y = try reader.read()
///       }
///     }
///   }
///
///   func write(to writer: inout SeriWriter) {
///     writer.beginTable()
///     writer.pair("x", x)
///     writer.pair("y", y)
///     writer.endTable()
///   }
/// }
/// ```
public struct SeriKeys<Key: RawRepresentable & CaseIterable & Sendable>: Sendable where Key.RawValue == String {
  @usableFromInline
  struct Entry: Sendable {
    @usableFromInline let key: Key
    @usableFromInline let name: ByteString
    /// The tag of a name of up to 14 bytes, and its bytes; a tag of 0 for a longer one.
    @usableFromInline let tag: UInt8
    @usableFromInline let low: UInt64
    @usableFromInline let rest: UInt64
    /// Which bits of the two words are the name's.
    @usableFromInline let lowMask: UInt64
    @usableFromInline let restMask: UInt64
  }

  @usableFromInline let entries: [Entry]

  /// Makes the keys of all cases.
  public init() {
    entries = Key.allCases.map { key in
      let name = ByteString(key.rawValue)
      guard case .small(let small) = name.storage else {
        return Entry(key: key, name: name, tag: 0, low: 0, rest: 0, lowMask: 0, restMask: 0)
      }
      let count = UInt64(small.count)
      return Entry(
        key: key, name: name, tag: SeriTag.short | small.count << 3, low: small.low, rest: small.rest,
        lowMask: ~(~0 << (8 * min(count, 8))), restMask: ~(~0 << (8 * (max(count, 8) - 8))))
    }
  }
}

/// A record that is being read: a table of pairs whose keys are strings.
public struct SeriRecord<Key: RawRepresentable & CaseIterable & Sendable> where Key.RawValue == String {
  @usableFromInline let keys: SeriKeys<Key>
  /// The key to try first: the one after the key found last.
  @usableFromInline var next = 0

  @inlinable
  init(keys: SeriKeys<Key>) { self.keys = keys }
}

extension SeriReader {
  /// Begins a record: a table without array elements.
  @inlinable
  public mutating func beginRecord<Key>(_ keys: SeriKeys<Key>) throws(SeriError) -> SeriRecord<Key> {
    let offset = offset
    guard try beginTable() == 0 else { throw SeriError(.unexpectedElements, offset: offset) }
    return SeriRecord(keys: keys)
  }

  /// Reads the next key, whose value must be read then; nil at the record's end, which is taken.
  ///
  /// Skips keys that are not the record's.
  @inlinable
  public mutating func nextKey<Key>(of record: inout SeriRecord<Key>) throws(SeriError) -> Key? {
    while !(try isTableEnded()) {
      if let key = try takeKey(of: &record) { return key }
      try skip()
    }
    return nil
  }

  @inlinable @inline(__always)
  mutating func takeKey<Key>(of record: inout SeriRecord<Key>) throws(SeriError) -> Key? {
    if remaining >= 17, record.next < record.keys.entries.count {
      let entry = record.keys.entries[record.next]
      let low = UInt64(littleEndian: unsafe at.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
      let rest = UInt64(littleEndian: unsafe at.loadUnaligned(fromByteOffset: 9, as: UInt64.self))
      if unsafe at.load(as: UInt8.self) == entry.tag, low & entry.lowMask == entry.low,
        rest & entry.restMask == entry.rest, valuesLeft > 0
      {
        valuesLeft &-= 1
        unsafe at += 1 &+ Int(entry.tag >> 3)
        record.next &+= 1
        return entry.key
      }
    }
    return try findKey(of: &record)
  }

  /// The key that is next, wherever it stands in the enum; nil, and the key skipped, if it is not in it.
  @inlinable @inline(never)
  mutating func findKey<Key>(of record: inout SeriRecord<Key>) throws(SeriError) -> Key? {
    try checkKey()
    guard try peekKind() == .bytes else {
      try skip()
      return nil
    }
    let name = try byteString()
    let entries = record.keys.entries
    for step in 0..<entries.count {
      let index = (record.next + step) % entries.count
      if entries[index].name == name {
        record.next = index + 1
        return entries[index].key
      }
    }
    return nil
  }
}
