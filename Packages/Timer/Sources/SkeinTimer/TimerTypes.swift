// The small types that the timer layer's interfaces are made of.

/// A number of ticks since a wheel's clock began.
@frozen
public struct Tick: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Ticks since the start of the clock.
  public var rawValue: UInt64

  /// Makes a tick from its number.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The first tick of the clock.
  @inlinable
  public static var zero: Tick { Tick(0) }

  /// The last tick that can be told.
  @inlinable
  public static var max: Tick { Tick(.max) }

  /// Whether `left` comes before `right`.
  @inlinable
  public static func < (left: Tick, right: Tick) -> Bool { left.rawValue < right.rawValue }

  /// The number alone.
  public var description: String { "\(rawValue)" }
}

/// Names one armed timer of one wheel or queue.
///
/// A handle stays valid for asking after its timer has fired or was cancelled: it then names nothing.
/// It is 64 bits: 24 of a place, 40 of a generation, so a handle means another timer only after 2^40 later arms
/// of the same wheel that also end in the same place.
@frozen
public struct TimerHandle: Hashable, Sendable {
  /// The handle as a number that is never zero for a timer; for a C interface or an atomic.
  public var rawValue: UInt64

  /// Makes a handle from the number of another.
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// A handle that names no timer.
  @inlinable
  public static var none: TimerHandle { TimerHandle(rawValue: 0) }

  @usableFromInline static var indexBits: UInt64 { 24 }

  @inlinable var index: UInt32 { UInt32(truncatingIfNeeded: rawValue & (1 << Self.indexBits - 1)) }
}

/// Why a timer could not be armed.
public enum TimerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `capacity` timers are armed. Cancel some, or make a larger wheel.
  case full(capacity: Int)
  /// The queue was shut down; it accepts nothing from then on.
  case shutDown

  /// The reason in a sentence.
  public var description: String {
    switch self {
    case .full(let capacity): "all \(capacity) timers of the queue are armed"
    case .shutDown: "the timer queue was shut down"
    }
  }
}

/// What ``withTimeout(_:clock:operation:)`` throws when the operation did not end in time.
public struct TimeoutError: Error, Hashable, Sendable, CustomStringConvertible {
  /// How long the operation was given.
  public let duration: Duration

  /// Makes the error for an operation that was given `duration`.
  public init(duration: Duration) { self.duration = duration }

  /// The limit in a sentence.
  public var description: String { "did not end within \(duration)" }
}
