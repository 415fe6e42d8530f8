// Entry: one key with its value, in one block of memory.

import Glibc

/// The head of an entry's block; the key's bytes follow it, and the value's bytes follow those.
struct EntryHeader {
  /// The next entry of the same bucket.
  var next: EntryPointer?
  /// The key's hash.
  var hash: UInt64
  /// When the entry expires, in milliseconds since 1970, or ``Deadline/never``.
  var deadline: Int64
  var keyCount: UInt32
  var valueCount: UInt32

  /// Bytes of a block: the head, key and value, rounded up to what malloc hands out.
  static func blockBytes(key: Int, value: Int) -> Int { (MemoryLayout<EntryHeader>.size + key + value + 15) & ~15 }

  /// What the memory limit counts for an entry: its block, and 16 bytes for its share of the buckets and of malloc's
  /// own head.
  static func accountedBytes(key: Int, value: Int) -> Int { blockBytes(key: key, value: value) + 16 }
}

/// A time, or none.
enum Deadline {
  static let never = Int64.max
}

/// Points at an entry's block.
///
/// Safe to use while the table that it came from holds the entry.
@safe struct EntryPointer: Equatable {
  let header: UnsafeMutablePointer<EntryHeader>

  /// Allocates an entry with this key and room for the value, whose bytes are not set.
  static func allocate(_ key: Span<UInt8>, hash: UInt64, valueCount: Int) -> EntryPointer {
    let size = EntryHeader.blockBytes(key: key.count, value: valueCount)
    guard let block = unsafe malloc(size) else { fatalError("out of memory for a key of the key-value service") }
    let header = unsafe block.bindMemory(to: EntryHeader.self, capacity: 1)
    unsafe header.initialize(
      to: EntryHeader(
        next: nil, hash: hash, deadline: Deadline.never, keyCount: UInt32(key.count), valueCount: UInt32(valueCount)))
    let entry = unsafe EntryPointer(header: header)
    unsafe key.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe memcpy(entry.keyStart, base, source.count)
    }
    return entry
  }

  func free() { unsafe Glibc.free(header) }

  static func == (left: EntryPointer, right: EntryPointer) -> Bool { unsafe left.header == right.header }

  var next: EntryPointer? {
    get { unsafe header.pointee.next }
    nonmutating set { unsafe header.pointee.next = newValue }
  }

  var hash: UInt64 { unsafe header.pointee.hash }

  var deadline: Int64 {
    get { unsafe header.pointee.deadline }
    nonmutating set { unsafe header.pointee.deadline = newValue }
  }

  var keyCount: Int { Int(unsafe header.pointee.keyCount) }

  var valueCount: Int { Int(unsafe header.pointee.valueCount) }

  var accountedBytes: Int { EntryHeader.accountedBytes(key: keyCount, value: valueCount) }

  private var keyStart: UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(header + 1).assumingMemoryBound(to: UInt8.self)
  }

  /// Whether the entry's key is `key`.
  func hasKey(_ key: Span<UInt8>) -> Bool {
    guard key.count == keyCount else { return false }
    if key.count == 0 { return true }
    return unsafe key.withUnsafeBufferPointer { unsafe memcmp($0.baseAddress!, keyStart, $0.count) == 0 }
  }

  /// The value's bytes.
  func withValue<R>(_ body: (Span<UInt8>) -> R) -> R {
    let value = unsafe UnsafeBufferPointer(start: keyStart + keyCount, count: valueCount)
    return body(unsafe value.span)
  }

  /// The key's bytes.
  func withKey<R>(_ body: (Span<UInt8>) -> R) -> R {
    let key = unsafe UnsafeBufferPointer(start: keyStart, count: keyCount)
    return body(unsafe key.span)
  }

  /// Whether a value of `count` bytes fills a block of this one's size.
  func fits(valueCount count: Int) -> Bool {
    EntryHeader.blockBytes(key: keyCount, value: count) == EntryHeader.blockBytes(key: keyCount, value: valueCount)
  }

  /// Writes the value; its length must fit the block.
  func setValue(_ value: Span<UInt8>) {
    unsafe header.pointee.valueCount = UInt32(value.count)
    unsafe value.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe memcpy(keyStart + keyCount, base, source.count)
    }
  }
}
