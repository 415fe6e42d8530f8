// Threads: what cases need in order to use several of them.

internal import CCaseSupport
public import SkeinPlatform
internal import Synchronization

/// Something that one thread waits for and others count up.
public final class Event: Sendable {
  private let waiter = FutexWaiter()
  private let count = Atomic<Int>(0)

  /// Makes an event that has not happened.
  public init() {}

  /// Counts one more.
  public func signal() {
    // Release: publishes what the caller did; pairs with the acquire in `wait`.
    count.add(1, ordering: .acquiringAndReleasing)
    waiter.wake()
  }

  /// Waits on the calling thread until it was signalled `times` times.
  public func wait(_ times: Int = 1) {
    // Acquire: pairs with the release in `signal`.
    while count.load(ordering: .acquiring) < times { waiter.wait(until: nil) }
  }
}

/// A number that several threads add to.
public final class Tally: Sendable {
  private let sum = Atomic<UInt64>(0)

  /// Makes a tally of zero.
  public init() {}

  /// Adds `number`.
  public func add(_ number: UInt64) {
    // Relaxed: an event or a join orders it before it is read.
    sum.wrappingAdd(number, ordering: .relaxed)
  }

  /// The sum so far.
  public var value: UInt64 {
    // Relaxed: as above.
    sum.load(ordering: .relaxed)
  }
}

/// Keeps the calling thread on one core.
public func pinThread(to core: Int) {
  let status = skein_pin_thread(Int32(core))
  precondition(status == 0, "there is no core \(core) for this thread")
}

/// Threads that begin together.
public final class ThreadGroup {
  private var threads: [ThreadBox] = []
  /// One for each thread: an event has one waiter.
  private var gates: [Event] = []

  /// Starts `count` threads that wait for ``go()`` and then run `body` with their number.
  public init(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) throws {
    let ready = Event()
    for number in 0..<count {
      let gate = Event()
      gates.append(gate)
      threads.append(
        ThreadBox(
          try PlatformThread.start(name: "case-\(number)") {
            ready.signal()
            gate.wait()
            body(number)
          }))
    }
    ready.wait(count)
  }

  /// Lets the threads begin.
  public func go() { for gate in gates { gate.signal() } }

  /// Waits until all have ended.
  public func join() { for thread in threads { thread.join() } }
}

/// A thread in an array.
private final class ThreadBox {
  private var thread: PlatformThread?
  init(_ thread: consuming PlatformThread) { self.thread = consume thread }
  func join() {
    guard let thread = thread.take() else { return }
    thread.join()
  }
}

/// Waits for another thread's next step: spins a little, then gives its core away.
public struct BackOff {
  @usableFromInline var tries = 0

  /// Makes one that has not waited yet.
  @inlinable
  public init() {}

  /// One wait.
  @inlinable
  public mutating func pause() {
    tries &+= 1
    if tries % 200 == 0 { PlatformThread.yield() } else { PlatformThread.relax() }
  }
}
