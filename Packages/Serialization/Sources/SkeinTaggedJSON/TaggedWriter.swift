// TaggedWriter: values to JSON.

internal import SkeinSerialization

/// Collects the text.
struct TaggedWriter {
  private(set) var text: [UInt8] = []

  private static let digits = Array("0123456789abcdef".utf8)

  private mutating func put(_ part: String) { text += part.utf8 }

  private mutating func put(hex bytes: some Sequence<UInt8>) {
    for byte in bytes {
      text.append(Self.digits[Int(byte >> 4)])
      text.append(Self.digits[Int(byte & 15)])
    }
  }

  private mutating func put(bits: UInt64) {
    put(hex: (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) })
  }

  /// An array of whatever `each` writes.
  mutating func list<Element>(_ elements: some Sequence<Element>, _ each: (inout TaggedWriter, Element) -> Void) {
    put("[")
    var isFirst = true
    for element in elements {
      if !isFirst { put(",") }
      isFirst = false
      each(&self, element)
    }
    put("]")
  }

  /// One tagged value.
  mutating func value(_ value: Value) {
    switch value {
    case .nil: put("{\"t\":\"nil\"}")
    case .boolean(let value): put("{\"t\":\"bool\",\"v\":\(value)}")
    case .integer(let value): put("{\"t\":\"int\",\"v\":\"\(value)\"}")
    case .double(let value):
      put("{\"t\":\"real\",\"bits\":\"")
      put(bits: value.bitPattern)
      put("\",\"text\":\"\(value)\"}")
    case .pointer(let value):
      put("{\"t\":\"ptr\",\"v\":\"")
      put(bits: value)
      put("\"}")
    case .bytes(let value):
      put("{\"t\":\"str\",\"hex\":\"")
      put(hex: value)
      put("\"}")
    case .table(let value):
      put("{\"t\":\"table\",\"array\":")
      list(value.array) { writer, element in writer.value(element) }
      put(",\"hash\":")
      list(value.hash) { writer, pair in
        writer.list([pair.key, pair.value]) { writer, value in writer.value(value) }
      }
      put("}")
    }
  }
}
