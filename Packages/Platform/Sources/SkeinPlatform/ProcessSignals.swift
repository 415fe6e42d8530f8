// ProcessSignals: signals as something to wait for, not as code that interrupts.

internal import CSkeinPlatform

/// The signals that ask a process to end.
///
/// Call ``block(_:)`` first thing in `main`, before any thread starts, so that every thread inherits it.
public enum ProcessSignals {
  /// SIGINT and SIGTERM.
  public static let termination: [Int32] = [2, 15]

  /// Keeps `signals` from interrupting the calling thread and every thread that it starts.
  public static func block(_ signals: [Int32] = termination) {
    unsafe signals.withUnsafeBufferPointer { numbers in
      _ = unsafe skein_signals_block(numbers.baseAddress!, numbers.count)
    }
  }

  /// Blocks the calling thread until one of `signals` arrives, and returns its number.
  public static func wait(for signals: [Int32] = termination) -> Int32 {
    unsafe signals.withUnsafeBufferPointer { numbers in
      unsafe skein_signals_wait(numbers.baseAddress!, numbers.count)
    }
  }

  /// Makes writes to a closed pipe or socket fail with EPIPE instead of ending the process.
  public static func ignoreBrokenPipes() { _ = skein_ignore_sigpipe() }
}
