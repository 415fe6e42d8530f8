// Stopwatch: how long a case took.

internal import CaseSupport
internal import SkeinPlatform

/// A meter that measures the time between a case's start and its stop.
final class Stopwatch: Meter {
  private var began = MonotonicInstant.now
  private(set) var nanoseconds: Int64 = 0

  func start() { began = .now }
  func stop() { nanoseconds = began.duration(to: .now).nanosecondsClamped }
  func latency(nanoseconds: Int64) {}
  func bytesEach(_ bytes: Int) {}
}
