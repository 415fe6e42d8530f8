// Prints what one message costs to write and to read, one line of JSON for each payload and form:
//   direct   between bytes and a type that knows them
//   tree     between bytes and values

import Glibc
import SerializationPayloads
import SkeinSerialization

/// Nanoseconds of a call: the mean over a stretch of about 20 ms, the best of fifteen.
func cost(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  var rounds = 10
  var best = Double.infinity
  var stretches = 0
  while stretches < 15 {
    let start = clock.now
    for _ in 0..<rounds { try body() }
    let nanoseconds = (clock.now - start) / .nanoseconds(1)
    if nanoseconds < 10_000_000 {
      rounds *= 2
      continue
    }
    stretches += 1
    best = min(best, nanoseconds / Double(rounds))
  }
  return best
}

/// One decimal.
func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }

func report(_ form: String, _ payload: Payload, encode: Double, decode: Double) {
  let name = "skein-seri \(form) \(payload.name)"
  print(
    "{\"name\":\"\(name)\",\"bytes\":\(payload.bytes.count),\"encode_ns\":\(rounded(encode)),"
      + "\"decode_ns\":\(rounded(decode))}")
}

/// Only what is named like the argument is measured, as in `tree player decode`.
let wanted = CommandLine.arguments.dropFirst().joined(separator: " ")

/// The cost of what is wanted, else zero.
func measured(_ name: String, _ body: () throws -> Void) rethrows -> Double {
  wanted.isEmpty || name == wanted ? try cost(body) : 0
}

for payload in try Payload.all() {
  let expected = try Seri.read(payload.bytes, payload.read)
  let direct = try decode("direct", payload) {
    let sum = try Seri.read(payload.bytes, payload.read)
    precondition(sum == expected)
  }
  report("direct", payload, encode: try encode("direct", payload, payload.write), decode: direct)
  let tree = try decode("tree", payload) {
    let values = try Seri.decode(payload.bytes)
    precondition(values.count == payload.values.count)
  }
  report("tree", payload, encode: try encode("tree", payload, payload.writeValues), decode: tree)
}

/// Writes into a buffer that is used again.
func encode(_ form: String, _ payload: Payload, _ write: (inout SeriWriter) -> Void) throws -> Double {
  var writer = SeriWriter()
  let cost = try measured("\(form) \(payload.name) encode") {
    writer.reset()
    write(&writer)
    try writer.withBytes { (bytes) throws(SeriError) in precondition(bytes.byteCount == payload.bytes.count) }
  }
  return cost
}

func decode(_ form: String, _ payload: Payload, _ read: () throws -> Void) throws -> Double {
  try measured("\(form) \(payload.name) decode", read)
}
