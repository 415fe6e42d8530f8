// Command+Arities: commands of up to six arguments. The arguments travel as one tuple.
//
// The cast drops `isolated` from a handler's type: a strand runs it, so the isolation holds; casting once here
// costs nothing at a call.

extension Command {
  /// A command with no argument and a synchronous handler.
  @inlinable
  public init(
    _ name: String, _ handler: @escaping @Sendable (isolated Service) throws -> Output
  ) where Input == Void {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(),
      synchronous: { service, _ in try raw(service) })
  }

  /// A command with no argument and an asynchronous handler.
  @inlinable
  public init(
    _ name: String, _ handler: @escaping @Sendable (isolated Service) async throws -> Output
  ) where Input == Void {
    self.init(
      name: name, remote: RemoteFace.of(),
      asynchronous: { service, _ in try await handler(service) })
  }
}

extension Command {
  /// A command with one argument and a synchronous handler.
  @inlinable
  public init(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, Input) throws -> Output
  ) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, Input) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(Input.self),
      synchronous: { service, input in try raw(service, input) })
  }

  /// A command with one argument and an asynchronous handler.
  @inlinable
  public init(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, Input) async throws -> Output
  ) {
    self.init(
      name: name, remote: RemoteFace.of(Input.self),
      asynchronous: { service, input in try await handler(service, input) })
  }
}

extension Command {
  /// A command with two arguments and a synchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B) throws -> Output
  ) where Input == (A, B) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, A, B) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self),
      synchronous: { service, input in try raw(service, input.0, input.1) })
  }

  /// A command with two arguments and an asynchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B) async throws -> Output
  ) where Input == (A, B) {
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self),
      asynchronous: { service, input in try await handler(service, input.0, input.1) })
  }
}

extension Command {
  /// A command with three arguments and a synchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C) throws -> Output
  ) where Input == (A, B, C) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, A, B, C) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self),
      synchronous: { service, input in try raw(service, input.0, input.1, input.2) })
  }

  /// A command with three arguments and an asynchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C) async throws -> Output
  ) where Input == (A, B, C) {
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self),
      asynchronous: { service, input in try await handler(service, input.0, input.1, input.2) })
  }
}

extension Command {
  /// A command with four arguments and a synchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D) throws -> Output
  ) where Input == (A, B, C, D) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, A, B, C, D) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self),
      synchronous: { service, input in try raw(service, input.0, input.1, input.2, input.3) })
  }

  /// A command with four arguments and an asynchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D) async throws -> Output
  ) where Input == (A, B, C, D) {
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self),
      asynchronous: { service, input in try await handler(service, input.0, input.1, input.2, input.3) })
  }
}

extension Command {
  /// A command with five arguments and a synchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D, E) throws -> Output
  ) where Input == (A, B, C, D, E) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, A, B, C, D, E) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self, E.self),
      synchronous: { service, input in try raw(service, input.0, input.1, input.2, input.3, input.4) })
  }

  /// A command with five arguments and an asynchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D, E) async throws -> Output
  ) where Input == (A, B, C, D, E) {
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self, E.self),
      asynchronous: { service, input in try await handler(service, input.0, input.1, input.2, input.3, input.4) })
  }
}

extension Command {
  /// A command with six arguments and a synchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable, F: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D, E, F) throws -> Output
  ) where Input == (A, B, C, D, E, F) {
    let raw = unsafe unsafeBitCast(handler, to: (@Sendable (Service, A, B, C, D, E, F) throws -> Output).self)
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self, E.self, F.self),
      synchronous: { service, input in try raw(service, input.0, input.1, input.2, input.3, input.4, input.5) })
  }

  /// A command with six arguments and an asynchronous handler.
  @inlinable
  public init<A: Sendable, B: Sendable, C: Sendable, D: Sendable, E: Sendable, F: Sendable>(
    _ name: String, _ handler: @escaping @Sendable (isolated Service, A, B, C, D, E, F) async throws -> Output
  ) where Input == (A, B, C, D, E, F) {
    self.init(
      name: name, remote: RemoteFace.of(A.self, B.self, C.self, D.self, E.self, F.self),
      asynchronous: { service, input in try await handler(service, input.0, input.1, input.2, input.3, input.4, input.5)
      })
  }
}
