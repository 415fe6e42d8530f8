// Envelope: a message on its way to a strand: who handles it, and up to three words of content.
//
// The content lies in the mailbox's cell itself, so a message of up to 24 bytes costs no allocation.

/// What is done with the messages of one kind.
///
/// A handler is made once and lives for ever: envelopes refer to it without counting.
@safe public final class MessageHandler: Sendable {
  /// Takes the message out of its three words and acts on it, on the strand's turn.
  public let perform: @Sendable (_ payload: UnsafeMutableRawPointer, _ strand: Strand) -> Void
  /// Takes the message out of its three words and tells whoever waits that it will not be performed.
  public let refuse: @Sendable (_ payload: UnsafeMutableRawPointer) -> Void

  private init(
    perform: @escaping @Sendable (UnsafeMutableRawPointer, Strand) -> Void,
    refuse: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    unsafe self.perform = unsafe perform
    unsafe self.refuse = unsafe refuse
  }

  /// Makes a handler that is never released.
  ///
  /// - Parameters:
  ///   - perform: must move the message out of the payload exactly once.
  ///   - refuse: must move the message out of the payload exactly once; called instead of `perform` when
  ///     the strand ends first. Any thread.
  public static func make(
    perform: @escaping @Sendable (UnsafeMutableRawPointer, Strand) -> Void,
    refuse: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) -> Unmanaged<MessageHandler> {
    unsafe Unmanaged.passRetained(MessageHandler(perform: perform, refuse: refuse))
  }
}

/// A message in a strand's mailbox.
///
/// - Thread safety: moved from the sender to the strand.
@safe public struct Envelope: ~Copyable, @unchecked Sendable {
  // @unchecked: made from Sendable content by `init`, and moved to one receiver.
  @usableFromInline let handler: Unmanaged<MessageHandler>
  @usableFromInline var payload: (UInt, UInt, UInt) = (0, 0, 0)

  /// Greatest content in bytes.
  @inlinable public static var payloadBytes: Int { 24 }

  /// Whether a `Content` fits into an envelope.
  @inlinable
  public static func fits<Content>(_ type: Content.Type) -> Bool {
    MemoryLayout<Content>.size <= payloadBytes && MemoryLayout<Content>.alignment <= 8
  }

  /// Makes a message of `content`, which must fit.
  @inlinable
  public init<Content: Sendable>(_ handler: Unmanaged<MessageHandler>, _ content: Content) {
    unsafe self.handler = unsafe handler
    assert(Envelope.fits(Content.self), "the content is larger than an envelope")
    unsafe withUnsafeMutableBytes(of: &payload) { bytes in
      unsafe _ = bytes.baseAddress!.initializeMemory(as: Content.self, to: content)
    }
  }

  /// Acts on the message.
  @inlinable
  public consuming func perform(on strand: Strand) {
    var payload = self.payload
    unsafe withUnsafeMutableBytes(of: &payload) { bytes in
      unsafe handler._withUnsafeGuaranteedRef { handler in unsafe handler.perform(bytes.baseAddress!, strand) }
    }
  }

  /// Tells whoever waits that the message is not performed.
  @inlinable
  public consuming func refuse() {
    var payload = self.payload
    unsafe withUnsafeMutableBytes(of: &payload) { bytes in
      unsafe handler._withUnsafeGuaranteedRef { handler in unsafe handler.refuse(bytes.baseAddress!) }
    }
  }
}
