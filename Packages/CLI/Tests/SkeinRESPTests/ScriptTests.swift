import Foundation
import SkeinRESP
import Testing

@Suite("The script of commands that is also given to redis-server") struct ScriptTests {
  private static func lines() throws -> [String] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/redis-script.txt")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func `has at least 150 commands`() throws { #expect(try Self.lines().count >= 150) }

  @Test(arguments: [2, 3, 8])
  func `is answered alike by any number of shards, in pieces and as one pipeline`(shards: Int) throws {
    let lines = try Self.lines()
    var single = Harness()
    var oneByOne = Harness(shards: shards)
    var expected: [UInt8] = []
    for line in lines {
      let command = Array((line + "\r\n").utf8)
      let answer = single.exchange(command)
      #expect(!answer.isEmpty)
      #expect(oneByOne.exchange(command) == answer, "\(line)")
      expected += answer
    }
    var pipelined = Harness(shards: shards)
    let stream = lines.joined(separator: "\r\n") + "\r\n"
    #expect(pipelined.exchange(Array(stream.utf8)) == expected)
    var inPieces = Harness(shards: shards)
    var output: [UInt8] = []
    let bytes = Array(stream.utf8)
    for start in stride(from: 0, to: bytes.count, by: 7) {
      output += inPieces.exchange(Array(bytes[start..<min(start + 7, bytes.count)]))
    }
    #expect(output == expected)
  }
}
