// What the measurements share: an actor on a strand, messages that run closures, and a stop watch.

import Glibc
import SkeinMailbox
import SkeinPlatform
import SkeinScheduler
import SkeinTimer
import Synchronization

/// Something that the main thread waits for.
final class Event: Sendable {
  private let waiter = FutexWaiter()
  private let happened = Atomic<Bool>(false)
  func signal() {
    // Release: publishes what the caller did.
    happened.store(true, ordering: .releasing)
    waiter.wake()
  }
  func wait() {
    // Acquire: pairs with the release in `signal`.
    while !happened.load(ordering: .acquiring) { waiter.wait(until: nil) }
  }
}

typealias Action = @Sendable (Strand) -> Void

let actionHandler = MessageHandler.make(
  perform: { payload, strand in payload.assumingMemoryBound(to: Action.self).move()(strand) },
  refuse: { payload in _ = payload.assumingMemoryBound(to: Action.self).move() })

extension Strand {
  func post(_ action: @escaping Action) {
    guard case .delivered = send(Envelope(actionHandler, action)) else { preconditionFailure("the mailbox is full") }
  }
}

/// An actor on a strand of its own.
actor Service {
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { strand.asUnownedSerialExecutor() }
  var value = 0
  init(_ pool: WorkerPool, _ label: String) throws { strand = try Strand(pool: pool, label: label) }
  func add(_ number: Int) -> Int {
    value += number
    return value
  }
  func run(_ body: @Sendable (isolated Service) async -> Void) async { await body(self) }
}

@Sendable func printLine(_ name: String, _ nanoseconds: [Double]) {
  let sorted = nanoseconds.sorted()
  let text = "\((sorted[sorted.count / 2] * 10).rounded() / 10)"
  print(name + String(repeating: " ", count: max(1, 76 - name.count - text.count)) + text)
}

let rounds = 7

/// The CPU time of `count` operations, in nanoseconds for each: other programs on the machine do not count.
struct StopWatch {
  let start = StopWatch.processorTime
  func each(_ count: Int) -> Double { Double(StopWatch.processorTime - start) / Double(count) }
  private static var processorTime: Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

/// The target of timers that do not fire.
final class Quiet: TimerTarget {
  func timerFired(token: UInt64) {}
}
let quiet = Quiet()
