// Vectors: the lines of Tests/Vectors/cluster.jsonl, made by real Skynet nodes.

import Foundation
import SkeinCluster
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

  static let all: [Vector] = {
    let root = URL(filePath: #filePath).appending(path: "../../../../../../Tests/Vectors/cluster.jsonl").standardized
    let text = try! String(contentsOf: root, encoding: .utf8)
    return text.split(separator: "\n").map { line in
      Vector(try! JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any])
    }
  }()

  private init(_ object: [String: Any]) {
    id = object["id"] as! String
    source = object["source"] as! String
    direction = object["dir"] as! String
    kind = object["kind"] as! String
    if let address = object["address"] as? [String: Any] {
      if let number = address["number"] as? Int {
        self.address = .number(UInt32(number))
      } else {
        self.address = .name(try! ClusterName(bytes: bytes(hex: address["name_hex"] as! String)))
      }
    } else {
      address = nil
    }
    counter = (object["counter"] as? Int).map { UInt32($0) }
    nextCounter = (object["next_counter"] as? Int).map { UInt32($0) }
    session = (object["session"] as? Int).map { UInt32($0) }
    sequence = object["seq"] as? Int
    body = (object["body"] as? [String: Any]).map(Self.body) ?? []
    bodySHA256 = object["body_sha256"] as? String
    frames = (object["frames"] as? [[String: Any]] ?? []).map { frame in
      Frame(
        length: frame["len"] as! Int, bytes: (frame["hex"] as? String).map(bytes(hex:)),
        sha256: frame["sha256"] as? String)
    }
    frameLengths = object["frame_lens"] as? [Int] ?? []
    frameTypes = (object["frame_types"] as? [Int] ?? []).map { UInt8($0) }
    wireLength = object["wire_len"] as! Int
    wireSHA256 = object["wire_sha256"] as? String
  }

  private static func body(_ object: [String: Any]) -> [UInt8] {
    if let raw = object["raw"] as? [String: Any] { return pattern(raw["len"] as! Int, raw["mod"] as! [Int]) }
    if let text = object["text_hex"] as? String { return bytes(hex: text) }
    return (object["args"] as! [[String: Any]]).flatMap(encoded)
  }

  /// Skynet's encoding of the tagged values that occur in the vectors.
  private static func encoded(_ value: [String: Any]) -> [UInt8] {
    switch value["t"] as! String {
    case "nil": return [0]
    case "bool": return [value["v"] as! Bool ? 0x09 : 0x01]
    case "int":
      let number = Int64(value["v"] as! String)!
      if number == 0 { return [0x02] }
      if number >= 0 && number < 256 { return [0x0a, UInt8(number)] }
      if number >= 0 && number < 65_536 { return [0x12] + little(UInt64(number), 2) }
      if number == Int64(Int32(truncatingIfNeeded: number)) { return [0x22] + little(UInt64(bitPattern: number), 4) }
      return [0x32] + little(UInt64(bitPattern: number), 8)
    case "real": return [0x42] + bytes(hex: value["bits"] as! String).reversed()
    case "str":
      let text: [UInt8]
      if let digits = value["hex"] as? String {
        text = bytes(hex: digits)
      } else if let fill = value["fill"] as? String {
        text = [UInt8](repeating: bytes(hex: fill)[0], count: value["len"] as! Int)
      } else {
        text = pattern(value["len"] as! Int, value["mod"] as! [Int])
      }
      if text.count < 32 { return [UInt8(4 | text.count << 3)] + text }
      if text.count < 65_536 { return [0x15] + little(UInt64(text.count), 2) + text }
      return [0x25] + little(UInt64(text.count), 4) + text
    case "table":
      let array = value["array"] as! [[String: Any]]
      let pairs = value["hash"] as! [[[String: Any]]]
      precondition(array.count < 31)
      return [UInt8(6 | array.count << 3)] + array.flatMap(encoded) + pairs.joined().flatMap(encoded) + [0]
    default: preconditionFailure("no vector has this type")
    }
  }
}

func pattern(_ count: Int, _ factors: [Int]) -> [UInt8] {
  (0..<count).map { UInt8((factors[0] * $0 + factors[1]) % factors[2]) }
}

func bytes(hex: String) -> [UInt8] {
  let digits = Array(hex.utf8)
  return stride(from: 0, to: digits.count, by: 2).map {
    UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
  }
}

private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}
