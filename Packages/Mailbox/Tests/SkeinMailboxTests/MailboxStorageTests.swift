import CMailboxHeap
import Glibc
import SkeinMailbox
import Testing

/// What an envelope is: four words.
private struct Letter: Sendable {
  var words: (Int, Int, Int, Int)
  init(_ number: Int) { words = (number, 0, 0, 0) }
}

/// Bytes that the program has from its allocator.
private func heapBytes() -> Int { Int(mailbox_heap_bytes()) }

@Suite("Storage of a mailbox") struct MailboxStorageTests {
  @Test func `a core is 112 bytes, and an object with it at rest is one allocation of 136`() {
    #expect(MemoryLayout<MailboxCore<Int>>.size == 112)
    #expect(MemoryLayout<MailboxCore<Letter>>.size == 112)
    #expect(MemoryLayout<MailboxConsumer<Letter>>.size == 8)
    let consumer = MailboxConsumer<Letter>()
    let object = unsafe Unmanaged.passUnretained(consumer.mailbox).toOpaque()
    #if !SKEIN_TSAN
    let bytes = unsafe mailbox_heap_bytes_of(object)
    #expect(bytes <= 136)
    #endif
  }

  // ThreadSanitizer's allocator counts otherwise.
  #if !SKEIN_TSAN
  @Test func `memory comes back after a burst`() async {
    await #expect(processExitsWith: .success) {
      var consumer = MailboxConsumer<Letter>(capacity: 10_000)
      let mailbox = consumer.mailbox
      // The first time, the runtime makes what it makes once, and the allocator fills its caches, which count as used.
      for turn in 0..<2 {
        let before = heapBytes()
        for number in 0..<10_000 { if case .busy = mailbox.push(Letter(number)) { exit(1) } }
        if heapBytes() - before < 10_000 * 32 { exit(2) }
        for number in 0..<10_000 { if consumer.dequeue()?.words.0 != number { exit(3) } }
        // Some blocks are kept for the next burst while the consumer is awake, not all of them.
        if heapBytes() - before > 16 * 64 * 48 { exit(4) }
        if !consumer.rest() { exit(5) }
        if turn > 0 && heapBytes() > before { exit(6) }
      }
    }
  }

  @Test func `a stream through an awake mailbox needs no more memory than its first blocks`() async {
    await #expect(processExitsWith: .success) {
      var consumer = MailboxConsumer<Letter>()
      let mailbox = consumer.mailbox
      func stream(_ count: Int) {
        for number in 0..<count {
          _ = mailbox.push(Letter(number))
          if consumer.dequeue()?.words.0 != number { exit(1) }
        }
      }
      stream(1_000)
      let before = heapBytes()
      stream(100_000)
      if heapBytes() > before { exit(2) }
    }
  }
  #endif

  @Test(arguments: [1, 5, 31, 32, 33, 255, 256, 257, 511, 513, 5_000])
  func `elements keep their order through narrow and wide blocks`(backlog: Int) {
    var consumer = MailboxConsumer<Int>(capacity: 5_000)
    let mailbox = consumer.mailbox
    var (pushed, read) = (0, 0)
    for round in 0..<4 {
      while pushed - read < backlog {
        #expect(mailbox.answer(to: pushed) != .busy)
        pushed += 1
      }
      for _ in 0..<(round * 700) {
        let element = consumer.dequeue()
        #expect(element == read)
        read += 1
        #expect(mailbox.answer(to: pushed) != .busy)
        pushed += 1
      }
      while let element = consumer.dequeue() {
        #expect(element == read)
        read += 1
      }
      #expect(read == pushed)
      if round % 2 == 1 {
        let rests = consumer.rest()
        #expect(rests)
      }
    }
  }
}

@Suite("A mailbox's policy") struct BusyPolicyTests {
  private enum Answer: Equatable {
    case delivered, dropped
    case refused(Int)
    case awaitCredit(Int)
    case closed(Int)
  }

  private static func post(_ number: Int, to mailbox: Mailbox<Int>) -> Answer {
    switch mailbox.post(number) {
    case .delivered: .delivered
    case .refused(let element): .refused(element)
    case .awaitCredit(let element): .awaitCredit(element)
    case .dropped: .dropped
    case .closed(let element): .closed(element)
    }
  }

  @Test(arguments: [BusyPolicy.refuse, .awaitCredit, .dropNewest])
  func `is stated when it is made and in the receipt of what finds no room, and counted`(policy: BusyPolicy) {
    var consumer = MailboxConsumer<Int>(capacity: 2, busyPolicy: policy)
    let mailbox = consumer.mailbox
    #expect(mailbox.busyPolicy == policy)
    for number in 0..<2 { #expect(Self.post(number, to: mailbox) == .delivered) }
    let expected: Answer =
      switch policy {
      case .refuse: .refused(2)
      case .awaitCredit: .awaitCredit(2)
      case .dropNewest: .dropped
      }
    for _ in 0..<3 { #expect(Self.post(2, to: mailbox) == expected) }
    let drops = policy == .dropNewest ? 3 : 0
    #expect(
      mailbox.statistics
        == MailboxStatistics(length: 2, capacity: 2, highWaterMark: 2, refused: 3 - drops, dropped: drops))
    // What waits is still there, in order, and each that is read makes room.
    let first = consumer.dequeue()
    #expect(first == 0)
    #expect(Self.post(3, to: mailbox) == .delivered)
    consumer.close()
    #expect(Self.post(4, to: mailbox) == .closed(4))
    let rest = [consumer.dequeue(), consumer.dequeue(), consumer.dequeue()]
    #expect(rest == [1, 3, nil])
  }

  @Test func `the high-water mark is the most that a turn found`() {
    var consumer = MailboxConsumer<Int>(capacity: 100)
    for burst in [3, 40, 7] {
      for number in 0..<burst { _ = consumer.mailbox.push(number) }
      while consumer.dequeue() != nil {}
      let rests = consumer.rest()
      #expect(rests)
    }
    #expect(
      consumer.mailbox.statistics
        == MailboxStatistics(
          length: 0, capacity: 100, highWaterMark: 40, refused: 0, dropped: 0))
  }
}
