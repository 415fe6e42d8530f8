// PacketWriter: what one connection has still to write, in order and in pieces of bounded size.
//
// Owns:       encoded small packets, bodies of large messages, and the count of bytes that the driver holds.
// Invariants:
//   I1  a packet is never torn: when `takeOutput` ends inside the small packets, the rest of them comes first.
//   I2  large messages leave one after the other, in the order in which they came.
//   I3  by default small packets overtake large messages between two parts; with `keepsOrder` they wait for those
//       that came before them.
//   I4  the driver is handed more only while it holds less than `window` bytes, and then at most one part more.

/// Orders small packets and large messages of one direction of one connection.
struct PacketWriter: Sendable {
  /// Which parts a large message has.
  enum Direction: Sendable { case requests, answers }

  private struct Large: Sendable {
    /// What stands before the parts: a trace packet, the beginning.
    var head: [UInt8]
    let session: UInt32
    let body: [UInt8]
    var written = 0
    var remaining: Int { head.count + body.count - written }
    /// Small packets that wait behind it to keep the order; already encoded.
    var followers: [UInt8] = []
  }

  private let direction: Direction
  private let keepsOrder: Bool
  private let window: Int
  private var small: [UInt8] = []
  private var smallStart = 0
  private var large: [Large] = []
  private var largeStart = 0
  /// Bytes that were taken since the beginning.
  private(set) var takenBytes = 0
  /// Of them, those that the kernel does not have yet, as far as the driver has told.
  private(set) var heldBytes = 0
  /// Bytes that were not taken.
  private(set) var waitingBytes = 0
  /// Sends since the beginning, and the marks by which it is known how many of them have left.
  private(set) var sendMarks = SendMarks()

  init(_ direction: Direction, keepsOrder: Bool, window: Int) {
    self.direction = direction
    self.keepsOrder = keepsOrder
    self.window = window
  }

  /// All bytes that the kernel does not have.
  var unsentBytes: Int { waitingBytes + heldBytes }
  /// Whether nothing waits to be taken.
  var isEmpty: Bool { waitingBytes == 0 }
  /// Whether `takeOutput` would hand out something.
  var hasOutput: Bool { waitingBytes > 0 && heldBytes < window }
  /// Sessions whose large message is not completely taken.
  var unfinishedSessions: Set<UInt32> { Set(large[largeStart...].lazy.map(\.session)) }

  /// Whether the session has a large message that is not completely taken.
  ///
  /// - Complexity: O(large messages).
  func isUnfinished(_ session: UInt32) -> Bool { large[largeStart...].contains { $0.session == session } }

  /// Adds a small packet, written by `encode`.
  mutating func addSmall(isSend: Bool = false, _ encode: (inout [UInt8]) -> Void) {
    if keepsOrder && largeStart < large.count {
      let last = large.count - 1
      let before = large[last].followers.count
      encode(&large[last].followers)
      waitingBytes += large[last].followers.count - before
    } else {
      let before = small.count
      encode(&small)
      waitingBytes += small.count - before
    }
    if isSend { sendMarks.sent += 1 }
  }

  /// Adds a large message; `head` is what stands before its parts.
  mutating func addLarge(head: [UInt8], session: UInt32, body: [UInt8], isSend: Bool = false) {
    large.append(Large(head: head, session: session, body: body))
    waitingBytes += head.count + body.count
    if isSend { sendMarks.sent += 1 }
  }

  /// Takes a large message back if none of it was taken.
  ///
  /// - Complexity: O(large messages).
  mutating func removeLarge(_ session: UInt32) -> Bool {
    guard
      let index = large[largeStart...].firstIndex(where: { $0.session == session }),
      large[index].written == 0, !large[index].head.isEmpty
    else { return false }
    waitingBytes -= large[index].remaining
    let followers = large[index].followers
    large.remove(at: index)
    // Followers keep their place: behind the message before, or with the small ones.
    if index > largeStart { large[index - 1].followers += followers } else { small += followers }
    return true
  }

  /// Takes what may be written now; empty when the driver holds enough.
  mutating func takeOutput() -> [UInt8] {
    guard hasOutput else { return [] }
    var output = takeSmall(window - heldBytes)
    while smallStart == small.count, largeStart < large.count, heldBytes + output.count < window {
      takePart(into: &output)
    }
    takenBytes += output.count
    heldBytes += output.count
    waitingBytes -= output.count
    if waitingBytes == 0 { sendMarks.allTaken(at: takenBytes) }
    return output
  }

  /// The driver says how many bytes the kernel has taken since the beginning.
  mutating func setSent(_ total: Int) {
    heldBytes = takenBytes - total
    sendMarks.settle(sent: total)
  }

  private mutating func takeSmall(_ budget: Int) -> [UInt8] {
    let available = small.count - smallStart
    if available <= budget {
      let output = smallStart == 0 ? small : Array(small[smallStart...])
      small = []
      smallStart = 0
      return output
    }
    let end = smallStart + budget
    let output = Array(small[smallStart..<end])
    smallStart = end
    if smallStart * 2 > small.count {
      small.removeFirst(smallStart)
      smallStart = 0
    }
    return output
  }

  private mutating func takePart(into output: inout [UInt8]) {
    let index = largeStart
    let session = large[index].session
    if !large[index].head.isEmpty {
      output += large[index].head
      large[index].head = []
      return
    }
    let from = large[index].written
    let end = min(from + ClusterWire.partBytes, large[index].body.count)
    let isLast = end == large[index].body.count
    let before = output.count
    switch direction {
    case .requests:
      RequestPacket.appendPart(session: session, isLast: isLast, bytes: large[index].body[from..<end], into: &output)
    case .answers:
      AnswerPacket.appendPart(session: session, isLast: isLast, bytes: large[index].body[from..<end], into: &output)
    }
    // The packet's own bytes were not counted as waiting.
    waitingBytes += output.count - before - (end - from)
    large[index].written = end
    if isLast { finishFirst() }
  }

  private mutating func finishFirst() {
    small += large[largeStart].followers
    large[largeStart] = Large(head: [], session: 0, body: [])
    largeStart += 1
    if largeStart * 2 >= large.count {
      large.removeFirst(largeStart)
      largeStart = 0
    }
  }
}

/// How many sends a connection has taken, and how many of them the kernel certainly has.
struct SendMarks: Sendable {
  private struct Mark: Sendable {
    let offset: Int
    let sent: Int
  }

  /// Sends that were added.
  var sent = 0
  /// Sends that the kernel certainly has.
  private(set) var settled = 0
  private var marks: [Mark] = []

  /// Sends that the kernel does not have for certain.
  var unsettled: Int { sent - settled }

  /// All bytes so far were taken, `offset` of them: only then is it known which bytes hold all sends so far.
  mutating func allTaken(at offset: Int) {
    if sent > (marks.last?.sent ?? settled) { marks.append(Mark(offset: offset, sent: sent)) }
  }

  mutating func settle(sent total: Int) {
    var count = 0
    while count < marks.count && marks[count].offset <= total {
      settled = marks[count].sent
      count += 1
    }
    if count > 0 { marks.removeFirst(count) }
  }
}
