// A table as the map that it is to Lua.

extension Table {
  /// The value for `key`, or nil where there is none.
  ///
  /// - Complexity: O(1) for an index of the array of a table without pairs, else O(number of pairs). To look up many
  ///   keys in a table of many pairs, take ``dictionary``.
  public subscript(key: Value) -> Value {
    let key = key.normalizedKey
    for index in hash.indices.reversed() {
      let pair = hash[index]
      if pair.key.normalizedKey == key { return pair.value }
    }
    if case .integer(let number) = key, number >= 1, number <= Int64(array.count) { return array[Int(number) - 1] }
    return .nil
  }

  /// The entries as a map: later pairs replace earlier entries, and nothing is nil.
  ///
  /// - Complexity: O(number of elements and pairs). Swift's hashing is seeded: chosen keys do not make it slower.
  public var dictionary: [Value: Value] {
    var entries: [Value: Value] = [:]
    entries.reserveCapacity(array.count + hash.count)
    for (index, value) in array.enumerated() { entries[.integer(Int64(index + 1))] = value }
    for (key, value) in hash { entries[key.normalizedKey] = value }
    return entries.filter { !$0.value.isNil }
  }

  /// Whether both have the same entries, whatever their order and whether elements stand in the array or in pairs.
  ///
  /// Values in them are compared in the same way; keys that are tables by their elements and pairs in order.
  ///
  /// - Complexity: O(number of values).
  public func isSameMap(as other: Table) -> Bool {
    if self == other { return true }
    let mine = dictionary
    let others = other.dictionary
    guard mine.count == others.count else { return false }
    for (key, value) in mine {
      guard let opposite = others[key], value.isSameMap(as: opposite) else { return false }
    }
    return true
  }
}

extension Value {
  /// Equality with tables compared as maps; see ``Table/isSameMap(as:)``.
  public func isSameMap(as other: Value) -> Bool {
    if case .table(let left) = self, case .table(let right) = other { return left.isSameMap(as: right) }
    return self == other
  }
}

extension Table: CustomStringConvertible {
  /// The table as Lua would spell it.
  public var description: String {
    let elements = array.map(\.description)
    let pairs = hash.map { pair in "[\(pair.key)] = \(pair.value)" }
    return "{" + (elements + pairs).joined(separator: ", ") + "}"
  }
}

extension Table: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  /// A table of elements.
  public init(arrayLiteral elements: Value...) { self.init(array: elements) }
  /// A table of pairs, in the literal's order.
  public init(dictionaryLiteral elements: (Value, Value)...) { self.init(hash: elements) }
}
