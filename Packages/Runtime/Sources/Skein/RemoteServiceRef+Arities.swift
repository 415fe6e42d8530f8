// RemoteServiceRef+Arities: calls and sends of up to six arguments, written one by one.

public import SkeinCluster
public import SkeinSerialization

extension RemoteServiceRef {
  /// Calls a command of no argument and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<Output: SeriReadable>(
    _ command: Command<Service, Void, Output>, deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { _ in }
  }

  /// Calls a command of no argument that returns nothing.
  public func call(
    _ command: Command<Service, Void, Void>, deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { _ in }
  }

  /// Sends a one-way message of no argument.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<Output>(
    _ command: Command<Service, Void, Output>
  ) throws -> ClusterSendReceipt {
    try post(command.name) { _ in }
  }
}

extension RemoteServiceRef {
  /// Calls a command of one argument and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<A: SeriWritable, Output: SeriReadable>(
    _ command: Command<Service, A, Output>, _ a: A, deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
    }
  }

  /// Calls a command of one argument that returns nothing.
  public func call<A: SeriWritable>(
    _ command: Command<Service, A, Void>, _ a: A, deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
    }
  }

  /// Sends a one-way message of one argument.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<A: SeriWritable, Output>(
    _ command: Command<Service, A, Output>, _ a: A
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
    }
  }
}

extension RemoteServiceRef {
  /// Calls a command of two arguments and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<A: SeriWritable, B: SeriWritable, Output: SeriReadable>(
    _ command: Command<Service, (A, B), Output>, _ a: A, _ b: B, deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
    }
  }

  /// Calls a command of two arguments that returns nothing.
  public func call<A: SeriWritable, B: SeriWritable>(
    _ command: Command<Service, (A, B), Void>, _ a: A, _ b: B, deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
    }
  }

  /// Sends a one-way message of two arguments.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<A: SeriWritable, B: SeriWritable, Output>(
    _ command: Command<Service, (A, B), Output>, _ a: A, _ b: B
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
      writer.write(b)
    }
  }
}

extension RemoteServiceRef {
  /// Calls a command of three arguments and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<A: SeriWritable, B: SeriWritable, C: SeriWritable, Output: SeriReadable>(
    _ command: Command<Service, (A, B, C), Output>, _ a: A, _ b: B, _ c: C, deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
    }
  }

  /// Calls a command of three arguments that returns nothing.
  public func call<A: SeriWritable, B: SeriWritable, C: SeriWritable>(
    _ command: Command<Service, (A, B, C), Void>, _ a: A, _ b: B, _ c: C, deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
    }
  }

  /// Sends a one-way message of three arguments.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<A: SeriWritable, B: SeriWritable, C: SeriWritable, Output>(
    _ command: Command<Service, (A, B, C), Output>, _ a: A, _ b: B, _ c: C
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
    }
  }
}

extension RemoteServiceRef {
  /// Calls a command of four arguments and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, Output: SeriReadable>(
    _ command: Command<Service, (A, B, C, D), Output>, _ a: A, _ b: B, _ c: C, _ d: D,
    deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
    }
  }

  /// Calls a command of four arguments that returns nothing.
  public func call<A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable>(
    _ command: Command<Service, (A, B, C, D), Void>, _ a: A, _ b: B, _ c: C, _ d: D, deadline: CallDeadline = .standard,
    waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
    }
  }

  /// Sends a one-way message of four arguments.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, Output>(
    _ command: Command<Service, (A, B, C, D), Output>, _ a: A, _ b: B, _ c: C, _ d: D
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
    }
  }
}

extension RemoteServiceRef {
  /// Calls a command of five arguments and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<
    A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable, Output: SeriReadable
  >(
    _ command: Command<Service, (A, B, C, D, E), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E,
    deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
    }
  }

  /// Calls a command of five arguments that returns nothing.
  public func call<A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable>(
    _ command: Command<Service, (A, B, C, D, E), Void>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E,
    deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
    }
  }

  /// Sends a one-way message of five arguments.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable, Output>(
    _ command: Command<Service, (A, B, C, D, E), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
    }
  }
}

extension RemoteServiceRef {
  /// Calls a command of six arguments and waits for its result.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the node's default is 5 s.
  ///   - waitsForConnection: whether to wait, up to the deadline, for a peer that cannot be connected to.
  /// - Throws: `ClusterError`, which says what happened and whether the peer may have executed the command; `SeriError`
  ///   when the answer is not of the command's type.
  public func call<
    A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable, F: SeriWritable,
    Output: SeriReadable
  >(
    _ command: Command<Service, (A, B, C, D, E, F), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F,
    deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws -> Output {
    try await perform(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
      writer.write(f)
    }
  }

  /// Calls a command of six arguments that returns nothing.
  public func call<
    A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable, F: SeriWritable
  >(
    _ command: Command<Service, (A, B, C, D, E, F), Void>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F,
    deadline: CallDeadline = .standard, waitsForConnection: Bool = false
  ) async throws {
    try await performWithoutResult(command.name, deadline, waitsForConnection) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
      writer.write(f)
    }
  }

  /// Sends a one-way message of six arguments.
  ///
  /// - Returns: what became of it, at once.
  /// - Throws: `SeriError` when the arguments are beyond a limit.
  @discardableResult
  public func send<
    A: SeriWritable, B: SeriWritable, C: SeriWritable, D: SeriWritable, E: SeriWritable, F: SeriWritable, Output
  >(
    _ command: Command<Service, (A, B, C, D, E, F), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F
  ) throws -> ClusterSendReceipt {
    try post(command.name) { writer in
      writer.write(a)
      writer.write(b)
      writer.write(c)
      writer.write(d)
      writer.write(e)
      writer.write(f)
    }
  }
}
