import SkeinPlatform
import SkeinTimer
import Testing

@Suite("TimerQueue") struct TimerQueueTests {
  @Test func `handlers run in the order of deadlines, then of arming`() throws {
    let queue = TimerQueue(capacity: 8)
    let target = RecordingTarget()
    for (token, deadline) in [(1, 30), (2, 10), (3, 30), (4, 20)] as [(UInt64, Int64)] {
      try queue.arm(at: .milliseconds(deadline), target: target, token: token)
    }
    #expect(queue.advance(to: .milliseconds(25)) == 2)
    #expect(target.fired.all == [2, 4])
    #expect(queue.advance(to: .milliseconds(30)) == 2)
    #expect(target.fired.all == [2, 4, 1, 3])
    #expect(queue.count == 0)
  }

  @Test func `a deadline between two ticks fires at the later one`() throws {
    let queue = TimerQueue(capacity: 1)
    let target = RecordingTarget()
    try queue.arm(at: MonotonicInstant(nanoseconds: 5_000_001), target: target)
    #expect(queue.nextDeadline == .milliseconds(6))
    #expect(queue.advance(to: MonotonicInstant(nanoseconds: 5_999_999)) == 0)
    #expect(queue.advance(to: .milliseconds(6)) == 1)
  }

  @Test func `a closure fires once`() throws {
    let queue = TimerQueue(capacity: 1)
    let log = Log<String>()
    try queue.arm(after: .milliseconds(3), from: .milliseconds(4)) { log.append("late") }
    queue.advance(to: .milliseconds(6))
    #expect(log.all.isEmpty)
    queue.advance(to: .milliseconds(7))
    queue.advance(to: .milliseconds(70))
    #expect(log.all == ["late"])
  }

  @Test func `cancel says whether the timer will fire`() throws {
    let queue = TimerQueue(capacity: 2)
    let target = RecordingTarget()
    let first = try queue.arm(at: .milliseconds(1), target: target, token: 1)
    let second = try queue.arm(at: .milliseconds(1), target: target, token: 2)
    #expect(queue.cancel(second))
    #expect(!queue.cancel(second))
    queue.advance(to: .milliseconds(1))
    #expect(!queue.cancel(first))
    #expect(target.fired.all == [1])
  }

  @Test func `a handler cancels another timer of its own tick`() throws {
    let queue = TimerQueue(capacity: 2)
    let log = Log<Bool>()
    let box = Box(Lock(.none))
    try queue.arm(at: .milliseconds(1)) { log.append(queue.cancel(box.handle)) }
    box.handle = try queue.arm(at: .milliseconds(1)) { log.append(false) }
    #expect(queue.advance(to: .milliseconds(1)) == 1)
    #expect(log.all == [true])
  }

  @Test func `what a handler arms for a past deadline fires in the same advance, after its tick`() throws {
    let queue = TimerQueue(capacity: 4)
    let log = Log<Int>()
    try queue.arm(at: .milliseconds(5)) {
      log.append(1)
      _ = try? queue.arm(at: .milliseconds(2)) { log.append(3) }
    }
    try queue.arm(at: .milliseconds(5)) { log.append(2) }
    #expect(queue.advance(to: .milliseconds(100)) == 3)
    #expect(log.all == [1, 2, 3])
  }

  @Test func `an advance inside a handler leaves the firing to the one outside`() throws {
    let queue = TimerQueue(capacity: 4)
    let log = Log<Int>()
    try queue.arm(at: .milliseconds(1)) {
      log.append(queue.advance(to: .milliseconds(9)))
      log.append(1)
    }
    try queue.arm(at: .milliseconds(9)) { log.append(9) }
    #expect(queue.advance(to: .milliseconds(1)) == 2)
    #expect(log.all == [0, 1, 9])
  }

  @Test func `the waiter is woken only for a deadline earlier than all before`() throws {
    let waiter = RecordingWaiter()
    let queue = TimerQueue(capacity: 8, waiter: waiter)
    let target = RecordingTarget()
    try queue.arm(at: .milliseconds(50), target: target)
    try queue.arm(at: .milliseconds(60), target: target)
    try queue.arm(at: .milliseconds(50), target: target)
    try queue.arm(at: .milliseconds(40), target: target)
    #expect(waiter.deadlines.all == [.milliseconds(50), .milliseconds(40)])
    queue.advance(to: .milliseconds(45))
    #expect(queue.nextDeadline == .milliseconds(50))
    try queue.arm(at: .milliseconds(55), target: target)
    try queue.arm(at: .milliseconds(49), target: target)
    #expect(waiter.deadlines.all == [.milliseconds(50), .milliseconds(40), .milliseconds(49)])
  }

  @Test func `a waiter that comes later is told of what is armed`() throws {
    let queue = TimerQueue(capacity: 2)
    let target = RecordingTarget()
    let idle = RecordingWaiter()
    queue.attach(idle)
    #expect(idle.deadlines.all.isEmpty)
    try queue.arm(at: .milliseconds(7), target: target)
    let waiter = RecordingWaiter()
    queue.attach(waiter)
    try queue.arm(at: .milliseconds(6), target: target)
    #expect(idle.deadlines.all == [.milliseconds(7)])
    #expect(waiter.deadlines.all == [.milliseconds(7), .milliseconds(6)])
  }

  @Test func `after the earliest was cancelled the next deadline is the second's`() throws {
    let queue = TimerQueue(capacity: 2)
    let target = RecordingTarget()
    let first = try queue.arm(at: .milliseconds(500), target: target)
    try queue.arm(at: .milliseconds(900), target: target)
    #expect(queue.nextDeadline == .milliseconds(500))
    queue.cancel(first)
    #expect(queue.nextDeadline == .milliseconds(900))
    queue.advance(to: .milliseconds(900))
    #expect(queue.nextDeadline == nil)
  }

  /// Hands tokens to a mailbox of 16 places, and comes back at the next tick with those that found no room.
  private final class FullMailbox: TimerTarget {
    let queue: TimerQueue
    let unread = Log<UInt64>()
    init(_ queue: TimerQueue) { self.queue = queue }
    func timerFired(token: UInt64) {
      if unread.all.count < 16 { return unread.append(token) }
      // A past deadline is due at the next tick.
      #expect(throws: Never.self) { try queue.arm(at: .milliseconds(0), target: self, token: token) }
    }
  }

  @Test func `20 timers of one tick all reach a target whose mailbox takes 16, in order`() throws {
    let queue = TimerQueue(capacity: 20)
    let target = FullMailbox(queue)
    for token in UInt64(0)..<20 { try queue.arm(at: .milliseconds(5), target: target, token: token) }
    #expect(queue.advance(to: .milliseconds(5)) == 20)
    #expect(target.unread.removeAll() == Array(0..<16))
    #expect(queue.advance(to: .milliseconds(6)) == 4)
    #expect(target.unread.removeAll() == [16, 17, 18, 19])
    #expect(queue.count == 0)
  }

  private static let lengths: [Int64] = [1_000, 1_001, 999_999, 1_000_000, 1 << 20, 1 << 20 + 1, 3_600_000_000_000]

  @Test(arguments: lengths)
  func `a deadline becomes the first tick at or after it, for ticks of any length`(length: Int64) throws {
    let queue = TimerQueue(capacity: 1, tick: .nanoseconds(length))
    let last = Int64.max / length * length
    for tick in [0, length, 7 * length, 123_456 * length, last / 2 / length * length, last - length] {
      for offset in [-1, 0, 1, length / 2] where tick + offset > 0 {
        let deadline = MonotonicInstant(nanoseconds: tick + offset)
        let timer = try queue.arm(at: deadline, target: RecordingTarget())
        let expected = (deadline.nanoseconds - 1) / length * length + length
        #expect(queue.nextDeadline == MonotonicInstant(nanoseconds: expected))
        queue.cancel(timer)
      }
    }
  }

  @Test func `a timer armed anew fires once, at its new deadline, and tells the waiter if that is earlier`() throws {
    let waiter = RecordingWaiter()
    let queue = TimerQueue(capacity: 2, waiter: waiter)
    let target = RecordingTarget()
    let timer = try queue.arm(at: .milliseconds(5), target: target, token: 1)
    #expect(queue.rearm(timer, at: .milliseconds(9)))
    #expect(queue.nextDeadline == .milliseconds(9))
    queue.advance(to: .milliseconds(8))
    #expect(target.fired.all == [])
    #expect(queue.rearm(timer, at: .milliseconds(8)))
    #expect(waiter.deadlines.all == [.milliseconds(5), .milliseconds(8)])
    queue.advance(to: .milliseconds(9))
    #expect(target.fired.all == [1])
    #expect(!queue.rearm(timer, at: .milliseconds(20)))
    #expect(queue.count == 0)
  }

  @Test func `a timer takes 48 bytes`() throws {
    let queue = TimerQueue(capacity: 1)
    try queue.arm(at: .distantFuture, target: RecordingTarget())
    #expect(queue.storageBytes == 48)
  }

  @Test func `a full queue refuses`() throws {
    let queue = TimerQueue(capacity: 1)
    let target = RecordingTarget()
    try queue.arm(at: .milliseconds(1), target: target)
    #expect(throws: TimerError.full(capacity: 1)) { try queue.arm(at: .milliseconds(1), target: target) }
  }

  @Test func `shutting down drops what is armed, tells each target and refuses the rest`() throws {
    let queue = TimerQueue(capacity: 3)
    let target = RecordingTarget()
    let handle = try queue.arm(at: .milliseconds(1), target: target, token: 1)
    try queue.arm(at: .milliseconds(2), target: target, token: 2)
    #expect(queue.shutDown() == 2)
    #expect(target.dropped.all.sorted() == [1, 2])
    #expect(!queue.cancel(handle))
    #expect(queue.nextDeadline == nil)
    #expect(queue.advance(to: .milliseconds(10)) == 0)
    #expect(target.fired.all.isEmpty)
    #expect(throws: TimerError.shutDown) { try queue.arm(at: .milliseconds(1), target: target) }
    #expect(queue.shutDown() == 0)
  }

  @Test func `targets are released once their timers have fired, were cancelled or dropped`() throws {
    let queue = TimerQueue(capacity: 3)
    weak var released: RecordingTarget?
    do {
      let target = RecordingTarget()
      released = target
      let handle = try queue.arm(at: .milliseconds(1), target: target)
      try queue.arm(at: .milliseconds(2), target: target)
      try queue.arm(at: .milliseconds(3), target: target)
      queue.cancel(handle)
      queue.advance(to: .milliseconds(2))
    }
    #expect(released != nil)
    queue.shutDown()
    #expect(released == nil)
  }

  @Test func `timers that four threads arm and cancel fire once each or not at all`() throws {
    let count = TimerWheelModelTests.isSoak ? 250_000 : 5_000
    let waiter = FutexWaiter()
    let queue = TimerQueue(capacity: count * 4, waiter: waiter)
    let target = RecordingTarget()
    let kept = Log<UInt64>()
    let finished = Log<Int>()
    let threads = (0..<4).map { number in
      Joinable("timer-test-\(number)") {
        var generator = SeededGenerator(seed: UInt64(number))
        for index in 0..<count {
          let token = UInt64(number * count + index)
          let delay = Duration.microseconds(Int64.random(in: 0...3_000, using: &generator))
          let deadline = MonotonicInstant.now.advanced(by: delay)
          guard let handle = try? queue.arm(at: deadline, target: target, token: token) else { continue }
          if token % 3 == 0, queue.cancel(handle) { continue }
          kept.append(token)
        }
        finished.append(number)
        waiter.wake()
      }
    }
    // Two threads advance: this one and, now and then, a second.
    while true {
      let second = Joinable("timer-test-adv") { queue.advance(to: .now) }
      queue.advance(to: .now)
      second.join()
      let next = queue.nextDeadline
      if next == nil, finished.all.count == 4, queue.count == 0 { break }
      waiter.wait(until: next)
    }
    for thread in threads { thread.join() }
    #expect(target.fired.all.sorted() == kept.all.sorted())
  }

  /// A handle that a handler reads.
  private final class Box: Sendable {
    private let lock: Lock<TimerHandle>
    init(_ lock: consuming Lock<TimerHandle>) { self.lock = lock }
    var handle: TimerHandle {
      get { lock.withLock { handle in handle } }
      set { lock.withLock { handle in handle = newValue } }
    }
  }
}

/// A thread that can be joined through a reference.
final class Joinable: Sendable {
  private let thread: Lock<PlatformThread?>

  init(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do throws(SystemCallError) {
      thread = Lock(try PlatformThread.start(name: name, body))
    } catch {
      preconditionFailure("no thread: \(error)")
    }
  }

  func join() {
    let thread = thread.withLock { thread in thread.take() }
    if let thread { thread.join() }
  }
}
