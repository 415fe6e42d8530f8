// SkeinService: what a service is: an actor on a strand, with commands.

internal import SkeinScheduler

/// A service: an actor that a node runs, known by an id and perhaps a name, that answers commands.
///
/// ```swift
/// actor SimpleDB: SkeinService {
///   nonisolated let context: SkeinContext
///   private var table: [String: String] = [:]
///   init(_ context: SkeinContext) { self.context = context }
///
///   static let get = Command("GET") { (db: isolated SimpleDB, key: String) in db.table[key] }
///   static let commands: CommandTable<SimpleDB> = [get]
/// }
/// ```
///
/// Synchronous commands run to their end without a task. Asynchronous ones may interleave at each `await`.
public protocol SkeinService: Actor {
  /// The service's connection to its node; store what `init` was handed.
  nonisolated var context: SkeinContext { get }

  /// The commands that others may call by name.
  static var commands: CommandTable<Self> { get }

  /// Called once, before the service is known to anybody; an error makes the spawn fail.
  func start() async throws

  /// Called when the service exits in order, after its last message; not when it is killed.
  func stop() async
}

extension SkeinService {
  /// The service's strand.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe context.strand.asUnownedSerialExecutor() }

  /// Does nothing.
  public func start() async throws {}

  /// Does nothing.
  public func stop() async {}

  /// No commands by name.
  public static var commands: CommandTable<Self> { [] }
}
