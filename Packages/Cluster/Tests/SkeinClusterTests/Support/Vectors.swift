// Vectors: the lines of Tests/Vectors/cluster.jsonl, made by real Skynet nodes.

import Foundation
import SkeinCluster
import SkeinSerialization
import SkeinTaggedJSON
import Testing

/// One line of the vectors.
struct Vector: Sendable, CustomTestStringConvertible {
  struct Frame: Sendable {
    let length: Int
    let bytes: [UInt8]?
    let sha256: String?
  }

  let id: String
  let source: String
  let direction: String
  let kind: String
  let address: ClusterAddress?
  let counter: UInt32?
  let nextCounter: UInt32?
  let session: UInt32?
  let sequence: Int?
  let body: [UInt8]
  let bodySHA256: String?
  let frames: [Frame]
  let frameLengths: [Int]
  let frameTypes: [UInt8]
  let wireLength: Int
  let wireSHA256: String?

  var testDescription: String { id }

  /// All lines.
  static var all: [Vector] { get throws { try loaded.get() } }

  private static let loaded = Result {
    let root = URL(filePath: #filePath).appending(path: "../../../../../../Tests/Vectors/cluster.jsonl").standardized
    return try String(contentsOf: root, encoding: .utf8).split(separator: "\n").map { line in
      try Vector(JSONDecoder().decode(VectorJSON.self, from: Data(line.utf8)))
    }
  }

  private init(_ line: VectorJSON) throws {
    id = line.id
    source = line.source
    direction = line.dir
    kind = line.kind
    address = try line.address.map { address in
      if let number = address.number { return .number(number) }
      return .name(try ClusterName(bytes: bytes(hex: try #require(address.nameHex))))
    }
    counter = line.counter
    nextCounter = line.nextCounter
    session = line.session
    sequence = line.seq
    body = try line.body.map(Self.body) ?? []
    bodySHA256 = line.bodySha256
    frames = try (line.frames ?? []).map { frame in
      Frame(length: frame.len, bytes: try frame.hex.map(bytes(hex:)), sha256: frame.sha256)
    }
    frameLengths = line.frameLens ?? []
    frameTypes = line.frameTypes ?? []
    wireLength = line.wireLen
    wireSHA256 = line.wireSha256
  }

  private static func body(_ body: VectorJSON.Body) throws -> [UInt8] {
    if let raw = body.raw { return pattern(raw.len, raw.mod) }
    if let text = body.textHex { return try bytes(hex: text) }
    let arguments = try JSONEncoder().encode(try #require(body.args))
    return try Seri.encode(TaggedJSON.decode([UInt8](arguments)))
  }
}

/// A line as it stands in the file.
private struct VectorJSON: Decodable {
  struct Address: Decodable {
    let number: UInt32?
    let nameHex: String?
    enum CodingKeys: String, CodingKey {
      case number
      case nameHex = "name_hex"
    }
  }
  struct Body: Decodable {
    struct Raw: Decodable {
      let len: Int
      let mod: [Int]
    }
    let raw: Raw?
    let textHex: String?
    let args: [AnyJSON]?
    enum CodingKeys: String, CodingKey {
      case raw, args
      case textHex = "text_hex"
    }
  }
  struct Frame: Decodable {
    let len: Int
    let hex: String?
    let sha256: String?
  }

  let id: String
  let source: String
  let dir: String
  let kind: String
  let address: Address?
  let counter: UInt32?
  let nextCounter: UInt32?
  let session: UInt32?
  let seq: Int?
  let body: Body?
  let bodySha256: String?
  let frames: [Frame]?
  let frameLens: [Int]?
  let frameTypes: [UInt8]?
  let wireLen: Int
  let wireSha256: String?

  enum CodingKeys: String, CodingKey {
    case id, source, dir, kind, address, counter, session, seq, body, frames
    case nextCounter = "next_counter"
    case bodySha256 = "body_sha256"
    case frameLens = "frame_lens"
    case frameTypes = "frame_types"
    case wireLen = "wire_len"
    case wireSha256 = "wire_sha256"
  }
}

/// Any JSON, passed through.
private enum AnyJSON: Codable {
  case object([String: AnyJSON])
  case array([AnyJSON])
  case string(String)
  case boolean(Bool)
  case integer(Int)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode([String: AnyJSON].self) {
      self = .object(value)
    } else if let value = try? container.decode([AnyJSON].self) {
      self = .array(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else {
      self = .integer(try container.decode(Int.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .object(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    }
  }
}

func pattern(_ count: Int, _ factors: [Int]) -> [UInt8] {
  (0..<count).map { UInt8((factors[0] * $0 + factors[1]) % factors[2]) }
}

/// The bytes that pairs of hexadecimal digits stand for.
func bytes(hex: String) throws -> [UInt8] {
  let digits = Array(hex.utf8)
  try #require(digits.count.isMultiple(of: 2))
  return try stride(from: 0, to: digits.count, by: 2).map {
    try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
  }
}
