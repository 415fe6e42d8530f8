// ValueBuilder: values of a tree of JSON.

internal import SkeinSerialization

/// Makes values, and counts them and their bytes, since a few letters may stand for many of either.
struct ValueBuilder {
  private let limits: SeriLimits
  private var valuesLeft: Int
  private var bytesLeft: Int

  init(limits: SeriLimits) {
    self.limits = limits
    valuesLeft = limits.values
    bytesLeft = limits.bytes
  }

  mutating func message(_ node: JSONNode) throws(TaggedJSONError) -> [Value] {
    var values: [Value] = []
    for element in try array(node, "the message") { values.append(try value(element, depth: 0)) }
    return values
  }

  private mutating func value(_ node: JSONNode, depth: Int) throws(TaggedJSONError) -> Value {
    if depth > limits.depth { throw TaggedJSONError("tables nest deeper than \(limits.depth)", node.offset) }
    try spendValues(1, node)
    switch try string(try member("t", of: node)) {
    case "nil": return .nil
    case "bool": return .boolean(try boolean(try member("v", of: node)))
    case "int": return .integer(try integer(try member("v", of: node)))
    case "real": return .double(Double(bitPattern: try bits(try member("bits", of: node))))
    case "ptr": return .pointer(try bits(try member("v", of: node)))
    case "str": return .bytes(ByteString(try bytes(node)))
    case "table": return .table(try table(node, depth: depth))
    case let type: throw TaggedJSONError("unknown type '\(type)'", node.offset)
    }
  }

  // MARK: Tables

  private mutating func table(_ node: JSONNode, depth: Int) throws(TaggedJSONError) -> Table {
    var elements: [Value] = []
    if let rule = node.member("array_rep") {
      let count = try size(try member("n", of: rule))
      let node = try member("v", of: rule)
      let before = (valuesLeft, bytesLeft)
      let element = try value(node, depth: depth + 1)
      // The element counts as often as it stands there.
      let cost = (before.0 - valuesLeft, before.1 - bytesLeft)
      for _ in 0..<max(count - 1, 0) {
        try spendValues(cost.0, node)
        try spendBytes(cost.1, node)
        elements.append(element)
      }
      if count > 0 { elements.append(element) }
    } else if let list = node.member("array") {
      for element in try array(list, "'array'") { elements.append(try value(element, depth: depth + 1)) }
    }
    var pairs: [(Value, Value)] = []
    if let list = node.member("hash") {
      for pair in try array(list, "'hash'") {
        let both = try array(pair, "a pair")
        guard both.count == 2 else { throw TaggedJSONError("a pair has a key and a value", pair.offset) }
        pairs.append((try value(both[0], depth: depth + 1), try value(both[1], depth: depth + 1)))
      }
    }
    return Table(array: elements, hash: pairs)
  }

  // MARK: Strings

  private mutating func bytes(_ node: JSONNode) throws(TaggedJSONError) -> [UInt8] {
    if let text = node.member("hex") {
      let bytes = try hex(text)
      try spendBytes(bytes.count, text)
      return bytes
    }
    let count = try size(try member("len", of: node))
    try spendBytes(count, node)
    if let fill = node.member("fill") {
      let byte = try hex(fill)
      guard byte.count == 1 else { throw TaggedJSONError("'fill' is one byte", fill.offset) }
      return [UInt8](repeating: byte[0], count: count)
    }
    let rule = try member("mod", of: node)
    var numbers: [Int] = []
    for number in try array(rule, "'mod'") { numbers.append(try size(number)) }
    guard numbers.count == 3, numbers[2] > 0, numbers[2] <= 256, numbers[0] < 1 << 31, numbers[1] < 1 << 31 else {
      throw TaggedJSONError("'mod' is three numbers, the last from 1 to 256", rule.offset)
    }
    let (factor, offset, modulus) = (numbers[0], numbers[1], numbers[2])
    return (0..<count).map { UInt8(($0 * factor + offset) % modulus) }
  }

  private func hex(_ node: JSONNode) throws(TaggedJSONError) -> [UInt8] {
    let digits = Array(try string(node).utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count - digits.count % 2, by: 2) {
      guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else {
        throw TaggedJSONError("not hexadecimal", node.offset)
      }
      bytes.append(high << 4 | low)
    }
    guard digits.count % 2 == 0 else { throw TaggedJSONError("an odd number of hexadecimal digits", node.offset) }
    return bytes
  }

  // MARK: Parts

  private func member(_ name: String, of node: JSONNode) throws(TaggedJSONError) -> JSONNode {
    guard let member = node.member(name) else { throw TaggedJSONError("the member '\(name)' is missing", node.offset) }
    return member
  }

  private func array(_ node: JSONNode, _ what: String) throws(TaggedJSONError) -> [JSONNode] {
    guard case .array(let elements) = node.content else {
      throw TaggedJSONError("\(what) is not an array", node.offset)
    }
    return elements
  }

  private func string(_ node: JSONNode) throws(TaggedJSONError) -> String {
    guard case .string(let string) = node.content else { throw TaggedJSONError("not a string", node.offset) }
    return string
  }

  private func boolean(_ node: JSONNode) throws(TaggedJSONError) -> Bool {
    guard case .boolean(let value) = node.content else { throw TaggedJSONError("not true or false", node.offset) }
    return value
  }

  /// 64 bits as text in decimal.
  private func integer(_ node: JSONNode) throws(TaggedJSONError) -> Int64 {
    guard let value = Int64(try string(node)) else { throw TaggedJSONError("not a 64-bit integer", node.offset) }
    return value
  }

  /// 64 bits as sixteen hexadecimal digits.
  private func bits(_ node: JSONNode) throws(TaggedJSONError) -> UInt64 {
    let bytes = try hex(node)
    guard bytes.count == 8 else { throw TaggedJSONError("not sixteen hexadecimal digits", node.offset) }
    return bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number from 0 on.
  private func size(_ node: JSONNode) throws(TaggedJSONError) -> Int {
    guard case .number(let text) = node.content, let value = Int(text), text == "\(value)", value >= 0 else {
      throw TaggedJSONError("not a whole number from 0 on", node.offset)
    }
    return value
  }

  private mutating func spendValues(_ count: Int, _ node: JSONNode) throws(TaggedJSONError) {
    guard count <= valuesLeft else { throw TaggedJSONError("more than \(limits.values) values", node.offset) }
    valuesLeft -= count
  }

  private mutating func spendBytes(_ count: Int, _ node: JSONNode) throws(TaggedJSONError) {
    guard count <= bytesLeft else { throw TaggedJSONError("more than \(limits.bytes) bytes", node.offset) }
    bytesLeft -= count
  }
}
