// ProcessFigures: what another process costs, as the kernel accounts for it.

import Foundation
import Glibc

/// Reads the figures of one process.
struct ProcessFigures: Sendable {
  let pid: pid_t

  /// Processor time that all threads of the process have used since its start, in nanoseconds.
  func processorNanoseconds() throws -> Int {
    var clock = clockid_t()
    guard unsafe clock_getcpuclockid(pid, &clock) == 0 else { throw Failure("process \(pid) has no CPU clock") }
    var time = timespec()
    guard unsafe clock_gettime(clock, &time) == 0 else { throw Failure("the CPU clock of \(pid) cannot be read") }
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Time that the process' present threads have stood ready while others had the processors, in nanoseconds.
  func readyNanoseconds() throws -> Int {
    let folder = "/proc/\(pid)/task"
    var total = 0
    for thread in try FileManager.default.contentsOfDirectory(atPath: folder) {
      // Time run, time ready, number of times; a thread that has just ended has no file.
      let text = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
      let fields = text.split(separator: " ")
      if fields.count > 1, let ready = Int(fields[1]) { total += ready }
    }
    return total
  }

  /// Whether every thread of the process is stopped by a signal.
  func isStopped() throws -> Bool {
    let folder = "/proc/\(pid)/task"
    return try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { thread in
      let text = (try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)) ?? ""
      // Number, (name), state.
      return text.split(separator: ")").last?.hasPrefix(" T") == true
    }
  }

  /// Resident memory, in bytes.
  func residentBytes() throws -> Int { try statusField("VmRSS") }

  /// The most resident memory since the process began, or since ``forgetPeak()``, in bytes.
  func peakResidentBytes() throws -> Int { try statusField("VmHWM") }

  /// Makes the present resident memory the peak.
  func forgetPeak() throws {
    let file = unsafe open("/proc/\(pid)/clear_refs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw Failure("/proc/\(pid)/clear_refs cannot be opened: errno \(errno)") }
    defer { close(file) }
    guard unsafe write(file, "5", 1) == 1 else { throw Failure("the peak of \(pid) cannot be reset: errno \(errno)") }
  }

  /// The sockets that the process has open, by their numbers in the kernel.
  func sockets() throws -> Set<String> {
    let folder = "/proc/\(pid)/fd"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    // One that was closed meanwhile has no target any more.
    let targets = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    return Set(targets.filter { $0.hasPrefix("socket:") })
  }

  private func statusField(_ name: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    for line in text.split(separator: "\n") where line.hasPrefix("\(name):") {
      let digits = line.filter(\.isNumber)
      if let kibibytes = Int(digits) { return kibibytes * 1_024 }
    }
    throw Failure("/proc/\(pid)/status has no \(name)")
  }
}
