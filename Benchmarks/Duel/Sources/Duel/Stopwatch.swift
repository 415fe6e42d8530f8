// Stopwatch: what a case took, and what the measuring of times needs.

internal import CaseSupport
internal import Glibc
internal import SkeinPlatform

/// A meter that measures the time between a case's start and its stop.
final class Stopwatch: Meter {
  private var began = MonotonicInstant.now
  private(set) var nanoseconds: Int64 = 0
  private(set) var bytes = 0

  func start() { began = .now }
  func stop() { nanoseconds = began.duration(to: .now).nanosecondsClamped }
  func latency(nanoseconds: Int64) {}
  func bytesEach(_ bytes: Int) { self.bytes = bytes }
}

/// Seconds of CPU time that the process has used.
func cpuSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Blocks the calling thread.
func blockThread(microseconds: UInt32) { usleep(microseconds) }

/// Times in nanoseconds, for their distribution.
struct Times {
  private var all: [Int64] = []

  init(_ all: [Int64] = []) { self.all = all }

  mutating func append(_ duration: Duration) { all.append(duration.nanosecondsClamped) }
  var least: Int64 { all.min() ?? 0 }

  /// The time that the share `share` of all does not exceed, in nanoseconds.
  func percentile(_ share: Double) -> Double {
    precondition(!all.isEmpty, "nothing was measured")
    let sorted = all.sorted()
    return Double(sorted[Int((share * Double(sorted.count - 1)).rounded())])
  }
}

/// How late each of several moments was seen.
final class Late: Sendable {
  private let times = Lock<[Int64]>([])
  func note(_ moment: MonotonicInstant) {
    let time = moment.duration(to: .now).nanosecondsClamped
    times.withLock { $0.append(time) }
  }
  var all: [Int64] { times.withLock { $0 } }
  var count: Int { times.withLock { $0.count } }
}
