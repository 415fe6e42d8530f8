import SkeinSerialization
import SkeinTaggedJSON
import Testing

private let encodings = vectors("seri.jsonl")
private let inputs = vectors("seri-decode.jsonl")

@Suite("Vectors of Skynet") struct VectorTests {
  @Test func `all lines are there`() {
    #expect(encodings.count == 370)
    #expect(inputs.count == 109)
  }

  @Test(arguments: encodings)
  func `a message is written as Skynet writes it`(line: VectorLine) throws {
    let bytes = try Seri.encode(try #require(line.value))
    #expect(String(bytes.count) == line.members["bytes"])
    if let expected = line.members["hex"] {
      #expect(hex(bytes) == expected)
    } else {
      #expect(hex(bytes.prefix(48)) == line.members["head"])
      #expect(hex(bytes.suffix(16)) == line.members["tail"])
      #expect(hex(sha256(bytes)) == line.members["sha256"])
    }
  }

  @Test(arguments: encodings)
  func `what Skynet wrote is read`(line: VectorLine) throws {
    let value = try #require(line.value)
    let bytes = try line.members["hex"].map { hex($0) } ?? Seri.encode(value)
    let read = try Seri.decode(bytes)
    #expect(read.count == value.count)
    for (left, right) in zip(read, value) { #expect(left.isSameMap(as: right)) }
    #expect(try Seri.encode(read).count == bytes.count)
  }

  @Test(arguments: encodings)
  func `a message comes back from tagged JSON`(line: VectorLine) throws {
    let value = try #require(line.value)
    #expect(try TaggedJSON.decode(TaggedJSON.encode(value)) == value)
  }

  @Test(arguments: inputs)
  func `an odd input is read or refused as its policy says`(line: VectorLine) throws {
    let bytes = hex(try #require(line.members["hex"]))
    switch try #require(line.members["policy"]) {
    case "accept":
      let read = try Seri.decode(bytes)
      let value = try #require(line.value)
      #expect(read.count == value.count)
      for (left, right) in zip(read, value) { #expect(left.isSameMap(as: right)) }
    case "reject", "either":
      let error = try #require(decodeError(bytes))
      #expect((0...bytes.count).contains(error.offset))
    case let policy:
      Issue.record("an unknown policy: \(policy)")
    }
  }

  @Test(arguments: inputs.filter { $0.note.hasPrefix("nesting of") })
  func `a greater limit of depth lets deeper tables in`(line: VectorLine) throws {
    let bytes = hex(try #require(line.members["hex"]))
    let read = try Seri.decode(bytes, limits: SeriLimits(depth: 200))
    let value = try #require(line.value)
    #expect(read == value)
    #expect(try Seri.encode(value, limits: SeriLimits(depth: 200)) == bytes)
  }
}
