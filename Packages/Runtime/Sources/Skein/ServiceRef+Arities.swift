// ServiceRef+Arities: calls and sends with the arguments written one by one.

extension ServiceRef {
  /// Calls a command of no argument and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<Output>(
    _ command: Command<Service, Void, Output>, deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (), deadline: deadline)
  }

  /// Sends a one-way message of no argument; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<Output>(_ command: Command<Service, Void, Output>) -> SendReceipt {
    send(command, arguments: ())
  }

  /// Sends a one-way message of no argument, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<Output>(_ command: Command<Service, Void, Output>) async throws {
    try await sendWhenReady(command, arguments: ())
  }
}

extension ServiceRef {
  /// Calls a command of one argument and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, Output>(
    _ command: Command<Service, A, Output>, _ a: A, deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: a, deadline: deadline)
  }

  /// Sends a one-way message of one argument; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, Output>(_ command: Command<Service, A, Output>, _ a: A) -> SendReceipt {
    send(command, arguments: a)
  }

  /// Sends a one-way message of one argument, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, Output>(_ command: Command<Service, A, Output>, _ a: A) async throws {
    try await sendWhenReady(command, arguments: a)
  }
}

extension ServiceRef {
  /// Calls a command of two arguments and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, B, Output>(
    _ command: Command<Service, (A, B), Output>, _ a: A, _ b: B, deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (a, b), deadline: deadline)
  }

  /// Sends a one-way message of two arguments; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, B, Output>(_ command: Command<Service, (A, B), Output>, _ a: A, _ b: B) -> SendReceipt {
    send(command, arguments: (a, b))
  }

  /// Sends a one-way message of two arguments, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, B, Output>(_ command: Command<Service, (A, B), Output>, _ a: A, _ b: B) async throws {
    try await sendWhenReady(command, arguments: (a, b))
  }
}

extension ServiceRef {
  /// Calls a command of three arguments and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, B, C, Output>(
    _ command: Command<Service, (A, B, C), Output>, _ a: A, _ b: B, _ c: C, deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (a, b, c), deadline: deadline)
  }

  /// Sends a one-way message of three arguments; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, B, C, Output>(_ command: Command<Service, (A, B, C), Output>, _ a: A, _ b: B, _ c: C)
    -> SendReceipt
  {
    send(command, arguments: (a, b, c))
  }

  /// Sends a one-way message of three arguments, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, B, C, Output>(_ command: Command<Service, (A, B, C), Output>, _ a: A, _ b: B, _ c: C)
    async throws
  {
    try await sendWhenReady(command, arguments: (a, b, c))
  }
}

extension ServiceRef {
  /// Calls a command of four arguments and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, B, C, D, Output>(
    _ command: Command<Service, (A, B, C, D), Output>, _ a: A, _ b: B, _ c: C, _ d: D,
    deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (a, b, c, d), deadline: deadline)
  }

  /// Sends a one-way message of four arguments; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, B, C, D, Output>(
    _ command: Command<Service, (A, B, C, D), Output>, _ a: A, _ b: B, _ c: C, _ d: D
  ) -> SendReceipt {
    send(command, arguments: (a, b, c, d))
  }

  /// Sends a one-way message of four arguments, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, B, C, D, Output>(
    _ command: Command<Service, (A, B, C, D), Output>, _ a: A, _ b: B, _ c: C, _ d: D
  ) async throws {
    try await sendWhenReady(command, arguments: (a, b, c, d))
  }
}

extension ServiceRef {
  /// Calls a command of five arguments and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, B, C, D, E, Output>(
    _ command: Command<Service, (A, B, C, D, E), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E,
    deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (a, b, c, d, e), deadline: deadline)
  }

  /// Sends a one-way message of five arguments; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, B, C, D, E, Output>(
    _ command: Command<Service, (A, B, C, D, E), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E
  ) -> SendReceipt {
    send(command, arguments: (a, b, c, d, e))
  }

  /// Sends a one-way message of five arguments, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, B, C, D, E, Output>(
    _ command: Command<Service, (A, B, C, D, E), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E
  ) async throws {
    try await sendWhenReady(command, arguments: (a, b, c, d, e))
  }
}

extension ServiceRef {
  /// Calls a command of six arguments and waits for its result.
  ///
  /// - Parameter deadline: when to give up; the node's default is 5 s.
  /// - Returns: what the handler returned.
  /// - Throws: what the handler threw, or a ``CallError`` when it gave no answer.
  @inlinable @inline(__always)
  public func call<A, B, C, D, E, F, Output>(
    _ command: Command<Service, (A, B, C, D, E, F), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F,
    deadline: CallDeadline = .standard
  ) async throws -> Output {
    try await call(command, arguments: (a, b, c, d, e, f), deadline: deadline)
  }

  /// Sends a one-way message of six arguments; its result is dropped, an error is logged.
  ///
  /// - Returns: what became of the message, at once.
  @inlinable @inline(__always) @discardableResult
  public func send<A, B, C, D, E, F, Output>(
    _ command: Command<Service, (A, B, C, D, E, F), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F
  ) -> SendReceipt {
    send(command, arguments: (a, b, c, d, e, f))
  }

  /// Sends a one-way message of six arguments, waiting for room while the mailbox is full.
  @inlinable
  public func sendWhenReady<A, B, C, D, E, F, Output>(
    _ command: Command<Service, (A, B, C, D, E, F), Output>, _ a: A, _ b: B, _ c: C, _ d: D, _ e: E, _ f: F
  ) async throws {
    try await sendWhenReady(command, arguments: (a, b, c, d, e, f))
  }
}
