// Command: what a service can be asked, typed, known by name.
//
// A command holds its handler twice over as the two kinds of message that a strand understands: one-way and
// request. Both are closures that are formed here, in inlinable code, so that they are compiled with the
// service's own types, where a method of a generic class would be called through unspecialised code.

internal import SkeinPlatform
public import SkeinScheduler

/// A command of a service: its name, the types of its arguments and result, and its handler.
///
/// Make commands as static constants: each lives as long as the process.
///
/// ```swift
/// static let get = Command("GET") { (db: isolated SimpleDB, key: String) in db.table[key] }
/// static let load = Command("LOAD") { (db: isolated SimpleDB, file: String) async throws in try await db.load(file) }
/// ```
///
/// A synchronous handler runs to its end without a task, in place on the caller's stack when the service is idle.
/// An asynchronous one runs in a task of its own and may interleave with others at each `await`.
public struct Command<Service: SkeinService, Input: Sendable, Output: Sendable>: Sendable {
  /// The name by which it is known.
  public let name: String
  @usableFromInline let body: CommandBody<Service, Input, Output>
  /// How peers reach it; `nil` when its arguments or its result have no encoding.
  @usableFromInline let remote: RemoteFace<Input, Output>?

  @inlinable
  init(
    name: String, remote: RemoteFace<Input, Output>?,
    synchronous: @escaping @Sendable (Service, Input) throws -> Output
  ) {
    self.name = name
    self.remote = remote
    body = CommandBody(name: name, synchronous: synchronous)
  }

  @inlinable
  init(
    name: String, remote: RemoteFace<Input, Output>?,
    asynchronous: @escaping @Sendable (isolated Service, Input) async throws -> Output
  ) {
    self.name = name
    self.remote = remote
    body = CommandBody(name: name, asynchronous: asynchronous)
  }
}

@usableFromInline
@safe final class CommandBody<Service: SkeinService, Input: Sendable, Output: Sendable>: Sendable {
  /// The handler without its isolation, which the strand provides; `nil` when it is asynchronous.
  @usableFromInline let synchronous: (@Sendable (Service, Input) throws -> Output)?
  @usableFromInline let oneWay: Unmanaged<MessageHandler>
  @usableFromInline let request: Unmanaged<MessageHandler>

  @inlinable
  init(name: String, synchronous: @escaping @Sendable (Service, Input) throws -> Output) {
    self.synchronous = synchronous
    unsafe oneWay = unsafe MessageHandler.make(
      perform: { payload, strand in
        let input = unsafe Payload<Input>.take(payload)
        Service.withReceiver(of: strand) { record, service in
          do { _ = try synchronous(service, input) } catch { record.reportFailure(name, error) }
        }
      },
      refuse: { payload in _ = unsafe Payload<Input>.take(payload) })
    unsafe request = unsafe MessageHandler.make(
      perform: { payload, strand in
        let call = unsafe Payload<PendingCall>.take(payload)
        let input = unsafe call.input.take(Input.self)
        let isHere: Void? = Service.withReceiver(of: strand) { _, service in
          // Nobody waits: the deadline passed or the caller went away while the request was unread.
          if call.isAbandoned { return }
          do {
            call.succeed(try unsafe CallFrame.bind(call) { try synchronous(service, input) })
          } catch { call.fail(error) }
        }
        if isHere == nil { call.abandon(.serviceExited) }
      },
      refuse: { payload in unsafe Payload<PendingCall>.take(payload).refuse(Input.self, .serviceExited) })
  }

  @inlinable
  init(name: String, asynchronous: @escaping @Sendable (isolated Service, Input) async throws -> Output) {
    self.synchronous = nil
    unsafe oneWay = unsafe MessageHandler.make(
      perform: { payload, strand in
        let input = unsafe Payload<Input>.take(payload)
        guard let (record, service) = Service.receiver(of: strand) else { return }
        record.startHandler(nil) { driver in
          { _ in await Self.handle(service, input, name, asynchronous, record, driver) }
        }
      },
      refuse: { payload in _ = unsafe Payload<Input>.take(payload) })
    unsafe request = unsafe MessageHandler.make(
      perform: { payload, strand in
        let call = unsafe Payload<PendingCall>.take(payload)
        let input = unsafe call.input.take(Input.self)
        guard let (record, service) = Service.receiver(of: strand) else { return call.abandon(.serviceExited) }
        if call.isAbandoned { return }
        record.startHandler(call) { driver in
          { _ in await Self.handle(service, input, call, asynchronous, record, driver) }
        }
      },
      refuse: { payload in unsafe Payload<PendingCall>.take(payload).refuse(Input.self, .serviceExited) })
  }
}

extension CommandBody {
  @usableFromInline typealias Asynchronous = @Sendable (isolated Service, Input) async throws -> Output

  /// Handles a one-way message.
  @inlinable
  static func handle(
    _ service: isolated Service, _ input: Input, _ name: String, _ handler: Asynchronous, _ record: ServiceRecord,
    _ driver: TaskDriver
  ) async {
    do { _ = try await handler(service, input) } catch { record.reportFailure(name, error) }
    record.handlerEnded(driver)
  }

  /// Handles a request.
  @inlinable
  static func handle(
    _ service: isolated Service, _ input: Input, _ call: PendingCall, _ handler: Asynchronous, _ record: ServiceRecord,
    _ driver: TaskDriver
  ) async {
    do { call.succeed(try await handler(service, input)) } catch { call.fail(error) }
    record.handlerEnded(driver)
  }
}

extension SkeinService {
  /// Runs `body` with the service that lives on a strand, and its record, without counting references.
  ///
  /// - Returns: `nil` when the service is gone.
  @inlinable @discardableResult
  static func withReceiver<Result>(of strand: Strand, _ body: (ServiceRecord, Self) -> Result) -> Result? {
    let result: Result?? = strand.withOwner { owner in
      let record = unsafe unsafeDowncast(owner, to: ServiceRecord.self)
      // The record lets the service go on the strand's turn only, and not while a handler runs.
      return unsafe record.serviceReference?._withUnsafeGuaranteedRef { service in
        body(record, unsafe unsafeDowncast(service, to: Self.self))
      }
    }
    return result ?? nil
  }

  /// The service that lives on a strand, with its record.
  @inlinable
  static func receiver(of strand: Strand) -> (record: ServiceRecord, service: Self)? {
    withReceiver(of: strand) { record, service in (record, service) }
  }
}

/// How a value travels in an envelope: itself when it fits, else in a box.
@usableFromInline
enum Payload<Content: Sendable> {
  @inlinable
  static func envelope(_ handler: Unmanaged<MessageHandler>, _ content: Content) -> Envelope {
    if Envelope.fits(Content.self) { return unsafe Envelope(handler, content) }
    return unsafe Envelope(handler, Boxed(content))
  }

  @inlinable
  static func take(_ payload: UnsafeMutableRawPointer) -> Content {
    if Envelope.fits(Content.self) { return unsafe payload.assumingMemoryBound(to: Content.self).move() }
    return unsafe payload.assumingMemoryBound(to: Boxed<Content>.self).move().content
  }
}

/// Room for a value in words, so that what holds it need not be of its type.
///
/// Whoever puts a value in sees to it that it is taken out, once.
@usableFromInline
@safe struct PayloadWords {
  @usableFromInline var words: (UInt, UInt, UInt) = (0, 0, 0)

  @inlinable init() {}

  @inlinable
  mutating func put<Content: Sendable>(_ content: Content) {
    unsafe withUnsafeMutableBytes(of: &words) { bytes in
      if Envelope.fits(Content.self) {
        unsafe _ = bytes.baseAddress!.initializeMemory(as: Content.self, to: content)
      } else {
        unsafe _ = bytes.baseAddress!.initializeMemory(as: Boxed<Content>.self, to: Boxed(content))
      }
    }
  }

  @inlinable
  mutating func take<Content: Sendable>(_ type: Content.Type) -> Content {
    unsafe withUnsafeMutableBytes(of: &words) { bytes in unsafe Payload<Content>.take(bytes.baseAddress!) }
  }
}

@usableFromInline
final class Boxed<Content: Sendable>: Sendable {
  @usableFromInline let content: Content
  @inlinable init(_ content: Content) { self.content = content }
}
