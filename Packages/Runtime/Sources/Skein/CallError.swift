// CallError: why a call was not answered by the handler itself.

/// Why a call has no answer. What a handler throws reaches the caller as it is, not as a `CallError`.
public struct CallError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong; codes may be added, so switch with a default.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private let name: String

    /// The service does not exist, or no longer.
    public static let noSuchService = Code(name: "no such service")
    /// The service's mailbox is full.
    public static let busy = Code(name: "busy")
    /// The service ended before it answered.
    public static let serviceExited = Code(name: "service exited")
    /// The calling service was killed or has exited: it may not call or send any more.
    public static let callerExited = Code(name: "caller exited")
    /// The call's deadline has passed; the handler may still run.
    public static let deadlineExceeded = Code(name: "deadline exceeded")
    /// The calling task was cancelled; the handler may still run.
    public static let cancelled = Code(name: "cancelled")
    /// The service has no command of that name.
    public static let unknownCommand = Code(name: "unknown command")
    /// The node is shutting down.
    public static let shuttingDown = Code(name: "shutting down")
    /// The command's arguments are not those that it takes.
    public static let wrongArguments = Code(name: "wrong arguments")

    /// The code in words.
    public var description: String { name }
  }

  /// What went wrong.
  public let code: Code
  /// The service that was called, by name or id.
  public let service: String
  /// The command that was called.
  public let command: String

  /// Makes an error.
  public init(_ code: Code, service: String, command: String) {
    self.code = code
    self.service = service
    self.command = command
  }

  /// A sentence such as `GET of simpledb: deadline exceeded`.
  public var description: String { "\(command) of \(service): \(code)" }
}

/// What became of a one-way message, at once.
public enum SendReceipt: Hashable, Sendable {
  /// The service's mailbox has it.
  case delivered
  /// The mailbox is full; nothing was sent.
  case busy
  /// The service does not exist, or no longer; nothing was sent.
  case noSuchService
  /// The calling service was killed or has exited; nothing was sent.
  case callerExited
}

/// Why a service could not be made or found.
public enum SpawnError: Error, Hashable, Sendable {
  /// Another service has that name.
  case nameTaken(String)
  /// The node has as many services as it may have.
  case full(limit: Int)
  /// The node is shutting down.
  case shuttingDown
  /// No service of that name came up before the deadline.
  case noSuchName(String)
  /// The service of that name is of another type.
  case wrongType(name: String, is: String)
  /// The system has no thread for an exclusive service.
  case noThread(errorNumber: Int32)
}

/// Why a service ended.
public enum ExitReason: Hashable, Sendable {
  /// It or somebody asked it to.
  case exited
  /// It was killed.
  case killed
  /// Its node shut down.
  case shutDown
}
