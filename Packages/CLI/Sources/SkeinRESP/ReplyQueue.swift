// ReplyQueue: the answers of one connection, in the order of its requests.
//
// Owns:       every answer of the connection that has not been acknowledged as sent.
// Invariants (hold between calls):
//   I1  slots are the requests from the first unanswered one on, in the order received; the first is never complete.
//   I2  finished holds the answers before them that were not taken yet.
//   I3  heldBytes is the sum over the answers and parts that wait in slots and merges.
//   I4  a merge exists exactly for the slots that several parts answer.

/// Names a request whose answer was promised to a ``ReplyQueue``.
struct ReplyTicket: Hashable, Sendable {
  let sequence: UInt64
}

/// Puts the answers of one connection back into the order of its requests.
///
/// Answers that several shards give together are merged when their last part is here. Nothing is ever refused: who
/// feeds the queue looks at ``isFull`` before making it grow.
struct ReplyQueue: Sendable {
  private struct Slot: Sendable {
    var source: [UInt8] = []
    var lower = 0
    var upper = -1
    var suppressed: Bool
  }

  /// Unread bytes from which ``isFull`` holds.
  let limitBytes: Int
  private var finished: [UInt8] = []
  private var slots: [Slot] = []
  /// Index of the first unanswered request in `slots`.
  private var head = 0
  /// Sequence number of `slots[0]`.
  private var base: UInt64 = 0
  private var merges: [UInt64: ReplyMerge] = [:]
  private var heldBytes = 0
  private var takenBytes = 0

  /// Creates an empty queue.
  ///
  /// - Parameter limitBytes: unread bytes from which ``isFull`` holds; 1 or more.
  init(limitBytes: Int) {
    precondition(limitBytes > 0, "a reply queue's limit is 1 byte or more")
    self.limitBytes = limitBytes
  }

  /// Bytes of answers that the client has not been seen to read: waiting, finished, and taken but not acknowledged.
  var unreadBytes: Int { heldBytes + finished.count + takenBytes }

  /// Bytes of answers that the client can read: no earlier answer is missing.
  var readableBytes: Int { finished.count + takenBytes }

  /// Whether as much is unread as may be.
  var isFull: Bool { unreadBytes >= limitBytes }

  /// Whether every request was answered; the answers may still be unread.
  var isComplete: Bool { head == slots.count }

  /// Number of requests that wait for an answer, or for an earlier request's answer.
  var waitingCount: Int { slots.count - head }

  /// Whether there are answers to take.
  var hasOutput: Bool { !finished.isEmpty }

  /// Takes the answers that are next in order.
  mutating func take() -> [UInt8] {
    takenBytes += finished.count
    var output: [UInt8] = []
    swap(&output, &finished)
    if isComplete, slots.capacity > Self.keptSlots { startOver() }
    return output
  }

  /// Slots whose memory a queue keeps while it waits, so that idle connections stay small.
  private static let keptSlots = 64

  /// Forgets the slots, all of which are answered.
  private mutating func startOver() {
    base += UInt64(slots.count)
    if slots.capacity > Self.keptSlots { slots = [] } else { slots.removeAll(keepingCapacity: true) }
    head = 0
  }

  /// Says that the client's connection has accepted `count` of the bytes taken.
  mutating func acknowledge(_ count: Int) {
    precondition(count >= 0 && count <= takenBytes, "more bytes acknowledged than taken")
    takenBytes -= count
  }

  /// Answers the newest request at once.
  mutating func answer(suppressed: Bool = false, _ write: (inout ReplyWriter) -> Void) {
    var writer = ReplyWriter()
    if isComplete {
      swap(&writer.bytes, &finished)
      let before = writer.bytes.count
      write(&writer)
      if suppressed { writer.bytes.removeSubrange(before...) }
      swap(&writer.bytes, &finished)
    } else {
      write(&writer)
      if suppressed { writer.bytes = [] }
      heldBytes += writer.bytes.count
      slots.append(Slot(source: writer.bytes, lower: 0, upper: writer.bytes.count, suppressed: false))
    }
  }

  /// Keeps the newest request's place until its answer, or the last part of it, is here.
  mutating func expect(_ merge: ReplyMerge?, suppressed: Bool = false) -> ReplyTicket {
    if isComplete { startOver() }
    let ticket = ReplyTicket(sequence: base + UInt64(slots.count))
    slots.append(Slot(suppressed: suppressed))
    if let merge { merges[ticket.sequence] = merge }
    return ticket
  }

  /// Whether `ticket` names the oldest request without an answer.
  func isFirst(_ ticket: ReplyTicket) -> Bool { ticket.sequence == base + UInt64(head) }

  /// Gives `source[range]` as the answer to a request, or as one part of it.
  mutating func fulfil(_ ticket: ReplyTicket, part: Int, _ source: [UInt8], _ range: Range<Int>) {
    let index = Int(ticket.sequence - base)
    precondition(index >= head && index < slots.count && slots[index].upper < 0, "a request is answered once")
    if merges.isEmpty || merges[ticket.sequence] == nil { return place(index, source, range) }
    heldBytes += range.count
    if merges[ticket.sequence]!.add(source[range], part: part) {
      let merge = merges.removeValue(forKey: ticket.sequence)!
      heldBytes -= merge.heldBytes
      let answer = merge.answer()
      place(index, answer, 0..<answer.count)
    }
  }

  private mutating func place(_ index: Int, _ source: [UInt8], _ range: Range<Int>) {
    let kept = slots[index].suppressed ? range.lowerBound..<range.lowerBound : range
    if index == head {
      finished += source[kept]
      head += 1
      finishWaiting()
    } else {
      slots[index].source = kept.isEmpty ? [] : source
      slots[index].lower = kept.isEmpty ? 0 : kept.lowerBound
      slots[index].upper = kept.isEmpty ? 0 : kept.upperBound
      heldBytes += kept.count
    }
  }

  /// Moves the answers that are now in order to the finished ones.
  private mutating func finishWaiting() {
    while head < slots.count, slots[head].upper >= 0 {
      let range = slots[head].lower..<slots[head].upper
      finished += slots[head].source[range]
      slots[head].source = []
      heldBytes -= range.count
      head += 1
    }
  }
}
