// Flood: one-way messages under back-pressure. A sender is never more than a window ahead of the receiver.

internal import CaseSupport
internal import SkeinMailbox
internal import SkeinScheduler

/// Senders send the numbers 0 ..< count between them to one receiver, which adds them up.
func flood(_ count: Int, senders: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(workers) { pool in
    let receiver = try Receiver(pool: pool, count: count)
    let all = try (0..<senders).map { first in
      try Sender(pool: pool, receiver: receiver, first: first, step: senders, count: count)
    }
    meter.start()
    // Two halves of a window for each: that is the credit that goes round from then on.
    for sender in all {
      for _ in 0..<2 { _ = sender.strand.send(unsafe Envelope(creditHandler, Unmanaged.passUnretained(sender))) }
    }
    receiver.done.wait()
    meter.stop()
    // The messages do not hold their senders.
    return withExtendedLifetime(all) { receiver.sum }
  }
}

/// Takes numbers and gives their senders credit.
private final class Receiver: @unchecked Sendable {
  // @unchecked: the counters are touched on the strand's turn, and read after `done`.
  let strand: Strand
  let done = Event()
  private(set) var sum: UInt64 = 0
  private var left: Int

  init(pool: WorkerPool, count: Int) throws {
    strand = try Strand(pool: pool, label: "receiver")
    left = count
  }

  func take(_ number: Int, from sender: Sender) {
    sum &+= UInt64(number)
    left -= 1
    sender.taken += 1
    if sender.taken % Sender.halfWindow == 0 {
      _ = sender.strand.send(unsafe Envelope(creditHandler, Unmanaged.passUnretained(sender)))
    }
    if left == 0 { done.signal() }
  }
}

/// Sends its share of the numbers.
private final class Sender: @unchecked Sendable {
  // @unchecked: `next` is touched on the sender's strand, `taken` on the receiver's.
  /// Eight senders' windows of 112 fit into a mailbox of 1,024, whose places come free fifteen at a time.
  static let halfWindow = 56
  let strand: Strand
  var taken = 0
  private let receiver: Receiver
  private var next: Int
  private let step: Int
  private let count: Int

  init(pool: WorkerPool, receiver: Receiver, first: Int, step: Int, count: Int) throws {
    strand = try Strand(pool: pool, label: "sender")
    self.receiver = receiver
    next = first
    self.step = step
    self.count = count
  }

  func sendHalf() {
    for _ in 0..<Sender.halfWindow where next < count {
      let numbered = unsafe Numbered(
        receiver: Unmanaged.passUnretained(receiver), sender: Unmanaged.passUnretained(self), number: next)
      guard case .delivered = receiver.strand.send(unsafe Envelope(numberHandler, numbered))
      else { preconditionFailure("a window did not fit into the mailbox") }
      next += step
    }
  }
}

/// The objects live until `flood` returns, which is after the last message: no counting on the way.
@safe private struct Numbered: @unchecked Sendable {
  let receiver: Unmanaged<Receiver>
  let sender: Unmanaged<Sender>
  let number: Int
}

private let numberHandler = unsafe MessageHandler.make(
  perform: { payload, _ in
    let message = unsafe payload.assumingMemoryBound(to: Numbered.self).move()
    unsafe message.receiver._withUnsafeGuaranteedRef { receiver in
      unsafe message.sender._withUnsafeGuaranteedRef { sender in receiver.take(message.number, from: sender) }
    }
  },
  refuse: { _ in })

private let creditHandler = unsafe MessageHandler.make(
  perform: { payload, _ in
    let sender = unsafe payload.assumingMemoryBound(to: Unmanaged<Sender>.self).move()
    unsafe sender._withUnsafeGuaranteedRef { sender in sender.sendHalf() }
  },
  refuse: { _ in })
