// The forms that values have on the wire, and room for them. See SeriWriter.swift for what must hold.

extension SeriWriter {
  @inlinable @inline(__always)
  mutating func tag(_ tag: UInt8) {
    values &+= 1
    guard unsafe end - at >= 1 || makeRoom(1) else { return }
    unsafe at.storeBytes(of: tag, as: UInt8.self)
    unsafe at += 1
  }

  @inlinable @inline(__always)
  mutating func wide(_ tag: UInt8, _ bits: UInt64) {
    values &+= 1
    guard unsafe end - at >= 9 || makeRoom(9) else { return }
    unsafe at.storeBytes(of: tag, as: UInt8.self)
    unsafe at.storeBytes(of: bits.littleEndian, toByteOffset: 1, as: UInt64.self)
    unsafe at += 9
  }

  /// An integer that is not counted as a value: an integer's, or a table's count.
  @inlinable @inline(__always)
  mutating func rawInteger(_ value: Int64) {
    guard unsafe end - at >= 9 || makeRoom(Self.size(of: value)) else { return }
    if value == 0 {
      unsafe at.storeBytes(of: SeriTag.zero, as: UInt8.self)
      unsafe at += 1
    } else if value != Int64(Int32(truncatingIfNeeded: value)) {
      unsafe at.storeBytes(of: SeriTag.byte8, as: UInt8.self)
      unsafe at.storeBytes(of: value.littleEndian, toByteOffset: 1, as: Int64.self)
      unsafe at += 9
    } else if value < 0 || value >= 65_536 {
      unsafe at.storeBytes(of: SeriTag.byte4, as: UInt8.self)
      unsafe at.storeBytes(of: Int32(truncatingIfNeeded: value).littleEndian, toByteOffset: 1, as: Int32.self)
      unsafe at += 5
    } else if value < 256 {
      unsafe at.storeBytes(of: SeriTag.byte1, as: UInt8.self)
      unsafe at.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: 1, as: UInt8.self)
      unsafe at += 2
    } else {
      unsafe at.storeBytes(of: SeriTag.byte2, as: UInt8.self)
      unsafe at.storeBytes(of: UInt16(truncatingIfNeeded: value).littleEndian, toByteOffset: 1, as: UInt16.self)
      unsafe at += 3
    }
  }

  @inlinable @inline(__always)
  mutating func bytes(_ value: UnsafeRawBufferPointer) {
    values &+= 1
    let count = value.count
    guard unsafe end - at >= count &+ 5 || makeRoom(Self.size(ofString: count)) else { return }
    if count < 32 {
      unsafe at.storeBytes(of: SeriTag.short | UInt8(truncatingIfNeeded: count) << 3, as: UInt8.self)
      unsafe at += 1
    } else if count < 65_536 {
      unsafe at.storeBytes(of: SeriTag.long2, as: UInt8.self)
      unsafe at.storeBytes(of: UInt16(truncatingIfNeeded: count).littleEndian, toByteOffset: 1, as: UInt16.self)
      unsafe at += 3
    } else {
      unsafe at.storeBytes(of: SeriTag.long4, as: UInt8.self)
      unsafe at.storeBytes(of: UInt32(truncatingIfNeeded: count).littleEndian, toByteOffset: 1, as: UInt32.self)
      unsafe at += 5
    }
    if let source = value.baseAddress {
      unsafe at.copyMemory(from: source, byteCount: count)
      unsafe at += count
    }
  }

  @usableFromInline
  static func size(of value: Int64) -> Int {
    if value == 0 { return 1 }
    if value != Int64(Int32(truncatingIfNeeded: value)) { return 9 }
    return value < 0 || value >= 65_536 ? 5 : value < 256 ? 2 : 3
  }

  @usableFromInline
  static func size(ofString count: Int) -> Int { count + (count < 32 ? 1 : count < 65_536 ? 3 : 5) }

  /// Sees to it that exactly `size` more bytes can be written; false, and an error kept, if they must not be.
  @inline(never) @usableFromInline
  mutating func makeRoom(_ size: Int) -> Bool {
    if error != nil { return false }
    if openTables > limits.depth {
      fail(.tooDeep(limit: limits.depth))
      return false
    }
    let count = count
    if size > limits.bytes - count {
      fail(.tooManyBytes(limit: limits.bytes))
      return false
    }
    if size > capacity - count { grow(to: max(capacity * 2, count + size)) }
    return true
  }

  private mutating func grow(to newCapacity: Int) {
    let count = count
    let larger = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    unsafe larger.copyMemory(from: start, byteCount: count)
    if ownsBuffer { unsafe start.deallocate() }
    ownsBuffer = true
    capacity = newCapacity
    unsafe start = larger
    unsafe at = larger + count
    unsafe end = larger + min(newCapacity, limits.bytes)
  }

  /// The table whose contents would have been too deep has ended empty: the usual path is open again.
  @usableFromInline
  mutating func reopen() {
    if error == nil { unsafe end = start + min(capacity, limits.bytes) }
  }
}
