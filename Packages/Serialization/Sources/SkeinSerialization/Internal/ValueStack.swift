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
    if count == capacity { grow() }
    unsafe (values + count).initialize(to: value)
    count &+= 1
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: values, count: count)
    unsafe values.deallocate()
    unsafe values = larger
    capacity *= 2
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
    for index in base..<count {
      if case .table(let table) = unsafe values[index] { depth = max(depth, table.depth) }
    }
    let header = TableHeader(arrayCount: arrayCount, pairCount: (taken - arrayCount) / 2, depth: depth + 1)
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
