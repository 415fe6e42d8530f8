// Parked: workers that have nothing to do, and how soon a message wakes one.

internal import CaseSupport
internal import RuntimeCases
internal import Skein
internal import SkeinPlatform
internal import SkeinSocketIO

/// A node that has worked and has nothing to do, for `count` seconds.
///
/// - Returns: how often a second its threads woke up, and their CPU time in percent of a core.
@Sendable func idle(_ count: Int) throws -> Figures {
  try withNode(node()) { node in
    let adder = try await node.spawn { Adder($0) }
    var sum: UInt64 = 0
    for number in 0..<1_000 { sum = try await adder.call(Adder.add, number) }
    guard sum == sumOfNumbers(1_000) else { throw WrongResult(found: sum, expected: sumOfNumbers(1_000)) }
    blockThread(microseconds: 500_000)
    let before = (switches: switchesOfOthers(), cpu: cpuSeconds())
    blockThread(microseconds: UInt32(count) * 1_000_000)
    let after = (switches: switchesOfOthers(), cpu: cpuSeconds())
    return [
      "value": Double(after.switches - before.switches) / Double(count),
      "cpu": 100 * (after.cpu - before.cpu) / Double(count),
    ]
  }
}

/// How often the process's threads, save the calling one, have waited or were put aside.
private func switchesOfOthers() -> Int {
  let own = textOfFile("/proc/thread-self/stat").prefix { $0 != " " }
  var sum = 0
  for thread in namesInFolder("/proc/self/task") where thread != own {
    let status = textOfFile("/proc/self/task/\(thread)/status")
    for line in status.split(separator: "\n") where line.contains("voluntary_ctxt_switches:") {
      sum += line.split(separator: "\t").last.flatMap { Int($0) } ?? 0
    }
  }
  return sum
}

/// A thread that is no worker sends a message to a node whose workers sleep, `count` times.
///
/// - Returns: until the handler runs, the medians in nanoseconds, for each backend that the kernel has.
@Sendable func wakeParked(_ count: Int) throws -> Figures {
  var figures: Figures = [:]
  for backend in [SocketBackend.epoll, .ioUring] where backend.unavailability() == nil {
    var options = node()
    options.sockets?.backend = backend
    figures[backend.rawValue] = try withNode(options) { node in
      let times = Late()
      let sleeper = try await node.spawn { Sleeper($0, times) }
      for number in 0..<count {
        while times.count < number { PlatformThread.relax() }
        // Spins, so that this core stays awake and only the other one idles; as park.c does.
        let moment = MonotonicInstant.now.advanced(by: .microseconds(500))
        while .now < moment { PlatformThread.relax() }
        precondition(sleeper.send(Sleeper.wake, .now) == .delivered)
      }
      while times.count < count { PlatformThread.relax() }
      return Times(times.all).percentile(0.5)
    }
  }
  return figures
}

/// Notes when it was woken.
private actor Sleeper: SkeinService {
  nonisolated let context: SkeinContext
  private let times: Late
  init(_ context: SkeinContext, _ times: Late) {
    self.context = context
    self.times = times
  }

  static let wake = Command("WAKE") { (sleeper: isolated Sleeper, sent: MonotonicInstant) in sleeper.times.note(sent) }
}
