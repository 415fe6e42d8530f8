import Testing

@testable import SkeinRESP

/// All orders of `items`.
func permutations<T>(_ items: [T]) -> [[T]] {
  if items.isEmpty { return [[]] }
  return items.indices.flatMap { index in
    var rest = items
    let first = rest.remove(at: index)
    return permutations(rest).map { [first] + $0 }
  }
}

@Suite("ReplyQueue") struct ReplyQueueTests {
  private struct Part {
    let ticket: ReplyTicket
    let part: Int
    let bytes: [UInt8]
  }

  /// A queue with requests of every kind, the parts that answer them, and what is to come out.
  private static func filled() -> (queue: ReplyQueue, parts: [Part], expected: String) {
    var queue = ReplyQueue(limitBytes: 1_000)
    var parts: [Part] = []
    queue.answer { $0.raw("+first\r\n") }
    parts.append(Part(ticket: queue.expect(nil), part: 0, bytes: Array(":1\r\n".utf8)))
    queue.answer { $0.raw("+between\r\n") }
    let sum = queue.expect(ReplyMerge(.sum, parts: 2))
    parts.append(Part(ticket: sum, part: 0, bytes: Array(":20\r\n".utf8)))
    parts.append(Part(ticket: sum, part: 1, bytes: Array(":22\r\n".utf8)))
    parts.append(Part(ticket: queue.expect(nil, suppressed: true), part: 0, bytes: Array("+unseen\r\n".utf8)))
    let elements = queue.expect(ReplyMerge(.elements([1, 0, 1]), parts: 2))
    parts.append(Part(ticket: elements, part: 0, bytes: Array("$-1\r\n".utf8)))
    parts.append(Part(ticket: elements, part: 1, bytes: Array("$3\r\n\r\n$\r\n$0\r\n\r\n".utf8)))
    queue.answer(suppressed: true) { $0.raw("+unseen\r\n") }
    queue.answer { $0.raw("+last\r\n") }
    let expected =
      "+first\r\n:1\r\n+between\r\n:42\r\n*3\r\n$3\r\n\r\n$\r\n$-1\r\n$0\r\n\r\n+last\r\n"
    return (queue, parts, expected)
  }

  @Test func `answers leave in the order of the requests in whatever order they come`() {
    let (queue, parts, expected) = Self.filled()
    for order in permutations(Array(parts.indices)) {
      var queue = queue
      var output: [UInt8] = []
      for index in order {
        let part = parts[index]
        // A shard's answers lie in one buffer; only a range of it is this one.
        queue.fulfil(part.ticket, part: part.part, [1, 2] + part.bytes + [3], 2..<2 + part.bytes.count)
        let before = queue.unreadBytes
        output += queue.take()
        #expect(queue.unreadBytes == before)
        #expect(expected.utf8.starts(with: output))
      }
      #expect(String(decoding: output, as: UTF8.self) == expected)
      #expect(queue.isComplete && queue.waitingCount == 0)
      #expect(queue.unreadBytes == output.count)
      queue.acknowledge(output.count)
      #expect(queue.unreadBytes == 0)
    }
  }

  @Test func `it is full from its limit on, counting what waits and what was taken`() {
    var queue = ReplyQueue(limitBytes: 10)
    let first = queue.expect(nil)
    queue.answer { $0.raw("+123\r\n") }
    #expect(queue.unreadBytes == 6 && !queue.isFull)
    queue.fulfil(first, part: 0, Array("+4\r\n".utf8), 0..<4)
    #expect(queue.unreadBytes == 10 && queue.isFull)
    #expect(queue.take().count == 10)
    #expect(queue.isFull)
    queue.acknowledge(1)
    #expect(!queue.isFull)
  }

  @Test func `an error of any part is the answer to all of it`() {
    for rule in [ReplyMerge.Rule.sum, .allOK, .elements([0, 1])] {
      var queue = ReplyQueue(limitBytes: 10)
      let ticket = queue.expect(ReplyMerge(rule, parts: 2))
      queue.fulfil(ticket, part: 0, Array(":1\r\n".utf8), 0..<4)
      queue.fulfil(ticket, part: 1, Array("-ERR x\r\n".utf8), 0..<8)
      #expect(queue.take() == Array("-ERR x\r\n".utf8))
    }
  }

  @Test func `an answer that comes twice traps`() async {
    await #expect(processExitsWith: .failure) {
      var queue = ReplyQueue(limitBytes: 10)
      let ticket = queue.expect(nil)
      queue.fulfil(ticket, part: 0, [1], 0..<1)
      queue.fulfil(ticket, part: 0, [1], 0..<1)
    }
  }
}
