// SkeinLog: the one place through which the runtime logs.

internal import SkeinPlatform

#if SKEIN_LOGGING
internal import Logging
#endif

/// Where a node's log goes: one function.
///
/// With the package trait `Logging` (on by default) the standard sink is swift-log's, under the label `skein`.
public struct SkeinLog: Sendable {
  /// How serious an entry is.
  public enum Level: String, Hashable, Sendable, Comparable {
    case debug, info, notice, warning, error

    private var rank: Int {
      switch self {
      case .debug: 0
      case .info: 1
      case .notice: 2
      case .warning: 3
      case .error: 4
      }
    }
    /// Whether `left` is less serious than `right`.
    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }

  /// Takes an entry: level, message, and facts by name.
  public typealias Sink = @Sendable (Level, String, [String: String]) -> Void
  private let sink: Sink

  /// Makes a log that hands each entry to `sink`, from any thread.
  public init(_ sink: @escaping Sink) { self.sink = sink }

  /// Drops every entry.
  public static let silent = SkeinLog { _, _, _ in }

  /// swift-log's, with the trait `Logging`; nothing without it.
  public static var standard: SkeinLog {
    #if SKEIN_LOGGING
    let logger = Logger(label: "skein")
    return SkeinLog { level, message, facts in
      let level: Logger.Level =
        switch level {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
      logger.log(level: level, "\(message)", metadata: facts.mapValues { .string($0) })
    }
    #else
    return .silent
    #endif
  }

  /// Writes an entry.
  public func callAsFunction(_ level: Level, _ message: String, _ facts: [String: String] = [:]) {
    sink(level, message, facts)
  }
}
