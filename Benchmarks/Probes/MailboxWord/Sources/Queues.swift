// Three bounded queues of many producers and one consumer that also tell who must schedule the consumer.

import SkeinMailbox
import SkeinPlatform
import Synchronization

protocol ScheduledQueue: AnyObject, Sendable {
  /// `nil` when full; else whether the caller must schedule the consumer.
  func push(_ element: Int) -> Bool?
  func pop() -> Int?
  /// Whether the consumer is now at rest.
  func rest() -> Bool
}

/// What the layer does: one compare-exchange claims the cell and sets awake.
final class OneWord: ScheduledQueue, @unchecked Sendable {
  // Unchecked: only the thread that is awake for the mailbox touches it.
  @exclusivity(unchecked) private var consumer: MailboxConsumer<Int>
  let mailbox: Mailbox<Int>
  init(capacity: Int) {
    consumer = MailboxConsumer(capacity: capacity)
    mailbox = consumer.mailbox
  }
  func push(_ element: Int) -> Bool? {
    if case .delivered(let mustSchedule) = mailbox.push(element) { return mustSchedule }
    return nil
  }
  func pop() -> Int? { consumer.dequeue() }
  func rest() -> Bool { consumer.rest() }
}

/// The queue and the strand's state in two words: a ring with a mark for each cell, and a flag that is exchanged after
/// every push. The consumer clears the flag and then has to look once more.
final class TwoWords: ScheduledQueue, @unchecked Sendable {
  private let capacity: Int
  private let tail = Atomic<Int>(0)
  private let head = Atomic<Int>(0)
  private let awake = Atomic<Bool>(false)
  private let cells: UnsafeMutablePointer<Int>
  private let marks: UnsafeMutablePointer<Atomic<Int>>

  init(capacity: Int) {
    self.capacity = capacity
    cells = .allocate(capacity: capacity)
    marks = .allocate(capacity: capacity)
    for index in 0..<capacity { (marks + index).initialize(to: Atomic(-1)) }
  }
  deinit {
    cells.deallocate()
    marks.deallocate()
  }
  func push(_ element: Int) -> Bool? {
    // Relaxed: a guess that the exchange verifies.
    var place = tail.load(ordering: .relaxed)
    while true {
      // Acquire: the consumer has taken what was in the cell.
      if place - head.load(ordering: .acquiring) >= capacity { return nil }
      // Relaxed: the mark below publishes.
      let (claimed, found) = tail.compareExchange(expected: place, desired: place + 1, ordering: .relaxed)
      if claimed { break }
      place = found
    }
    cells[place & (capacity - 1)] = element
    // Release: publishes the element.
    marks[place & (capacity - 1)].store(place, ordering: .releasing)
    // Sequentially consistent: after the mark, before the consumer's last look.
    return !awake.exchange(true, ordering: .sequentiallyConsistent)
  }
  func pop() -> Int? {
    // Relaxed: only the consumer writes it.
    let place = head.load(ordering: .relaxed)
    // Acquire: sees the element.
    guard marks[place & (capacity - 1)].load(ordering: .acquiring) == place else { return nil }
    let element = cells[place & (capacity - 1)]
    // Release: the cell is free.
    head.store(place + 1, ordering: .releasing)
    return element
  }
  func rest() -> Bool {
    // Sequentially consistent: before the last look.
    awake.store(false, ordering: .sequentiallyConsistent)
    // Sequentially consistent: after the store, so that a push either is seen here or sees the flag cleared.
    // Sequentially consistent, pairs with the push; relaxed: only the consumer writes `head`.
    if tail.load(ordering: .sequentiallyConsistent) == head.load(ordering: .relaxed) { return true }
    // Whoever sets the flag goes on: the consumer, or a producer that has scheduled it meanwhile.
    // Sequentially consistent: pairs with the push's look at `awake`.
    return awake.exchange(true, ordering: .sequentiallyConsistent)
  }
}

/// The obvious way: everything under a lock.
final class LockAndArray: ScheduledQueue {
  private struct State {
    var elements: [Int]
    var head = 0
    var count = 0
    var awake = false
  }
  private let state: Lock<State>
  init(capacity: Int) { state = Lock(State(elements: Array(repeating: 0, count: capacity))) }
  func push(_ element: Int) -> Bool? {
    state.withLock { state in
      guard state.count < state.elements.count else { return nil }
      state.elements[(state.head + state.count) % state.elements.count] = element
      state.count += 1
      defer { state.awake = true }
      return !state.awake
    }
  }
  func pop() -> Int? {
    state.withLock { state in
      guard state.count > 0 else { return nil }
      let element = state.elements[state.head]
      state.head = (state.head + 1) % state.elements.count
      state.count -= 1
      return element
    }
  }
  func rest() -> Bool {
    state.withLock { state in
      guard state.count == 0 else { return false }
      state.awake = false
      return true
    }
  }
}
