// SerializationCases: messages to bytes and back, by the type that knows them and as values.

public import CaseSupport
internal import SerializationPayloads
internal import SkeinSerialization

/// The serialization layer's cases. One operation is one message.
public let serializationCases: [LayerCase] = [
  LayerCase("Serialization/encode-direct/call", count: 300_000) { try encodeDirect($0, try Payload.call(), $1) },
  LayerCase("Serialization/decode-direct/call", count: 300_000) { try decodeDirect($0, try Payload.call(), $1) },
  LayerCase("Serialization/encode-values/call", count: 300_000) { try encodeValues($0, try Payload.call(), $1) },
  LayerCase("Serialization/decode-values/call", count: 300_000) { try decodeValues($0, try Payload.call(), $1) },
  LayerCase("Serialization/encode-direct/player", count: 30_000) { try encodeDirect($0, try Payload.player(), $1) },
  LayerCase("Serialization/decode-direct/player", count: 30_000) { try decodeDirect($0, try Payload.player(), $1) },
  LayerCase("Serialization/encode-values/player", count: 30_000) { try encodeValues($0, try Payload.player(), $1) },
  LayerCase("Serialization/decode-values/player", count: 30_000) { try decodeValues($0, try Payload.player(), $1) },
  LayerCase("Serialization/encode-direct/10k-integers", count: 500, testCount: 10) {
    try encodeDirect($0, try Payload.integers(), $1)
  },
  LayerCase("Serialization/decode-direct/10k-integers", count: 500, testCount: 10) {
    try decodeDirect($0, try Payload.integers(), $1)
  },
  LayerCase("Serialization/encode-values/10k-integers", count: 500, testCount: 10) {
    try encodeValues($0, try Payload.integers(), $1)
  },
  LayerCase("Serialization/decode-values/10k-integers", count: 500, testCount: 10) {
    try decodeValues($0, try Payload.integers(), $1)
  },
]

/// Into one buffer again and again; the bytes are compared at the end.
private func encode(
  _ count: Int, _ payload: Payload, _ meter: any Meter, _ write: (inout SeriWriter) -> Void
) throws -> UInt64 {
  var writer = SeriWriter()
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    writer.reset()
    write(&writer)
    if writer.count == payload.bytes.count { sum &+= UInt64(number) }
  }
  meter.stop()
  let written = try writer.finish()
  precondition(written == payload.bytes)
  return sum
}

private func encodeDirect(_ count: Int, _ payload: Payload, _ meter: any Meter) throws -> UInt64 {
  try encode(count, payload, meter, payload.write)
}

private func encodeValues(_ count: Int, _ payload: Payload, _ meter: any Meter) throws -> UInt64 {
  try encode(count, payload, meter) { payload.writeValues(to: &$0) }
}

private func decodeDirect(_ count: Int, _ payload: Payload, _ meter: any Meter) throws -> UInt64 {
  let expected = try Seri.read(payload.bytes, payload.read)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    if try Seri.read(payload.bytes, payload.read) == expected { sum &+= UInt64(number) }
  }
  meter.stop()
  return sum
}

private func decodeValues(_ count: Int, _ payload: Payload, _ meter: any Meter) throws -> UInt64 {
  var sum: UInt64 = 0
  var last: [Value] = []
  meter.start()
  for number in 0..<count {
    last = try Seri.decode(payload.bytes)
    sum &+= UInt64(number)
  }
  meter.stop()
  precondition(last == payload.values)
  return sum
}
