// MachineShare: how long a test's processes were kept from running by others on the machine.
//
// An upper bound on a time is a promise for a machine that is the node's. What the machine took meanwhile is measured
// and granted: next to nothing on a quiet machine, much on a busy one.

import Foundation

/// Counts, from its making on, the time for which threads of some processes stood ready while others ran, and the time
/// that the hypervisor took from the machine.
struct MachineShare {
  private let processes: [ProcessFigures]
  private let readyBefore: [Int]
  private let stolenBefore: Int

  /// Begins to count, for this process and for `others`.
  init(_ others: [ProcessFigures]) throws {
    processes = [ProcessFigures(pid: getpid())] + others
    readyBefore = try processes.map { try $0.readyNanoseconds() }
    stolenBefore = try Self.stolenNanoseconds()
  }

  /// The time taken so far, of all threads and processors together; a process that has ended counts no more.
  func taken() throws -> Duration {
    let ready = zip(processes, readyBefore).map { max(((try? $0.readyNanoseconds()) ?? $1) - $1, 0) }
    return .nanoseconds(ready.reduce(0, +) + (try Self.stolenNanoseconds() - stolenBefore))
  }

  /// What the hypervisor took from all processors since the machine started, in the kernel's ticks of 10 ms.
  private static func stolenNanoseconds() throws -> Int {
    let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
    // cpu, user, nice, system, idle, iowait, irq, softirq, steal, …
    let fields = text.prefix { $0 != "\n" }.split(separator: " ")
    guard fields.count > 8, fields[0] == "cpu", let ticks = Int(fields[8]) else {
      throw Failure("/proc/stat does not tell the time that was stolen")
    }
    return ticks * 10_000_000
  }
}
