// ModelMutation: a fault that the checker itself puts into one access of a program, to show that a check would find it.

/// An access to an atomic in the source of a checked program.
public struct ModelSite: Hashable, Sendable, Codable, CustomStringConvertible {
  /// What an access does to its atomic.
  public enum Operation: Hashable, Sendable, Codable { case load, store, update }

  /// The module and the file's name.
  public let file: String
  /// The line.
  public let line: UInt
  /// What it does.
  public let operation: Operation
  /// Whether its ordering is more than relaxed.
  public let isOrdered: Bool

  init(_ file: StaticString, _ line: UInt, _ operation: Operation, isOrdered: Bool) {
    self.file = "\(file)"
    self.line = line
    self.operation = operation
    self.isOrdered = isOrdered
  }

  /// Whether it is one of the checker's own, such as those of a ``ModelLock``: they are no sites of the program's.
  var isOwn: Bool { file.hasPrefix("SkeinModelCheck/") }

  /// The file's name and the line.
  public var place: String { "\(file.split(separator: "/").last ?? ""):\(line)" }

  /// What it does, and where.
  public var description: String { "\(operation) at \(place)" }
}

/// A fault in one access.
public struct ModelMutation: Hashable, Sendable, Codable {
  /// What is wrong with a mutated access.
  public enum Kind: Hashable, Sendable, Codable {
    /// Its ordering is relaxed.
    case relaxed
    /// A read-modify-write is a read and then a write, with others between the two.
    case torn
  }

  /// Where.
  public let site: ModelSite
  /// What.
  public let kind: Kind

  /// Makes a mutation.
  public init(_ kind: Kind, at site: ModelSite) {
    self.site = site
    self.kind = kind
  }
}
