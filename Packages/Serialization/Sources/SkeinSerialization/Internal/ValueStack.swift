// ValueStack: values on their way into tables.
//
// Owns:       a buffer of values that grows.
// Shared by:  nobody.
// Invariants: the first `count` places are initialized, the others are not.

/// Where values wait until their table is complete, so that the table is allocated once and at its size.
@safe
struct ValueStack: ~Copyable {
  private var values: UnsafeMutablePointer<Value>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    unsafe values = .allocate(capacity: self.capacity)
  }

  deinit {
    unsafe values.deinitialize(count: count)
    unsafe values.deallocate()
  }

  mutating func push(_ value: consuming Value) {
    if count == capacity { grow(to: capacity * 2) }
    unsafe (values + count).initialize(to: value)
    count &+= 1
  }

  /// Sees to it that there is room for `more` values.
  mutating func reserve(_ more: Int) {
    if more > capacity - count { grow(to: max(count + more, capacity * 2)) }
  }

  @inline(never)
  private mutating func grow(to newCapacity: Int) {
    let larger = UnsafeMutablePointer<Value>.allocate(capacity: newCapacity)
    unsafe larger.moveInitialize(from: values, count: count)
    unsafe values.deallocate()
    unsafe values = larger
    capacity = newCapacity
  }

  /// The last value, which leaves the stack.
  mutating func pop() -> Value {
    count -= 1
    return unsafe (values + count).move()
  }

  /// Replaces the last value by what it is as a key.
  mutating func normalizeKey() {
    unsafe (values + count - 1).pointee = (values + count - 1).pointee.normalizedKey
  }

  /// Makes a table of the values from `base` on: `arrayCount` elements, then pairs.
  mutating func popTable(from base: Int, arrayCount: Int) -> Table {
    let taken = count - base
    guard taken > 0 else { return Table() }
    var depth = 0
    var holdsObjects = false
    for index in base..<count {
      switch unsafe values[index] {
      case .table(let table):
        depth = max(depth, table.depth)
        holdsObjects = true
      case .bytes(let bytes): holdsObjects = holdsObjects || bytes.isShared
      default: break
      }
    }
    let header = TableHeader(
      arrayCount: arrayCount, pairCount: (taken - arrayCount) / 2, depth: depth + 1, holdsObjects: holdsObjects)
    count = base
    return Table(storage: unsafe .moving(values + base, header))
  }

  /// All values, which leave the stack.
  mutating func popAll() -> [Value] {
    let taken = count
    let source = unsafe values
    count = 0
    return unsafe Array(unsafeUninitializedCapacity: taken) { buffer, initialized in
      if let start = buffer.baseAddress { unsafe start.moveInitialize(from: source, count: taken) }
      initialized = taken
    }
  }
}
