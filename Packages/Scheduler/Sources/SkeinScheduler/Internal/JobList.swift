// JobList: Swift jobs in line, linked through the two words that the runtime leaves to executors.
//
// Two parts: `JobStack`, on which any thread pushes, and `JobList`, which only the strand's turn touches.
// A job is in one list at most, and leaves it before it runs, so its words are ours while it is listed.

internal import Synchronization
@_spi(ExperimentalCustomExecutors) internal import _Concurrency

extension UnownedJob {
  /// The address of the runtime's job object.
  var bits: UInt { unsafe unsafeBitCast(self, to: UInt.self) }
  init(bits: UInt) { self = unsafe unsafeBitCast(bits, to: UnownedJob.self) }

  /// The job after this one, in the first of the words that belong to the executor.
  var next: UInt {
    get { unsafe ExecutorJob(self).withUnsafeExecutorPrivateData { unsafe $0.load(as: UInt.self) } }
    nonmutating set {
      unsafe ExecutorJob(self).withUnsafeExecutorPrivateData { unsafe $0.storeBytes(of: newValue, as: UInt.self) }
    }
  }
}

extension UnownedJob {
  /// The driver to whose task the job belongs, in the second of the words; not counted: the task keeps it.
  var driver: TaskDriver? {
    get {
      let bits = unsafe ExecutorJob(self).withUnsafeExecutorPrivateData {
        unsafe $0.load(fromByteOffset: MemoryLayout<UInt>.size, as: UInt.self)
      }
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: bits) else { return nil }
      return unsafe Unmanaged<TaskDriver>.fromOpaque(pointer).takeUnretainedValue()
    }
    nonmutating set {
      let bits = newValue.map { unsafe UInt(bitPattern: Unmanaged.passUnretained($0).toOpaque()) } ?? 0
      unsafe ExecutorJob(self).withUnsafeExecutorPrivateData {
        unsafe $0.storeBytes(of: bits, toByteOffset: MemoryLayout<UInt>.size, as: UInt.self)
      }
    }
  }
}

/// Jobs that were enqueued and not yet looked at, newest on top.
struct JobStack: ~Copyable {
  // MARK: Any thread
  private let top = Atomic<UInt>(0)

  func push(_ job: UnownedJob) {
    // Relaxed: a guess that the compare-exchange verifies.
    var seen = top.load(ordering: .relaxed)
    while true {
      job.next = seen
      // Release: publishes the job's link; pairs with the acquire in `takeAll`. Failure: a new guess.
      let (done, found) = top.compareExchange(
        expected: seen, desired: job.bits, successOrdering: .releasing, failureOrdering: .relaxed)
      if done { return }
      seen = found
    }
  }

  /// Address of the newest job; its links lead to older ones.
  func takeAll() -> UInt {
    // Acquire: sees the links; pairs with the release in `push`.
    top.exchange(0, ordering: .acquiring)
  }
}

/// Jobs in the order in which they run.
struct JobList: ~Copyable {
  // MARK: The strand's turn only
  private var first: UInt = 0
  private var last: UInt = 0

  var isEmpty: Bool { first == 0 }

  mutating func append(from stack: borrowing JobStack) {
    var rest = stack.takeAll()
    guard rest != 0 else { return }
    let newest = rest
    var oldest: UInt = 0
    while rest != 0 {
      let job = UnownedJob(bits: rest)
      rest = job.next
      job.next = oldest
      oldest = job.bits
    }
    if first == 0 { first = oldest } else { UnownedJob(bits: last).next = oldest }
    last = newest
  }

  mutating func popFirst() -> UnownedJob? {
    guard first != 0 else { return nil }
    let job = UnownedJob(bits: first)
    first = job.next
    if first == 0 { last = 0 }
    return job
  }
}
