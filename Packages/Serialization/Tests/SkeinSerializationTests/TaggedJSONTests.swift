import SkeinSerialization
import SkeinTaggedJSON
import Testing

/// A text, and the error that it is.
private struct Wrong: Sendable, CustomTestStringConvertible {
  let text: String
  let error: String
  var testDescription: String { text }

  init(_ text: String, _ error: String) {
    self.text = text
    self.error = error
  }
}

private let wrongs = [
  Wrong("", "the text ends where a value should be at byte 0"),
  Wrong("[", "the text ends where a value should be at byte 1"),
  Wrong("[] x", "more after the end at byte 3"),
  Wrong("{}", "the message is not an array at byte 0"),
  Wrong("[1]", "the member 't' is missing at byte 1"),
  Wrong(#"[{"t":"int","v":5}]"#, "not a string at byte 16"),
  Wrong(#"[{"t":"int","v":"9223372036854775808"}]"#, "not a 64-bit integer at byte 16"),
  Wrong(#"[{"t":"int"}]"#, "the member 'v' is missing at byte 1"),
  Wrong(#"[{"t":"float","v":"1"}]"#, "unknown type 'float' at byte 1"),
  Wrong(#"[{"t":"real","bits":"3ff"}]"#, "an odd number of hexadecimal digits at byte 20"),
  Wrong(#"[{"t":"real","bits":"3ff0"}]"#, "not sixteen hexadecimal digits at byte 20"),
  Wrong(#"[{"t":"str","hex":"6x"}]"#, "not hexadecimal at byte 18"),
  Wrong(#"[{"t":"str","len":-1,"fill":"61"}]"#, "not a whole number from 0 on at byte 18"),
  Wrong(#"[{"t":"str","len":01,"fill":"61"}]"#, "not a whole number from 0 on at byte 18"),
  Wrong(#"[{"t":"str","len":99999999999,"fill":"61"}]"#, "more than 16777216 bytes at byte 1"),
  Wrong(#"[{"t":"str","len":2,"mod":[1,2]}]"#, "'mod' is three numbers, the last from 1 to 256 at byte 26"),
  Wrong(#"[{"t":"table","array":[],"hash":[[{"t":"nil"}]]}]"#, "a pair has a key and a value at byte 33"),
  Wrong(
    #"[{"t":"table","array_rep":{"n":1000000000000,"v":{"t":"nil"}}}]"#, "more than 1000000 values at byte 49"),
  Wrong(#"[{"t":"bool","v":tru}]"#, "expected a value at byte 17"),
  Wrong(#"["a]"#, "a string without an end at byte 1"),
  Wrong(#"["\ud800"]"#, "half a surrogate pair at byte 2"),
  Wrong(#"["\q"]"#, "an unknown escape at byte 2"),
  Wrong(String(repeating: "[", count: 100_000), "nested too deep at byte 105"),
]

@Suite("Tagged JSON") struct TaggedJSONTests {
  @Test(arguments: wrongs)
  private func `a wrong text is refused with its place`(wrong: Wrong) {
    do throws(TaggedJSONError) {
      _ = try TaggedJSON.decode(wrong.text)
      Issue.record("it was read")
    } catch { #expect(error.description == wrong.error) }
  }

  @Test func `every form is read`() throws {
    let text = #"""
      [ {"t":"nil"}, {"v":true,"t":"bool","note":[{}, null, "\u0041\uD83D\uDE42\n"]}, {"t":"int","v":"-9223372036854775808"},
        {"t":"real","bits":"BFF0000000000000"}, {"t":"str","hex":"00Ff"}, {"t":"str","len":3,"fill":"61"},
        {"t":"str","len":4,"mod":[100,7,256]}, {"t":"ptr","v":"00007f0012345678"},
        {"t":"table","array_rep":{"n":2,"v":{"t":"int","v":"1"}},"hash":[[{"t":"int","v":"5"},{"t":"nil"}]]} ]
      """#
    let values = try TaggedJSON.decode(text)
    let expected: [Value] = [
      nil, true, .integer(.min), -1.0, Value([0x00, 0xff]), "aaa", Value([7, 107, 207, 51]),
      .pointer(0x7f00_1234_5678), .table(Table(array: [1, 1], hash: [(5, nil)])),
    ]
    #expect(values == expected)
    #expect(try TaggedJSON.decode(TaggedJSON.encode(values)) == values)
  }

  @Test func `it is written on one line`() {
    #expect(TaggedJSON.encode([]) == "[]")
    let text = TaggedJSON.encode([1.5, [nil, "a"], ["k": .pointer(1)]])
    #expect(
      text == #"[{"t":"real","bits":"3ff8000000000000","text":"1.5"},"#
        + #"{"t":"table","array":[{"t":"nil"},{"t":"str","hex":"61"}],"hash":[]},"#
        + #"{"t":"table","array":[],"hash":[[{"t":"str","hex":"6b"},{"t":"ptr","v":"0000000000000001"}]]}]"#)
  }

  @Test func `tables nest as deep as the limit`() throws {
    func text(_ count: Int) -> String {
      let open = #"{"t":"table","hash":[[{"t":"nil"},"#
      return "[" + String(repeating: open, count: count) + #"{"t":"nil"}"# + String(repeating: "]]}", count: count)
        + "]"
    }
    let limits = SeriLimits(depth: 5)
    #expect(try TaggedJSON.decode(text(5), limits: limits).first?.depth == 5)
    #expect(throws: TaggedJSONError.self) { try TaggedJSON.decode(text(6), limits: limits) }
    #expect(try TaggedJSON.decode(text(256), limits: SeriLimits(depth: 256)).first?.depth == 256)
    #expect(throws: TaggedJSONError.self) { try TaggedJSON.decode(text(257), limits: SeriLimits(depth: 256)) }
  }
}
