import CSeriTestSupport
import SkeinSerialization
import Testing

@testable import SkeinTaggedJSON

#if canImport(Glibc)
import Glibc
#endif

/// The bytes that hexadecimal digits stand for; spaces are allowed.
func hex(_ text: String) -> [UInt8] {
  let digits = text.utf8.compactMap(hexDigit)
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

func sha256(_ bytes: [UInt8]) -> [UInt8] {
  var digest = [UInt8](repeating: 0, count: 32)
  unsafe bytes.withUnsafeBufferPointer { source in
    unsafe digest.withUnsafeMutableBufferPointer { target in
      unsafe seri_sha256(source.baseAddress, source.count, target.baseAddress)
    }
  }
  return digest
}

/// The error that `body` throws.
func error<T>(of body: () throws(SeriError) -> T) -> SeriError? {
  do throws(SeriError) {
    _ = try body()
    return nil
  } catch { return error }
}

/// What `Seri.decode` throws for `bytes`.
func decodeError(_ bytes: [UInt8], limits: SeriLimits = .default) -> SeriError? {
  error { () throws(SeriError) in try Seri.decode(bytes, limits: limits) }
}

/// A line of Tests/Vectors.
struct VectorLine: Sendable, CustomTestStringConvertible {
  let number: Int
  let note: String
  let value: [Value]?
  let members: [String: String]

  var testDescription: String { "line \(number): \(note)" }
}

/// The lines of a file of Tests/Vectors.
func vectors(_ name: String, file: String = #filePath) -> [VectorLine] {
  let root = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(5).joined(separator: "/")
  let text = contents(of: root + "/Tests/Vectors/" + name)
  return text.split(separator: UInt8(ascii: "\n")).enumerated().map { index, line in
    guard let parsed = try? vectorLine(Array(line), number: index + 1) else { fatalError("\(name):\(index + 1)") }
    return parsed
  }
}

private func vectorLine(_ line: [UInt8], number: Int) throws -> VectorLine {
  var parser = JSONParser(line, depthLimit: 2_000)
  let node = try parser.document()
  var members: [String: String] = [:]
  if case .object(let all) = node.content {
    for (name, value) in all {
      switch value.content {
      case .string(let text), .number(let text): members[name] = text
      default: break
      }
    }
  }
  var value: [Value]?
  if let described = node.member("value"), case .array = described.content {
    var builder = ValueBuilder(limits: SeriLimits(depth: Table.maximumDepth))
    value = try builder.message(described)
  }
  return VectorLine(number: number, note: members["note"] ?? "", value: value, members: members)
}

private func contents(of path: String) -> [UInt8] {
  guard let file = unsafe fopen(path, "r") else { fatalError("\(path) is not there") }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = unsafe fread(&piece, 1, piece.count, file)
    if count == 0 { return bytes }
    bytes += piece[..<count]
  }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func value(depth: Int) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &self) {
    case 0: return .nil
    case 1: return .boolean(Bool.random(using: &self))
    case 2: return .integer(Int64(truncatingIfNeeded: next() >> (next() % 64)))
    case 3: return .integer(-Int64(truncatingIfNeeded: next() >> (1 + next() % 63)))
    case 4: return .double(Double(bitPattern: next()))
    case 5: return .bytes(ByteString(bytes(upTo: [14, 40, 300][Int(next() % 3)])))
    case 6: return .pointer(next())
    default: return .table(table(depth: depth))
    }
  }

  mutating func bytes(upTo most: Int) -> [UInt8] {
    (0..<Int.random(in: 0...most, using: &self)).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  mutating func table(depth: Int) -> Table {
    let array = (0..<Int.random(in: 0..<8, using: &self)).map { _ in value(depth: depth - 1) }
    let pairs = (0..<Int.random(in: 0..<5, using: &self)).map { _ in (key(), value(depth: depth - 1)) }
    return Table(array: array, hash: pairs)
  }

  /// A key that is not changed by reading.
  mutating func key() -> Value {
    let key = value(depth: 0)
    switch key {
    case .nil: return "nil"
    case .double(let number) where number.isNaN: return "NaN"
    default: return key.normalizedKey
    }
  }
}

extension RawSpan {
  func byte(at offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
