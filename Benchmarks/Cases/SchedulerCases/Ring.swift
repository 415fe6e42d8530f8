// Ring: one message goes round many strands; between two of them it is a ping-pong.

internal import CaseSupport
internal import SkeinScheduler
internal import Synchronization

/// A number is passed on `count` times, and goes down by one each time.
func ring(_ count: Int, strands: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(workers) { pool in
    let done = Event()
    let nodes = try (0..<strands).map { _ in Node(try Strand(pool: pool, label: "node"), done) }
    for index in 0..<strands { unsafe nodes[index].next = Unmanaged.passUnretained(nodes[(index + 1) % strands]) }
    meter.start()
    nodes[0].pass(count)
    done.wait()
    meter.stop()
    return withExtendedLifetime(nodes) { nodes.reduce(0) { sum, node in sum &+ node.sum } }
  }
}

@safe private final class Node: @unchecked Sendable {
  // @unchecked: `next` is set before the first message, `sum` touched on the strand's turn and read after `done`.
  let strand: Strand
  var next: Unmanaged<Node>?
  private(set) var sum: UInt64 = 0
  private let done: Event

  init(_ strand: Strand, _ done: Event) {
    self.strand = strand
    self.done = done
  }

  /// Sends this node its number.
  func pass(_ number: Int) {
    _ = strand.send(unsafe Envelope(tokenHandler, Token(node: Unmanaged.passUnretained(self), number: number)))
  }

  /// On the strand's turn.
  func take(_ number: Int) {
    let rest = number - 1
    sum &+= UInt64(rest)
    if rest == 0 { return done.signal() }
    unsafe next!._withUnsafeGuaranteedRef { next in next.pass(rest) }
  }
}

/// The nodes live until `ring` returns, which is after the last message.
@safe private struct Token: @unchecked Sendable {
  let node: Unmanaged<Node>
  let number: Int
}

private let tokenHandler = unsafe MessageHandler.make(
  perform: { payload, _ in
    let token = unsafe payload.assumingMemoryBound(to: Token.self).move()
    unsafe token.node._withUnsafeGuaranteedRef { node in node.take(token.number) }
  },
  refuse: { _ in })
