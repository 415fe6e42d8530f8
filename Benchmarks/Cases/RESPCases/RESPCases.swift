// RESPCases: reading requests and writing answers of Redis' protocol.

public import CaseSupport
internal import SkeinRESP

/// The protocol's cases.
public let respCases: [LayerCase] = [
  LayerCase("RESP/parse/SET-in-pipelines-of-16", count: 320_000, testCount: 1_600, expected: threeEach) {
    try parse($0, request: set(valueBytes: 3), perRead: 16, $1)
  },
  LayerCase("RESP/parse/SET-one-a-read", count: 100_000, expected: threeEach) {
    try parse($0, request: set(valueBytes: 3), perRead: 1, $1)
  },
  LayerCase("RESP/parse/inline-SET-in-pipelines-of-16", count: 320_000, testCount: 1_600, expected: threeEach) {
    try parse($0, request: Array("SET key:000000000001 abc\r\n".utf8), perRead: 16, $1)
  },
  LayerCase("RESP/parse/SET-of-64KB-in-16KB-reads", count: 1_000, testCount: 10, expected: threeEach, run: parsePieces),
  LayerCase("RESP/reply/OK-integer-and-bulk", count: 300_000, testCount: 300, run: reply),
]

/// Each request has three arguments.
private let threeEach: @Sendable (Int) -> UInt64 = { count in UInt64(3 * count) }

private func set(valueBytes: Int) -> [UInt8] {
  Array("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$\(valueBytes)\r\n".utf8)
    + [UInt8](repeating: UInt8(ascii: "a"), count: valueBytes) + Array("\r\n".utf8)
}

/// Takes what is complete; returns its number of arguments.
private func take(_ parser: inout RESPParser) throws -> UInt64 {
  var arguments: UInt64 = 0
  while let request = try parser.next(authenticated: true) { arguments += UInt64(request.argumentCount) }
  parser.forgetRequests()
  return arguments
}

private func parse(_ count: Int, request: [UInt8], perRead: Int, _ meter: any Meter) throws -> UInt64 {
  let read = Array(repeatElement(request, count: perRead).joined())
  var parser = RESPParser()
  var sum: UInt64 = 0
  meter.start()
  for _ in 0..<count / perRead {
    parser.append(read.span)
    sum += try take(&parser)
  }
  meter.stop()
  return sum
}

private func parsePieces(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  let request = set(valueBytes: 65_536)
  let pieces = stride(from: 0, to: request.count, by: 16_384).map { start in
    Array(request[start..<min(start + 16_384, request.count)])
  }
  var parser = RESPParser()
  var sum: UInt64 = 0
  meter.start()
  for _ in 0..<count {
    for piece in pieces {
      parser.append(piece.span)
      sum += try take(&parser)
    }
  }
  meter.stop()
  return sum
}

/// One operation is one answer; the kinds take turns.
private func reply(_ count: Int, _ meter: any Meter) -> UInt64 {
  let value = [UInt8](repeating: UInt8(ascii: "a"), count: 64)
  var sum: UInt64 = 0
  var bytes = 0
  meter.start()
  for number in stride(from: 0, to: count, by: 48) {
    var writer = ReplyWriter()
    for answer in number..<min(number + 48, count) {
      switch answer % 3 {
      case 0: writer.raw("+OK\r\n")
      case 1: writer.integer(Int64(answer))
      default: writer.bulk(value.span)
      }
      sum += UInt64(answer)
    }
    bytes += writer.bytes.count
  }
  meter.stop()
  precondition(bytes > 0)
  return sum
}
