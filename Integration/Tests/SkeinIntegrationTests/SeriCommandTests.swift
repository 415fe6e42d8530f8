// SeriCommandTests: `skein seri` over the vectors that a real Skynet node has made.

import Foundation
import Testing

extension Integration {
  @Suite("Commands: seri") struct SeriCommandTests {
    /// One line of the vectors.
    private struct Vector {
      let note: String
      let hex: String
      let policy: String?
      let value: [[String: Any]]

      static func read(_ file: String) throws -> [Vector] {
        let text = try String(contentsOf: Environment.repositoryFile("Tests/Vectors/\(file)"), encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
          guard let hex = object["hex"] as? String else { return nil }
          return Vector(
            note: object["note"] as? String ?? "", hex: hex, policy: object["policy"] as? String,
            value: object["value"] as? [[String: Any]] ?? [])
        }
      }
    }

    /// Runs `skein seri` with a file of these lines as its input.
    private static func run(_ direction: String, _ lines: [String]) throws -> (lines: [String], status: ExitStatus) {
      let file = FileManager.default.temporaryDirectory.appending(path: "skein-seri-\(UUID().uuidString)")
      try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      let result = try runTool(
        "sh", ["-c", "exec \"$0\" seri \(direction) < \"$1\"", try Environment.skein(), file.path])
      #expect(result.errors.isEmpty, "\(result.errors)")
      var output = result.output.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
      try #require(output.popLast() == "", "the last line has an end")
      return (output, result.status)
    }

    private static func message(_ line: String) throws -> [[String: Any]] {
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [[String: Any]], "\(line)")
    }

    @Test func `all messages of Skynet that are given in full are read and written alike`() throws {
      let vectors = try Vector.read("seri.jsonl")
      #expect(vectors.count > 300)
      let decoded = try Self.run("decode", vectors.map(\.hex))
      #expect(decoded.status == .code(0))
      try #require(decoded.lines.count == vectors.count)
      for (line, vector) in zip(decoded.lines, vectors) {
        let (ours, theirs) = try (canonical(Self.message(line)), canonical(vector.value))
        #expect(ours == theirs, "\(vector.note)")
      }
      let json = try vectors.map { vector in
        String(decoding: try JSONSerialization.data(withJSONObject: vector.value), as: UTF8.self)
      }
      let encoded = try Self.run("encode", json)
      #expect(encoded.status == .code(0))
      #expect(encoded.lines.count == vectors.count)
      for (line, vector) in zip(encoded.lines, vectors) { #expect(line == vector.hex, "\(vector.note)") }
    }

    @Test func `what no writer makes is read or rejected as the policy says, and the run goes on`() throws {
      let vectors = try Vector.read("seri-decode.jsonl")
      #expect(vectors.count == 109)
      let decoded = try Self.run("decode", vectors.map(\.hex))
      #expect(decoded.status == .code(1))
      try #require(decoded.lines.count == vectors.count)
      for (line, vector) in zip(decoded.lines, vectors) {
        if vector.policy == "accept" {
          let (ours, theirs) = try (canonical(Self.message(line)), canonical(vector.value))
          #expect(ours == theirs, "\(vector.note)")
        } else {
          #expect(line.wholeMatch(of: /error: .+ at byte \d+/) != nil, "\(vector.note): \(line)")
        }
      }
    }

    @Test func `hexadecimal that is none is rejected with its place, and every line has one line`() throws {
      let lines = ["0a01", "0a0", "zz", "", "0A01", "0a01 0a02", "1cc3", "0a01é", "\u{0}", "00\r"]
      let decoded = try Self.run("decode", lines)
      #expect(decoded.status == .code(1))
      try #require(decoded.lines.count == lines.count, "\(decoded.lines)")
      for index in [1, 2, 5, 6, 7, 8] {
        #expect(decoded.lines[index].wholeMatch(of: /error: .+ at byte \d+/) != nil, "\(decoded.lines[index])")
      }
      #expect(decoded.lines[1].hasSuffix("at byte 1"))
      #expect(decoded.lines[2].hasSuffix("at byte 0"))
      #expect(decoded.lines[5].hasSuffix("at byte 2"))
      #expect(decoded.lines[3] == "[]", "no bytes are no values")
      #expect(decoded.lines[0] == decoded.lines[4])
    }

    @Test func `JSON that is no message is rejected with its place, and the run goes on`() throws {
      let good = #"[{"t":"int","v":"1"}]"#
      let bad = [
        "", "{", "5", "[5]", #"[{"t":"int"}]"#, #"[{"t":"odd"}]"#, #"[{"t":"int","v":"9223372036854775808"}]"#,
        #"[{"t":"str","hex":"abc"}]"#, #"[{"t":"table","array":[],"hash":[[{"t":"nil"},{"t":"nil"}]]}]"#, good + good,
        String(repeating: "[", count: 100_000), #"[{"t":"str","len":99999999999,"fill":"61"}]"#, "\u{0}",
      ]
      let encoded = try Self.run("encode", bad.flatMap { [$0, good] })
      #expect(encoded.status == .code(1))
      try #require(encoded.lines.count == 2 * bad.count)
      for (index, text) in bad.enumerated() {
        let line = encoded.lines[2 * index]
        #expect(line.wholeMatch(of: /error: .+ at byte \d+/) != nil, "\(text.prefix(80)): \(line)")
        #expect(encoded.lines[2 * index + 1] == "0a01")
      }
    }

    @Test func `lines are answered while the input goes on, and the last one needs no end`() throws {
      let child = try ChildProcess(Environment.skein(), ["seri", "decode"])
      try child.writeLine("0a01")
      try #expect(child.readLine() == #"[{"t":"int","v":"1"}]"#)
      child.closeInput()
      try #expect(child.waitForExit() == .code(0))
      #expect(child.restOfOutput.isEmpty)
      let cut = try runTool("sh", ["-c", "printf 0a01 | \"$0\" seri decode", try Environment.skein()])
      #expect(cut.output == "[{\"t\":\"int\",\"v\":\"1\"}]\n" && cut.status == .code(0))
    }
  }
}

/// A message in one spelling, whatever the order of its tables' entries.
private func canonical(_ message: [[String: Any]]) -> String { message.map { canonical($0) }.joined(separator: " ") }

private func canonical(_ value: [String: Any]) -> String {
  let type = value["t"] as? String ?? "?"
  switch type {
  case "nil": return "nil"
  case "bool": return "\(value["v"] as? Bool ?? false)"
  case "int", "ptr": return "\(type) \(value["v"] as? String ?? "?")"
  case "real": return "real \(value["bits"] as? String ?? "?")"
  case "str": return "str \(value["hex"] as? String ?? filled(value))"
  case "table": return table(value)
  default: return "unknown \(type)"
  }
}

/// The digits of a string that is described and not spelled.
private func filled(_ value: [String: Any]) -> String {
  let count = value["len"] as? Int ?? 0
  if let fill = value["fill"] as? String { return String(repeating: fill, count: count) }
  guard let mod = value["mod"] as? [Int], mod.count == 3 else { return "?" }
  return Wire.hex((0..<count).map { UInt8((mod[0] * $0 + mod[1]) % mod[2]) })
}

/// Entries as Lua holds them: element i has the key i, a later pair replaces an earlier one, a nil is no entry.
private func table(_ value: [String: Any]) -> String {
  var entries: [String: String] = [:]
  var array = value["array"] as? [[String: Any]] ?? []
  if let rep = value["array_rep"] as? [String: Any], let count = rep["n"] as? Int,
    let element = rep["v"] as? [String: Any]
  {
    array = Array(repeating: element, count: count)
  }
  for (index, element) in array.enumerated() { entries["int \(index + 1)"] = canonical(element) }
  for pair in value["hash"] as? [[[String: Any]]] ?? [] { entries[key(canonical(pair[0]))] = canonical(pair[1]) }
  let sorted = entries.filter { $0.value != "nil" }.sorted { $0.key < $1.key }
  return "{" + sorted.map { "[\($0.key)] = \($0.value)" }.joined(separator: ", ") + "}"
}

/// A key that is an integral double is the integer.
private func key(_ text: String) -> String {
  guard text.hasPrefix("real "), let bits = UInt64(text.dropFirst(5), radix: 16),
    let integer = Int64(exactly: Double(bitPattern: bits))
  else { return text }
  return "int \(integer)"
}
