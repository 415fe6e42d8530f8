// CommandTable: the commands of a service by name.

internal import SkeinSerialization

/// The commands of a service that others may call by name; written as an array literal.
public struct CommandTable<Service: SkeinService>: ExpressibleByArrayLiteral, Sendable {
  /// A command without its types.
  public struct Entry: Sendable {
    /// The command's name.
    public let name: String

    /// Reads the arguments of a peer's request; `nil` when they, or the result, have no encoding.
    let bind: (@Sendable (inout SeriReader) throws(SeriError) -> RemoteRequest<Service>)?

    /// Hides the types of `command`.
    public init<Input, Output>(_ command: Command<Service, Input, Output>) {
      name = command.name
      guard let face = command.remote else {
        bind = nil
        return
      }
      bind = { reader throws(SeriError) in
        let input = try face.read(&reader)
        guard reader.isAtEnd else { throw SeriError(.unexpectedValue, offset: reader.offset) }
        return RemoteRequest(
          call: { service, answer in service.callRemotely(command, input, face, answer) },
          send: { service in service.send(command, arguments: input) })
      }
    }
  }

  private let entries: [String: Entry]

  /// Makes a table.
  ///
  /// - Precondition: each name occurs once.
  public init(_ entries: [Entry]) {
    self.entries = Dictionary(entries.map { ($0.name, $0) }) { _, second in
      preconditionFailure("two commands are named \(second.name)")
    }
  }

  /// Makes a table of the commands in brackets.
  public init(arrayLiteral elements: any ServiceCommand<Service>...) { self.init(elements.map { $0.entry }) }

  /// The names, sorted.
  public var names: [String] { entries.keys.sorted() }
  /// The command of that name.
  public subscript(name: String) -> Entry? { entries[name] }
}

/// A command of a service, whatever its arguments and result.
public protocol ServiceCommand<Service>: Sendable {
  /// The service whose command it is.
  associatedtype Service: SkeinService
  /// The command without its types.
  var entry: CommandTable<Service>.Entry { get }
}

extension Command: ServiceCommand {
  /// The command without its types.
  public var entry: CommandTable<Service>.Entry { CommandTable<Service>.Entry(self) }
}
