// RemoteFace: how a command is reached over the wire: its arguments read from bytes, its result written to bytes.
//
// Made when the command is made, once a process: whether each type has an encoding is asked then, of the types alone.
// A peer never names a type.

internal import SkeinSerialization

/// Reads a command's arguments and writes its result.
@usableFromInline
struct RemoteFace<Input: Sendable, Output: Sendable>: Sendable {
  /// Reads all arguments; missing ones at the end are nil where the parameter is optional.
  let read: @Sendable (inout SeriReader) throws(SeriError) -> Input
  /// Writes the result; one without a value writes nothing.
  let write: @Sendable (Output, inout SeriWriter) -> Void

  /// The face of a command with parameters of these types; `nil` when one of them, or the result, has no encoding.
  @usableFromInline
  static func of<each Argument>(
    _ types: repeat (each Argument).Type
  ) -> RemoteFace<Input, Output>? where Input == (repeat each Argument) {
    for type in repeat each types {
      if !(type is any SeriReadable.Type) { return nil }
    }
    guard Output.self is any SeriWritable.Type || Output.self == Void.self else { return nil }
    return RemoteFace(
      read: { reader throws(SeriError) in (repeat try readArgument((each Argument).self, &reader)) },
      write: { output, writer in
        if let value = output as? any SeriWritable { value.write(to: &writer) }
      })
  }

  /// The result as a message.
  func encode(_ output: Output) throws(SeriError) -> [UInt8] {
    try Seri.write { writer in write(output, &writer) }
  }
}

private func readArgument<Argument>(_ type: Argument.Type, _ reader: inout SeriReader) throws(SeriError) -> Argument {
  if reader.isAtEnd, let optional = type as? any Omittable.Type, let none = optional.omitted as? Argument {
    return none
  }
  guard let readable = type as? any SeriReadable.Type else { preconditionFailure("looked at when the face was made") }
  // Cannot fail: `readable` is `type` under another name.
  return try open(readable, &reader) as! Argument
}

private func open<Readable: SeriReadable>(
  _ type: Readable.Type, _ reader: inout SeriReader
) throws(SeriError) -> Readable { try Readable(reading: &reader) }

/// A parameter or result that may be left out: nil.
protocol Omittable {
  static var omitted: Any { get }
}

extension Optional: Omittable {
  static var omitted: Any { Self.none as Any }
}
