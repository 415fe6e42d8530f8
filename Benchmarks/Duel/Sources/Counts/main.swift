// skein-counts PATH COUNT: does COUNT operations of one path on one thread and checks their result.
//
// For counting instructions: the difference between two runs with different counts is what the operations need. The
// worker's time is virtual, so that nothing depends on the machine's speed.

internal import CVirtualClock
internal import CaseSupport
internal import MailboxCases
internal import RuntimeCases
internal import SerializationCases
internal import Skein
internal import TimerCases

/// A path: takes the number of operations, returns their checksum, which is that of the numbers below it.
let paths: [String: @Sendable (_ count: Int) throws -> UInt64] = [
  "push-pop": { count in pushAndPop(count, NoMeter()) },
  "call-in-place": { count in try calls(count, .inPlace, node(), NoMeter()) },
  "call-queued": { count in try calls(count, .queued, node(), NoMeter()) },
  "arm-cancel": { count in try armAndCancelSame(count, among: 100, NoMeter()) },
  "spawn-exit": { count in try spawns(count, node(), NoMeter()) },
  "codec": codec,
]

/// One worker, which waits in a futex: what the sockets' interface does is the kernel's affair.
@Sendable func node() -> NodeOptions {
  var options = NodeOptions()
  options.workers = 1
  options.log = .silent
  options.sockets = nil
  return options
}

/// A small struct is written into a buffer that is used again, and read.
@Sendable func codec(_ count: Int) throws -> UInt64 {
  let both = serializationCases.filter { ["encode-direct/call", "decode-direct/call"].contains($0.name.dropFirst(14)) }
  precondition(both.count == 2, "the cases have other names now")
  let sums = try both.map { try $0.run(count, NoMeter()) }
  return sums[0] == sums[1] ? sums[0] : 0
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let path = paths[arguments[1]], let count = Int(arguments[2]), count > 0 else {
  endProgram(2, "usage: skein-counts PATH COUNT, PATH one of: \(paths.keys.sorted().joined(separator: " "))")
}
unsafe skein_virtual_clock_for_thread(StaticString("skein-0").utf8Start)
do {
  let sum = try path(count)
  guard sum == sumOfNumbers(count) else { endProgram(1, "the sum is \(sum) and should be \(sumOfNumbers(count))") }
} catch {
  endProgram(1, "\(arguments[1]): \(error)")
}
