// Table: array elements and pairs, as they stand on the wire.

/// A table: elements for the indices 1, 2, … and then pairs, in the order of the wire.
///
/// A table does not change; to change one, make another. It is one heap object, an empty one none. As a map, which it is
/// to Lua, element `i` has the integer key `i`, a later pair replaces an earlier entry with its key, and an entry whose
/// value is nil is not there: ``subscript(_:)-(Value)`` and ``dictionary`` follow that, and ``array`` and ``hash`` show
/// what was written.
///
/// ```swift
/// let table = Table(array: [10, 20], hash: [("name", "x")])
/// table["name"]      // "x"
/// table[2]           // 20
/// table.array.count  // 2
/// ```
///
/// Tables as keys are compared by their contents. (Lua compares them by identity.)
public struct Table {
  /// Greatest number of tables with contents that may lie within one another, whatever the limits; it keeps the
  /// recursion that releases them shallow.
  public static let maximumDepth = 256

  /// Nil for the empty table.
  @usableFromInline let storage: TableStorage?

  @inlinable
  init(storage: TableStorage?) { self.storage = storage }

  /// The empty table.
  @inlinable
  public init() { storage = nil }

  /// Makes a table of elements and pairs, which it keeps as they are.
  ///
  /// - Precondition: no more than ``maximumDepth`` tables with contents lie within one another; ask ``Value/depth``
  ///   before building on what a stranger sent. Fewer than 2^31 elements and pairs.
  /// - Complexity: O(number of values).
  public init(array: some Collection<Value> = [], hash: some Collection<(Value, Value)> = []) {
    let count = array.count + 2 * hash.count
    precondition(count < 1 << 31, "a table has fewer than 2^31 values")
    guard count > 0 else {
      storage = nil
      return
    }
    var stack = ValueStack(capacity: count)
    for value in array { stack.push(value) }
    for (key, value) in hash {
      stack.push(key)
      stack.push(value)
    }
    self = stack.popTable(from: 0, arrayCount: array.count)
    precondition(depth <= Self.maximumDepth, "more than \(Self.maximumDepth) tables lie within one another")
  }

  /// Number of tables with contents that lie within one another, this one included: 0 if it is empty, else one more
  /// than the greatest depth of a value in it.
  @inlinable
  public var depth: Int { storage.map { Int($0.header.depth) } ?? 0 }

  /// Whether it has neither elements nor pairs.
  @inlinable
  public var isEmpty: Bool { storage == nil }

  /// The elements for 1, 2, …, as they were written; there may be nils among them.
  @inlinable
  public var array: Elements { Elements(table: self) }

  /// The pairs in the order of the wire, as they were written.
  @inlinable
  public var hash: Pairs { Pairs(table: self) }

  /// A view of a table's elements, which shares the table and copies nothing.
  public struct Elements: RandomAccessCollection, Sendable {
    @usableFromInline let table: Table
    /// The number of elements.
    public let endIndex: Int

    @inlinable
    init(table: Table) {
      self.table = table
      endIndex = table.storage.map { Int($0.header.arrayCount) } ?? 0
    }

    /// Where the elements begin: 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The element for the key `index + 1`.
    @inlinable
    public subscript(index: Int) -> Value {
      guard let storage = table.storage, index >= 0, index < endIndex else {
        preconditionFailure("the index is within the array")
      }
      return storage.value(at: index)
    }
  }

  /// A view of a table's pairs, which shares the table and copies nothing.
  public struct Pairs: RandomAccessCollection, Sendable {
    /// A key and its value.
    public typealias Element = (key: Value, value: Value)

    @usableFromInline let table: Table
    /// The number of pairs.
    public let endIndex: Int

    @inlinable
    init(table: Table) {
      self.table = table
      endIndex = table.storage.map { Int($0.header.pairCount) } ?? 0
    }

    /// Where the pairs begin: 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The pair at `index`.
    @inlinable
    public subscript(index: Int) -> (key: Value, value: Value) {
      guard let storage = table.storage, index >= 0, index < endIndex else {
        preconditionFailure("the index is within the pairs")
      }
      let place = Int(storage.header.arrayCount) + 2 * index
      return (storage.value(at: place), storage.value(at: place + 1))
    }
  }
}

// @unchecked: a storage object is changed by nobody after `TableStorage.moving` has made it.
extension Table: @unchecked Sendable {}

extension Table: Hashable {
  /// Equality of what would be written: the elements and the pairs in order. See ``isSameMap(as:)``.
  @inlinable
  public static func == (left: Table, right: Table) -> Bool {
    switch (left.storage, right.storage) {
    case (nil, nil): true
    case (let left?, let right?): left.isEqual(right)
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(array.count)
    for value in array { hasher.combine(value) }
    for (key, value) in hash {
      hasher.combine(key)
      hasher.combine(value)
    }
  }
}
