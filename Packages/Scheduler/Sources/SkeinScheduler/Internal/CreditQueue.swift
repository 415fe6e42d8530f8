// CreditQueue: senders that wait until a mailbox has room again.
//
// A strand has none until the first sender waits. No waiter is forgotten: one that found the mailbox full enters the line
// and then looks at the mailbox's word once more; the strand looks at the line after each activation, the last time after
// it has changed that word for its rest. All four are sequentially consistent: either the waiter sees the word of a mailbox
// that rests, which is empty, or the strand sees the waiter. It is the same with the word of a mailbox that closes. Who was
// let go on and does not send passes the room on.

internal import SkeinMailbox
internal import SkeinPlatform
internal import Synchronization

/// Senders in line for room in one mailbox.
final class CreditQueue: Sendable {
  private struct Line {
    var waiting: [(number: UInt64, gate: TaskGate)] = []
    var next: UInt64 = 0
  }

  // MARK: Under lock
  private let line = Lock(Line())
  // MARK: Any thread
  private let count = Atomic<Int>(0)

  /// Waits until there may be room in `mailbox`, or it is closed, or the task is cancelled.
  func wait(_ mailbox: Mailbox<Envelope>, isolation: isolated (any Actor)?) async {
    let gate = TaskGate()
    let number = line.withLock { line in
      line.next += 1
      line.waiting.append((line.next, gate))
      return line.next
    }
    // Sequentially consistent: entered before the second look; see above.
    count.add(1, ordering: .sequentiallyConsistent)
    if mailbox.mayTakeMore { leave(number) }
    await withTaskCancellationHandler {
      // Names the isolation so that the closure belongs to the caller's actor.
      _ = isolation
      _ = await gate.wait()
    } onCancel: {
      leave(number)
    }
    // It may have been let go on before it was cancelled; then the room is the next one's.
    if Task.isCancelled { grant(mailbox) }
  }

  /// Lets one waiter go on.
  private func leave(_ number: UInt64) {
    let gate: TaskGate? = line.withLock { line in
      guard let index = line.waiting.firstIndex(where: { $0.number == number }) else { return nil }
      return line.waiting.remove(at: index).gate
    }
    guard let gate else { return }
    // Relaxed: a larger number only makes the strand look once more.
    count.subtract(1, ordering: .relaxed)
    gate.open()
  }

  /// Lets as many waiters go on as there is room for, or all when the mailbox is closed.
  func grant(_ mailbox: Mailbox<Envelope>) {
    // Sequentially consistent: see above.
    if count.load(ordering: .sequentiallyConsistent) == 0 { return }
    let room = mailbox.isClosed ? .max : max(mailbox.capacity - mailbox.count, 0)
    let granted = line.withLock { line in
      let granted = Array(line.waiting.prefix(room))
      line.waiting.removeFirst(granted.count)
      return granted
    }
    // Relaxed: as in `leave`.
    count.subtract(granted.count, ordering: .relaxed)
    for waiter in granted { waiter.gate.open() }
  }
}

extension Strand {
  /// Waits until there may be room in the mailbox, or it is closed, or the task is cancelled; then try to send again.
  ///
  /// - Thread safety: any thread.
  public func waitForRoom(isolation: isolated (any Actor)? = #isolation) async {
    await creditQueue.wait(mailbox, isolation: isolation)
  }

  /// Lets the next sender in line go on, after ``waitForRoom(isolation:)``, for one that does not send after all.
  ///
  /// - Thread safety: any thread.
  public func passRoomOn() { grantCredit() }

  /// The line, made when there is none.
  private var creditQueue: CreditQueue {
    // Acquire: sees the line's contents; pairs with the release below.
    if let known = queue(at: credit.load(ordering: .acquiring)) { return known }
    let queue = CreditQueue()
    let word = ReferenceWord.retain(queue)
    // Sequentially consistent: publishes the line, which waiters enter before they look at the mailbox again. Acquire on
    // failure: another sender's line.
    let (exchanged, found) = credit.compareExchange(
      expected: 0, desired: word, successOrdering: .sequentiallyConsistent, failureOrdering: .acquiring)
    if exchanged { return queue }
    _ = ReferenceWord.take(word, as: CreditQueue.self)
    return self.queue(at: found) ?? queue
  }

  private func queue(at word: UInt) -> CreditQueue? {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: word) else { return nil }
    return unsafe Unmanaged<CreditQueue>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Lets senders that wait go on as far as there is room.
  @inline(__always)
  func grantCredit() {
    // Sequentially consistent: after the rest or the close; see above.
    let word = credit.load(ordering: .sequentiallyConsistent)
    if word != 0 { queue(at: word)?.grant(mailbox) }
  }
}
