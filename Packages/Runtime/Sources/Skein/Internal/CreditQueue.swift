// CreditQueue: senders that wait until a mailbox has room again.
//
// No waiter is forgotten: one that found the mailbox full enters the line and then looks at the mailbox once more;
// the service looks at the line after each activation that made room. `count` is written before the second look
// and read after the room was published; both are sequentially consistent, so at least one sees the other.

internal import SkeinMailbox
internal import SkeinPlatform
internal import SkeinScheduler
internal import Synchronization

/// Senders in line for room in one mailbox.
final class CreditQueue: Sendable {
  private struct Line {
    var waiting: [(number: UInt64, gate: TaskGate)] = []
    var next: UInt64 = 0
    var isClosed = false
  }

  // MARK: Under lock
  private let line = Lock(Line())
  // MARK: Any thread
  private let count = Atomic<Int>(0)

  /// Waits until there may be room in `mailbox`, or the line is closed, or the task is cancelled.
  func wait(_ mailbox: Mailbox<Envelope>, isolation: isolated (any Actor)? = #isolation) async {
    let number = line.withLock { line in
      line.next += 1
      return line.next
    }
    let gate = TaskGate()
    let isClosed = line.withLock { line in
      if !line.isClosed { line.waiting.append((number, gate)) }
      return line.isClosed
    }
    if isClosed { return }
    // Sequentially consistent: entered before the second look; see above.
    count.add(1, ordering: .sequentiallyConsistent)
    if mailbox.count < mailbox.capacity || mailbox.isClosed { leave(number) }
    await withTaskCancellationHandler {
      // Names the isolation so that the closure belongs to the caller's actor.
      _ = isolation
      _ = await gate.wait()
    } onCancel: {
      leave(number)
    }
  }

  /// Lets one waiter go on.
  private func leave(_ number: UInt64) {
    let gate: TaskGate? = line.withLock { line in
      guard let index = line.waiting.firstIndex(where: { $0.number == number }) else { return nil }
      return line.waiting.remove(at: index).gate
    }
    guard let gate else { return }
    // Relaxed: a larger number only makes the service look once more.
    count.subtract(1, ordering: .relaxed)
    gate.open()
  }

  /// Lets as many waiters go on as there is room for. Called by the service after an activation.
  func grant(_ mailbox: Mailbox<Envelope>) {
    // Sequentially consistent: see above.
    if count.load(ordering: .sequentiallyConsistent) == 0 { return }
    release(upTo: mailbox.capacity - mailbox.count)
  }

  /// Lets everybody go on, for good.
  func close() {
    line.withLock { $0.isClosed = true }
    release(upTo: .max)
  }

  private func release(upTo room: Int) {
    let granted = line.withLock { line in
      let granted = Array(line.waiting.prefix(max(room, 0)))
      line.waiting.removeFirst(granted.count)
      return granted
    }
    // Relaxed: as in `leave`.
    count.subtract(granted.count, ordering: .relaxed)
    for waiter in granted { waiter.gate.open() }
  }
}
