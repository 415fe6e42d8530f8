import CSeriTestSupport
import SkeinSerialization
import Testing

/// An input and what it is.
struct Hostile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]
  /// Whether it is a message after all.
  var isMessage = false

  init(_ name: String, _ bytes: [UInt8], isMessage: Bool = false) {
    testDescription = name
    self.bytes = bytes
    self.isMessage = isMessage
  }
}

private func many(_ text: String, _ count: Int) -> [UInt8] { Array(repeatElement(hex(text), count: count).joined()) }

/// 33 tables within one another, as often as they fit into 200 KB.
private let chains = many(String(repeating: "0e", count: 32) + "06" + String(repeating: "00", count: 33), 3_000)

private let inputs = [
  Hostile("a count of 10^8 in six bytes", hex("fe 22 00 e1 f5 05")),
  Hostile("a count of 2^31 - 1", hex("fe 22 ff ff ff 7f 00")),
  Hostile("a string of 2 GB in eight bytes", hex("25 ff ff ff 7f 61 62 63")),
  Hostile("200,000 tables begun", many("0e", 200_000)),
  Hostile("400 KB of nested tables", many("0e", 200_000) + many("00", 200_000)),
  Hostile("counts as large as the input allows", many("fe 22 00 40 01 00", 20_000)),
  Hostile("tables with 30 elements begun", many("f6", 100_000)),
  Hostile("keys begun", many("06 0c 61", 100_000)),
  Hostile("200,000 nils", many("00", 200_000), isMessage: true),
  Hostile("strings of one byte", many("0c 61", 100_000), isMessage: true),
  Hostile("strings of fifteen bytes", many("7c 616161616161616161616161616161", 10_000), isMessage: true),
  Hostile("empty tables", many("06 00", 100_000), isMessage: true),
  Hostile("tables of one nil", many("0e 00 00", 60_000), isMessage: true),
  Hostile("tables of one pair", many("06 09 09 00", 50_000), isMessage: true),
  Hostile("chains of 33 tables", chains, isMessage: true),
  Hostile("one key again and again", hex("06") + many("0c 61 02", 60_000) + hex("00"), isMessage: true),
  Hostile("200,000 nils and then an error", many("00", 200_000) + hex("07")),
]

/// A type that contains itself.
private struct Tree: SeriReadable {
  let children: [Tree]
  init(reading reader: inout SeriReader) throws(SeriError) { children = try reader.read() }
}

@Suite("Hostile input") struct HostileInputTests {
  @Test(.enabled(if: seri_heap_is_counted() == 1), arguments: inputs)
  func `takes at most 64 times its size and 64 KiB of memory`(input: Hostile) {
    // The first time the language's runtime allocates what it keeps.
    _ = decode(input.bytes)
    seri_heap_begin()
    let isMessage = decode(input.bytes)
    let peak = seri_heap_peak()
    let held = seri_heap_held()
    #expect(isMessage == input.isMessage)
    #expect(peak <= 64 * Int64(input.bytes.count) + 65_536)
    // What was made for it is gone: nothing leaks, after an error neither.
    #expect(held == 0)
  }

  @Test(arguments: inputs)
  func `is refused by reading over it just as by keeping it`(input: Hostile) {
    let skipped = error { () throws(SeriError) in
      try Seri.read(input.bytes) { (reader) throws(SeriError) in
        while !reader.isAtEnd { try reader.skip() }
      }
    }
    #expect(skipped == decodeError(input.bytes))
    #expect((skipped == nil) == input.isMessage)
  }

  @Test(.enabled(if: seri_heap_is_counted() == 1))
  func `an announced count reserves nothing when it is read into an array`() {
    let bytes = hex("fe 22 a0 86 01 00") + [UInt8](repeating: 0x00, count: 110_000)
    seri_heap_begin()
    let error = error { () throws(SeriError) in try Seri.decode(one: [String].self, from: bytes) }
    #expect(seri_heap_peak() <= 64 * Int64(bytes.count) + 65_536)
    #expect(error?.offset == 6)
  }

  @Test(.enabled(if: seri_heap_is_counted() == 1))
  func `announced counts within one another reserve little`() {
    // Each of 31 arrays announces as many elements as there are bytes, and has one: the next array.
    let bytes = many("fe 22 00 e0 00 00", 31) + [UInt8](repeating: 0x00, count: 60_000)
    _ = error { () throws(SeriError) in try Seri.decode(one: Tree.self, from: bytes) }
    seri_heap_begin()
    let error = error { () throws(SeriError) in try Seri.decode(one: Tree.self, from: bytes) }
    #expect(seri_heap_peak() <= 64 * Int64(bytes.count) + 65_536)
    #expect(error?.reason == .mismatch(expected: .table, found: .nil))
  }

  private func decode(_ bytes: [UInt8]) -> Bool { decodeError(bytes) == nil }
}
