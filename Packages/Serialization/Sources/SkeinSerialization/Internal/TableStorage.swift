// TableStorage: the one heap object of a table.

/// How the values of a table lie: the array's elements first, then key, value, key, value.
@usableFromInline
struct TableHeader: Sendable {
  @usableFromInline var arrayCount: UInt32
  @usableFromInline var pairCount: UInt32
  /// Tables with contents within one another, this one included.
  @usableFromInline var depth: UInt16
  /// Whether a value among them holds an object, and so has to be released.
  @usableFromInline var holdsObjects: Bool

  @inlinable
  init(arrayCount: Int, pairCount: Int, depth: Int, holdsObjects: Bool) {
    self.arrayCount = UInt32(arrayCount)
    self.pairCount = UInt32(pairCount)
    self.depth = UInt16(depth)
    self.holdsObjects = holdsObjects
  }

  @inlinable
  var valueCount: Int { Int(arrayCount) + 2 * Int(pairCount) }
}

/// The values of a table, all initialized while the object lives and never changed.
@safe @usableFromInline
final class TableStorage: ManagedBuffer<TableHeader, Value> {
  deinit {
    unsafe withUnsafeMutablePointers { header, values in
      guard unsafe header.pointee.holdsObjects else { return }
      // One by one: for all at once the language's runtime calls a function for each.
      for index in 0..<(unsafe header.pointee.valueCount) { unsafe (values + index).deinitialize(count: 1) }
    }
  }

  /// Moves values out of `source` into a new object.
  ///
  /// Depth is at most `Table.maximumDepth`, which bounds the recursion of releasing, comparing and writing a table.
  static func moving(_ source: UnsafeMutablePointer<Value>, _ header: TableHeader) -> TableStorage {
    let count = header.valueCount
    let made = TableStorage.create(minimumCapacity: count) { _ in header }
    unsafe made.withUnsafeMutablePointerToElements { values in
      unsafe values.moveInitialize(from: source, count: count)
    }
    return unsafe unsafeDowncast(made, to: TableStorage.self)
  }

  /// The value at `index`, counted as they lie.
  @inlinable
  func value(at index: Int) -> Value {
    unsafe withUnsafeMutablePointerToElements { values in unsafe values[index] }
  }

  @inlinable
  func isEqual(_ other: TableStorage) -> Bool {
    if self === other { return true }
    let count = header.valueCount
    guard header.arrayCount == other.header.arrayCount, count == other.header.valueCount else { return false }
    for index in 0..<count where value(at: index) != other.value(at: index) { return false }
    return true
  }
}
