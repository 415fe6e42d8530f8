// Outbox: messages that met a full mailbox, in order for each destination, until there is room.
//
// Sends go straight to the destination's mailbox: a push costs about as much as a push into a ring that somebody would
// have to empty, and the message is there when the send returns. So only what is refused needs a place to wait.

internal import SkeinMailbox

/// What became of a message that was given to an ``Outbox``.
public enum OutboxReceipt: ~Copyable {
  /// It is in the destination's mailbox.
  case delivered
  /// It waits in the outbox, and goes out when the destination has room.
  case kept
  /// The outbox is full, too.
  case busy(Envelope)
  /// The destination is closed.
  case closed(Envelope)
}

/// Sends in order to many strands, and keeps what a full one refuses without holding up the others.
///
/// - Thread safety: one thread at a time, such as a strand's turn.
@safe public final class Outbox {
  /// Most messages that wait at once.
  public let capacity: Int
  /// Messages that wait.
  public private(set) var count = 0

  private final class Node {
    var envelope: Envelope?
    init(_ envelope: consuming Envelope) { self.envelope = consume envelope }
  }

  private struct Line {
    let destination: Strand
    /// Lines are flushed in the order in which they came up: addresses, which the keys are, would make it chance.
    let number: Int
    var nodes: [Node]
  }

  private var lines: [ObjectIdentifier: Line] = [:]
  private var lineCount = 0

  /// Makes an empty outbox.
  public init(capacity: Int = 1_024) {
    precondition(capacity > 0, "an outbox holds at least one message")
    self.capacity = capacity
  }

  /// Sends a message, after those to the same strand that wait.
  ///
  /// - Complexity: O(1).
  public func send(_ envelope: consuming Envelope, to strand: Strand) -> OutboxReceipt {
    let key = ObjectIdentifier(strand)
    if lines[key] == nil {
      switch strand.send(envelope) {
      case .delivered: return .delivered
      case .closed(let envelope): return .closed(envelope)
      case .busy(let envelope):
        if count == capacity { return .busy(envelope) }
        lines[key] = Line(destination: strand, number: lineCount, nodes: [Node(envelope)])
        lineCount += 1
      }
    } else {
      if count == capacity { return .busy(envelope) }
      lines[key]!.nodes.append(Node(envelope))
    }
    count += 1
    return .kept
  }

  /// Sends what waits to those who have room now; what waits for closed strands is refused.
  ///
  /// What is refused may use the outbox.
  ///
  /// - Complexity: O(messages that go out + d log d for d destinations that are busy).
  public func flush() {
    if count == 0 { return }
    for (key, _) in lines.sorted(by: { $0.value.number < $1.value.number }) { flush(key) }
  }

  private func flush(_ key: ObjectIdentifier) {
    guard var line = lines[key] else { return }
    var gone = 0
    var refused: [Node] = []
    for node in line.nodes {
      guard let envelope = node.envelope.take() else { continue }
      var isBusy = false
      switch line.destination.send(envelope) {
      case .delivered: break
      case .closed(let envelope): refused.append(Node(envelope))
      case .busy(let envelope):
        node.envelope = consume envelope
        isBusy = true
      }
      if isBusy { break }
      gone += 1
    }
    count -= gone
    line.nodes.removeFirst(gone)
    lines[key] = line.nodes.isEmpty ? nil : line
    // Last: a handler may send to the same strand, or flush.
    for node in refused { if let envelope = node.envelope.take() { envelope.refuse() } }
  }

  deinit {
    for line in lines.values {
      for node in line.nodes { if let envelope = node.envelope.take() { envelope.refuse() } }
    }
  }
}

// @unchecked: one thread at a time.
extension Outbox: @unchecked Sendable {}
