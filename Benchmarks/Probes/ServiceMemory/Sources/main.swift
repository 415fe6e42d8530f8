// Prints what strands, actors and suspended tasks hold, and what is left when services have come and gone.

import CTrim
import Glibc
import SkeinMailbox
import SkeinPlatform
import SkeinScheduler
import Synchronization

/// Bytes of resident memory of this process.
func residentBytes() -> Int {
  let file = fopen("/proc/self/statm", "r")!
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  fgets(&line, 128, file)
  let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self).split(separator: " ")
  return Int(words[1])! * 4_096
}

/// Counts up on any thread; one thread waits.
final class Counter: Sendable {
  private let waiter = FutexWaiter()
  private let count = Atomic<Int>(0)
  func add(_ number: Int) {
    // Release: publishes what the caller did.
    count.add(number, ordering: .acquiringAndReleasing)
    waiter.wake()
  }
  func wait(_ number: Int) {
    // Acquire: pairs with the release in `add`.
    while count.load(ordering: .acquiring) < number { waiter.wait(until: nil) }
  }
  var value: Int {
    // Acquire: as above.
    count.load(ordering: .acquiring)
  }
}

/// A service without its runtime: an actor on a strand. Counts how many live.
actor Service {
  static let live = Atomic<Int>(0)
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { strand.asUnownedSerialExecutor() }
  private var continuation: UnsafeContinuation<Void, Never>?
  private var value = 0

  init(_ pool: WorkerPool) throws {
    strand = try Strand(pool: pool, label: "service")
    // Relaxed: a count.
    Service.live.add(1, ordering: .relaxed)
  }
  deinit {
    // Relaxed: a count.
    Service.live.subtract(1, ordering: .relaxed)
  }
  /// A handler that waits for something.
  func suspend(_ counter: Counter) async {
    counter.add(1)
    await withUnsafeContinuation { continuation = $0 }
    value += 1
  }
  func resume() {
    continuation?.resume()
    continuation = nil
  }
}

struct Visit: Sendable {
  let service: Service
  let counter: Counter
}

/// A message.
let visit = MessageHandler.make(
  perform: { payload, _ in payload.assumingMemoryBound(to: Visit.self).move().counter.add(1) },
  refuse: { payload in payload.assumingMemoryBound(to: Visit.self).move().counter.add(1) })
/// An exit: refuses what comes later and what is unread.
let exit = MessageHandler.make(
  perform: { payload, strand in
    strand.close()
    strand.refuseUnread()
    payload.assumingMemoryBound(to: Visit.self).move().counter.add(1)
  },
  refuse: { payload in payload.assumingMemoryBound(to: Visit.self).move().counter.add(1) })

func send(_ handler: Unmanaged<MessageHandler>, to service: Service, _ counter: Counter) -> Bool {
  if case .delivered = service.strand.send(Envelope(handler, Visit(service: service, counter: counter))) { return true }
  return false
}

func line(_ name: String, _ value: Int, _ unit: String) {
  let text = "\(value)"
  print(name + String(repeating: " ", count: max(1, 62 - name.count - text.count)) + text + " " + unit)
}

let pool = try WorkerPool(workers: 2)
let count = 100_000

/// Resident bytes for each of `count` things that `make` makes.
func bytesEach<Thing>(_ name: String, _ make: (Int) throws -> Thing) throws -> [Thing] {
  var things: [Thing] = []
  things.reserveCapacity(count)
  let before = residentBytes()
  for number in 0..<count { things.append(try make(number)) }
  line(name, (residentBytes() - before) / count, "bytes")
  return things
}

print("\(count) of each")
var strands: [Strand]? = try bytesEach("a strand that never ran") { _ in try Strand(pool: pool, label: "service") }
strands = nil
probe_trim()

var services: [Service] = []
services.reserveCapacity(count)
let counter = Counter()
var before = residentBytes()
for _ in 0..<count { services.append(try Service(pool)) }
for service in services { precondition(send(visit, to: service, counter)) }
counter.wait(count)
line("a service (actor and strand) at rest after a message", (residentBytes() - before) / count, "bytes")

/// One suspended handler a service, in tasks that prefer the strand or do not.
@MainActor func suspended(prefers: Bool) {
  let counter = Counter()
  let before = residentBytes()
  for service in services {
    Task(executorPreference: prefers ? service.strand : nil) { await service.suspend(counter) }
  }
  counter.wait(count)
  line(
    "  and one suspended handler, \(prefers ? "task with" : "no") executor preference",
    (residentBytes() - before) / count, "bytes more")
  let resumed = Counter()
  for service in services {
    Task(executorPreference: service.strand) {
      await service.resume()
      resumed.add(1)
    }
  }
  resumed.wait(count)
}
suspended(prefers: true)
probe_trim()
suspended(prefers: false)
services = []
probe_trim()

print("spawn, a message, exit: \(count) times, a hundred at once")
before = residentBytes()
let start = MonotonicInstant.now
let ended = Counter()
for batch in 0..<(count / 100) {
  for _ in 0..<100 {
    let service = try Service(pool)
    precondition(send(visit, to: service, ended))
    precondition(send(exit, to: service, ended))
  }
  ended.wait((batch + 1) * 200)
}
let took = Int(start.duration(to: .now).nanosecondsClamped)
line("time for each", took / count, "ns")
line("resident memory grew by", (residentBytes() - before) / 1_024, "KiB in all")

print("an exit with 1,000 unread messages")
let refused = Counter()
let blocked = try Service(pool)
let gate = Counter()
let hold = MessageHandler.make(
  perform: { payload, _ in payload.assumingMemoryBound(to: Counter.self).move().wait(1) },
  refuse: { payload in _ = payload.assumingMemoryBound(to: Counter.self).move() })
guard case .delivered = blocked.strand.send(Envelope(hold, gate)) else { fatalError("not delivered") }
precondition(send(exit, to: blocked, refused))
for _ in 0..<1_000 { precondition(send(visit, to: blocked, refused)) }
let opened = MonotonicInstant.now
gate.add(1)
refused.wait(1_001)
line("time to refuse each", Int(opened.duration(to: .now).nanosecondsClamped) / 1_000, "ns")
precondition(!send(visit, to: blocked, refused))
pool.shutDown()
// Relaxed: the workers have ended.
line("services alive at the end, the last one included", Service.live.load(ordering: .relaxed), "")
