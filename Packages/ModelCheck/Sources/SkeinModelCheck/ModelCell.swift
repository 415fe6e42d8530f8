// ModelCell: plain memory of a checked program: accesses that nothing orders are a failure.

/// A variable of a checked program, which only ordered accesses may share.
///
/// - Thread safety: the threads of one run.
public final class ModelCell<Value>: @unchecked Sendable {
  // @unchecked: touched by whoever has the run's baton.
  private var content: Value
  private var access: PlainAccess

  /// A cell that the calling thread has written.
  public init(_ value: Value) {
    content = value
    access = unsafe PlainAccess(Run.current)
  }

  /// What is in it.
  public var value: Value {
    get {
      if let run = unsafe Run.current { access.read(run) }
      return content
    }
    set {
      if let run = unsafe Run.current { access.write(run) }
      content = newValue
    }
  }
}
