// ExclusiveWait: how the handler of an exclusive strand waits for a descriptor without being deaf to messages.

internal import Glibc
public import SkeinPlatform

/// What can be waited for at a descriptor, and what was found; as in `poll`.
public struct DescriptorEvents: OptionSet, Hashable, Sendable {
  /// The bits of `poll`.
  public let rawValue: Int16
  /// Makes a set from the bits of `poll`.
  public init(rawValue: Int16) { self.rawValue = rawValue }
  /// There is something to read, or the end of the input.
  public static let readable = DescriptorEvents(rawValue: Int16(POLLIN))
  /// There is room to write.
  public static let writable = DescriptorEvents(rawValue: Int16(POLLOUT))
  /// Found only: an error.
  public static let error = DescriptorEvents(rawValue: Int16(POLLERR))
  /// Found only: the other end is closed.
  public static let hangUp = DescriptorEvents(rawValue: Int16(POLLHUP))
}

/// A descriptor, and what is waited for at it.
public struct DescriptorInterest: Hashable, Sendable {
  /// The descriptor; open for as long as the wait.
  public var descriptor: Int32
  /// What is waited for.
  public var events: DescriptorEvents

  /// Makes an interest.
  public init(_ descriptor: Int32, _ events: DescriptorEvents) {
    self.descriptor = descriptor
    self.events = events
  }
}

/// Why a wait ended.
public enum ExclusiveWait: Hashable, Sendable {
  /// The descriptor has what was waited for, or an error.
  case ready(DescriptorEvents)
  /// Something has come for the strand: it runs when the handler returns, so the handler should return soon.
  case message
  /// The deadline.
  case deadline
}

extension Strand {
  /// Waits, on the strand's turn, until a descriptor is ready, something comes for the strand, or the deadline.
  ///
  /// For exclusive strands, whose handlers may block: a handler that waits here, and not in a call of its own, is woken
  /// by the next message, job or kill. If something waits already, or the strand is closed, it returns at once.
  ///
  /// ```swift
  /// loop: while true {
  ///   switch try strand.waitInterruptibly(for: DescriptorInterest(display, .readable), until: nil) {
  ///   case .ready: readDisplay()
  ///   case .message: strand.send(continuation); break loop     // let the message run, then go on waiting
  ///   case .deadline: break
  ///   }
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - interest: the descriptor; `nil` waits for messages and the deadline only.
  ///   - deadline: the latest end; `nil` is none.
  /// - Returns: why it ended; ``ExclusiveWait/message`` when there was more than one reason.
  /// - Throws: ``SystemCallError`` when no descriptor is left for the wait.
  /// - Precondition: the strand is exclusive and the calling thread is in it, not in a system message's handler.
  public func waitInterruptibly(
    for interest: DescriptorInterest? = nil, until deadline: MonotonicInstant? = nil
  ) throws(SystemCallError) -> ExclusiveWait {
    guard let dedicated, !pool.isSimulated else { preconditionFailure("\(label) is not exclusive, or is simulated") }
    checkIsolated()
    return try dedicated.wait(in: self, for: interest, until: deadline)
  }

  /// The messages of an exclusive strand that met a full mailbox; `nil` for others.
  ///
  /// They are tried again after each activation, in waits, and each millisecond.
  /// - Thread safety: the strand's turn only.
  public var outbox: Outbox? { dedicated?.outbox }
}
