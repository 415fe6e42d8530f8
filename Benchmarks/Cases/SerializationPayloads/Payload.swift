// Payload: the messages that are measured, each in both ways.

public import SkeinSerialization

/// A message, and how it is written and read by a type that knows it and as values.
public struct Payload: Sendable {
  /// What it is.
  public let name: String
  /// The message.
  public let bytes: [UInt8]
  /// The message as values.
  public let values: [Value]
  /// Writes it from the type.
  public let write: @Sendable (inout SeriWriter) -> Void
  /// Reads it into the type; returns a checksum.
  public let read: @Sendable (inout SeriReader) throws(SeriError) -> Int64

  init(
    _ name: String, write: @escaping @Sendable (inout SeriWriter) -> Void,
    read: @escaping @Sendable (inout SeriReader) throws(SeriError) -> Int64
  ) throws(SeriError) {
    self.name = name
    self.write = write
    self.read = read
    bytes = try Seri.write(write)
    values = try Seri.decode(bytes)
  }

  /// Writes it from its values.
  public func writeValues(to writer: inout SeriWriter) {
    for value in values { value.write(to: &writer) }
  }

  /// A small command, a record, an array of numbers.
  public static func all() throws(SeriError) -> [Payload] { [try call(), try player(), try integers()] }

  /// "set", "key", 12345, true: 12 bytes.
  public static func call() throws(SeriError) -> Payload {
    let call = Call(command: "set", key: "key", value: 12_345, flag: true)
    return try Payload(
      "call", write: { call.write(to: &$0) },
      read: { (reader) throws(SeriError) in try Call(reading: &reader).value })
  }

  /// A game's record: 563 bytes.
  public static func player() throws(SeriError) -> Payload {
    let player = Player.sample
    return try Payload(
      "player", write: { player.write(to: &$0) },
      read: { (reader) throws(SeriError) in try Player(reading: &reader).checksum })
  }

  /// An array of 10,000 integers.
  public static func integers() throws(SeriError) -> Payload {
    let numbers = (1...10_000).map { Int64($0 * 7919 % 1_000_003) }
    return try Payload(
      "integers", write: { numbers.write(to: &$0) },
      read: { (reader) throws(SeriError) in try [Int64](reading: &reader).last ?? 0 })
  }
}

/// The arguments of a command.
struct Call {
  var command: String
  var key: String
  var value: Int64
  var flag: Bool

  init(command: String, key: String, value: Int64, flag: Bool) {
    self.command = command
    self.key = key
    self.value = value
    self.flag = flag
  }

  func write(to writer: inout SeriWriter) {
    writer.string(command)
    writer.string(key)
    writer.integer(value)
    writer.boolean(flag)
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    command = try reader.read()
    key = try reader.read()
    value = try reader.read()
    flag = try reader.read()
  }
}
