// TimerThread: a queue with a thread of its own.
//
// Owns:       the thread.
// Shared by:  any threads; the thread itself is the only one to wait in `waiter`.
// The thread holds the loop, not the TimerThread, so that dropping the last reference ends it too.

public import SkeinPlatform
internal import Synchronization

/// A ``TimerQueue`` that runs by itself, on one thread that sleeps until the next deadline.
///
/// ```swift
/// let timers = try TimerThread(capacity: 10_000)
/// try await timers.clock.sleep(for: .milliseconds(5))
/// timers.shutDown()
/// ```
///
/// For programs that use this layer alone; a worker of the layer Scheduler advances its own queue.
/// - Thread safety: any thread.
public final class TimerThread: Sendable {
  /// The queue; arm and cancel here, and leave advancing to the thread.
  public let queue: TimerQueue
  /// A clock whose sleepers wait on the queue.
  public var clock: SkeinClock { SkeinClock(queue) }

  private let loop: Loop
  private let thread: Lock<PlatformThread?>

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - capacity: greatest number of timers armed at once.
  ///   - tick: the length of a tick.
  ///   - name: the thread's, as `ps` and `perf` show it.
  /// - Throws: `SystemCallError` when the kernel has no thread left.
  public init(
    capacity: Int = 1 << 20, tick: Duration = .milliseconds(1), name: String = "skein-timer"
  ) throws(SystemCallError) {
    let waiter = FutexWaiter()
    let queue = TimerQueue(capacity: capacity, tick: tick, waiter: waiter)
    let loop = Loop(queue: queue, waiter: waiter)
    self.queue = queue
    self.loop = loop
    thread = Lock(try PlatformThread.start(name: name) { loop.run() })
  }

  deinit { shutDown() }

  /// Shuts the queue down and waits until the thread has ended.
  ///
  /// A handler that is running is waited for. Called from a handler, on the thread itself, it does not wait; a later
  /// call from another thread, or the release of this object there, does. Calls after that do nothing.
  ///
  /// - Returns: how many timers were dropped; see ``TimerQueue/shutDown()``.
  @discardableResult
  public func shutDown() -> Int {
    let dropped = queue.shutDown()
    loop.stop()
    if loop.isCurrent { return dropped }
    // Taken out first: joining under the lock would hold up a second caller.
    let thread = thread.withLock { thread in thread.take() }
    if let thread { thread.join() }
    return dropped
  }

  private final class Loop: Sendable {
    let queue: TimerQueue
    let waiter: FutexWaiter
    private let isStopped = Atomic<Bool>(false)
    private let number = Atomic<Int32>(0)

    init(queue: TimerQueue, waiter: FutexWaiter) {
      self.queue = queue
      self.waiter = waiter
    }

    /// Whether the calling thread is the loop's.
    var isCurrent: Bool {
      // Relaxed: only the loop's own thread can find its own number here.
      number.load(ordering: .relaxed) == PlatformThread.currentNumber
    }

    func run() {
      // Relaxed: see `isCurrent`.
      number.store(PlatformThread.currentNumber, ordering: .relaxed)
      // Acquire: pairs with the release in `stop`; the wake that follows it makes sure that we look.
      while !isStopped.load(ordering: .acquiring) {
        queue.advance(to: .now)
        waiter.wait(until: queue.nextDeadline)
      }
    }

    func stop() {
      // Release: pairs with the load in `run`.
      isStopped.store(true, ordering: .releasing)
      waiter.wake()
    }
  }
}
