// SeriCommand: `skein seri`: messages of Skynet's encoding, between hexadecimal and tagged JSON, one a line.

internal import ArgumentParser
internal import Glibc
internal import SkeinSerialization
internal import SkeinTaggedJSON

struct SeriCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seri", abstract: "Convert messages of Skynet's encoding, one a line.",
    discussion: "A line that is rejected becomes \"error: REASON at byte N\" on standard output; the status is 1 then.",
    subcommands: [Encode.self, Decode.self])

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "From tagged JSON to hexadecimal.")
    func run() throws {
      try convertLines { line in
        do throws(TaggedJSONError) {
          let values = try TaggedJSON.decode(line)
          do throws(SeriError) { return .success(Hexadecimal.text(try Seri.encode(values))) } catch {
            return .failure(Rejection("\(error)"))
          }
        } catch { return .failure(Rejection("\(error)")) }
      }
    }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "From hexadecimal to tagged JSON.")
    func run() throws {
      try convertLines { line in
        do {
          return .success(TaggedJSON.encode(try Seri.decode(try Hexadecimal.bytes(line))))
        } catch { return .failure(Rejection("\(error)")) }
      }
    }
  }

  struct Rejection: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// Prints one line for each line of standard input.
  private static func convertLines(_ convert: (String) -> Result<String, Rejection>) throws {
    var hasFailed = false
    while let line = readLine() {
      switch convert(line) {
      case .success(let text): print(text)
      case .failure(let rejection):
        hasFailed = true
        print("error: \(rejection)")
      }
      // Whoever writes one line and waits for its answer has it.
      fflush(nil)
    }
    if hasFailed { throw ExitCode(1) }
  }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
  static func text(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// - Throws: ``SeriCommand/Rejection`` with the offset of the byte whose digits are wrong.
  static func bytes(_ text: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
      guard let value = value(digit) else {
        throw SeriCommand.Rejection("not a hexadecimal digit at byte \(bytes.count)")
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    if high != nil { throw SeriCommand.Rejection("half a byte at byte \(bytes.count)") }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
