import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@Suite("Mailbox") struct MailboxTests {
  @Test(arguments: [1, 2, 3, 14, 15, 16, 17, 30, 31, 64, 1_000])
  func `takes exactly its capacity and hands the next one back`(capacity: Int) {
    let consumer = Reader<Int>(capacity: capacity)
    let mailbox = consumer.mailbox
    for round in 0..<20 {
      for number in 0..<capacity {
        #expect(mailbox.answer(to: number) == (number == 0 && round % 2 == 0 ? .scheduled : .delivered))
      }
      #expect(mailbox.count == capacity)
      switch mailbox.push(capacity) {
      case .busy(let element): #expect(element == capacity)
      default: Issue.record("a full mailbox accepted an element")
      }
      #expect(mailbox.refusedCount == round + 1)
      for number in 0..<capacity { #expect(consumer.dequeue() == number) }
      #expect(consumer.dequeue() == nil)
      if round % 2 == 1 { #expect(consumer.rest()) }
    }
    #expect(consumer.highWaterMark == capacity)
  }

  @Test(arguments: [1, 2, 15, 16, 63, 64, 65, 1_024])
  func `full, each element that is read makes room for one, at once`(capacity: Int) {
    let consumer = Reader<Int>(capacity: capacity)
    let mailbox = consumer.mailbox
    for number in 0..<capacity { _ = mailbox.push(number) }
    for number in 0..<(4 * capacity) {
      #expect(mailbox.answer(to: -1) == .busy)
      #expect(consumer.dequeue() == number)
      #expect(mailbox.answer(to: capacity + number) == .delivered && mailbox.count == capacity)
    }
  }

  @Test(arguments: 1...40, 0...16)
  func `keeps the order over every border of a block`(batch: Int, rests: Int) {
    let consumer = Reader<Int>(capacity: 64)
    let mailbox = consumer.mailbox
    var next = 0
    for round in 0..<20 {
      for number in 0..<batch { #expect(mailbox.answer(to: round * batch + number) != .busy) }
      while let element = consumer.dequeue() {
        #expect(element == next)
        next += 1
      }
      if rests > 0 && round % rests == 0 { #expect(consumer.rest()) }
    }
    #expect(next == 20 * batch)
  }

  @Test func `only the push that finds the consumer at rest must schedule`() {
    let consumer = Reader<Int>()
    let mailbox = consumer.mailbox
    #expect(mailbox.answer(to: 1) == .scheduled)
    #expect(mailbox.answer(to: 2) == .delivered)
    #expect(!consumer.rest())
    #expect(consumer.dequeue() == 1)
    #expect(!consumer.rest())
    #expect(consumer.dequeue() == 2)
    #expect(consumer.rest())
    #expect(mailbox.answer(to: 3) == .scheduled)
  }

  @Test func `a signal wakes once and keeps the consumer from rest until it is taken`() {
    let consumer = Reader<Int>()
    #expect(consumer.mailbox.signal())
    #expect(!consumer.mailbox.signal())
    #expect(!consumer.rest())
    #expect(consumer.takeSignal())
    #expect(!consumer.takeSignal())
    #expect(consumer.rest())
  }

  @Test func `only one awakens a consumer at rest`() {
    let consumer = Reader<Int>()
    #expect(consumer.mailbox.tryAwaken())
    #expect(!consumer.mailbox.tryAwaken())
    #expect(consumer.mailbox.answer(to: 1) == .delivered)
    #expect(!consumer.rest())
    #expect(consumer.dequeue() == 1)
    #expect(consumer.rest())
    #expect(consumer.mailbox.tryAwaken())
    #expect(consumer.rest())
  }

  @Test func `the system lane is never busy and keeps its order`() {
    let consumer = Reader<Int>(capacity: 1)
    #expect(consumer.mailbox.answer(to: 0) == .scheduled)
    for number in 1...100 { #expect(!consumer.mailbox.pushSystem(number)) }
    #expect(consumer.takeSignal())
    #expect(consumer.drainSystem() == Array(1...100))
    #expect(consumer.dequeue() == 0)
    #expect(consumer.rest())
    #expect(consumer.mailbox.pushSystem(5))
  }

  @Test func `a system element may close the mailbox and read what is left of it`() {
    var consumer = MailboxConsumer<Int>()
    let mailbox = consumer.mailbox
    for number in 0..<20 { #expect(mailbox.answer(to: number) != .busy) }
    #expect(!mailbox.pushSystem(100))
    #expect(!mailbox.pushSystem(200))
    let isSignalled = consumer.takeSignal()
    #expect(isSignalled)
    var batch = consumer.takeSystem()
    var read: [Int] = []
    while let element = batch.next() {
      consumer.close()
      while let number = consumer.dequeue() { read.append(number) }
      read.append(element)
    }
    #expect(read == Array(0..<20) + [100, 200])
    #expect(mailbox.answer(to: 1) == .closed)
    let rests = consumer.rest()
    #expect(rests)
  }

  @Test func `what a batch does not hand out is dropped with it`() {
    let live = LiveCount()
    do {
      var consumer = MailboxConsumer<Tracked>()
      for value in 0..<3 { _ = consumer.mailbox.pushSystem(Tracked(value, live)) }
      var batch = consumer.takeSystem()
      let first = batch.next()?.value
      #expect(first == 0)
    }
    #expect(live.count.load(ordering: .relaxed) == 0)
  }

  @Test(arguments: [0, 1, 14, 15, 16, 40])
  func `a closed mailbox hands elements back, and what it had can still be read`(count: Int) {
    let consumer = Reader<Int>()
    for number in 0..<count { #expect(consumer.mailbox.answer(to: number) != .closed) }
    #expect(!consumer.mailbox.isClosed)
    consumer.close()
    #expect(consumer.mailbox.isClosed)
    switch consumer.mailbox.push(7) {
    case .closed(let element): #expect(element == 7)
    default: Issue.record("a closed mailbox accepted an element")
    }
    #expect(consumer.hasUnread == (count > 0))
    for number in 0..<count { #expect(consumer.dequeue() == number) }
    #expect(!consumer.hasUnread)
    // Signals pass after a close: jobs of the consumer still have to run. The first push woke it already.
    #expect(consumer.mailbox.signal() == (count == 0))
  }

  @Test(arguments: [0, 1, 7, 15, 16, 31, 100], [0, 1, 15, 20])
  func `what nobody read is released with the consumer`(count: Int, read: Int) {
    let live = LiveCount()
    do {
      let consumer = Reader<Tracked>()
      let mailbox = consumer.mailbox
      for number in 0..<count {
        switch mailbox.push(Tracked(number, live)) {
        case .delivered: break
        default: Issue.record("refused")
        }
      }
      for _ in 0..<read { _ = consumer.dequeue() }
      _ = mailbox.pushSystem(Tracked(-1, live))
      #expect(live.now == max(0, count - read) + 1)
    }
    #expect(live.now == 0)
  }

  @Test func `move-only elements pass through`() {
    struct Parcel: ~Copyable { let number: Int }
    var consumer = MailboxConsumer<Parcel>(capacity: 1)
    switch consumer.mailbox.push(Parcel(number: 1)) {
    case .delivered: break
    default: Issue.record("refused")
    }
    switch consumer.mailbox.push(Parcel(number: 2)) {
    case .busy(let parcel): #expect(parcel.number == 2)
    default: Issue.record("accepted")
    }
    if let parcel = consumer.dequeue() { #expect(parcel.number == 1) } else { Issue.record("empty") }
  }

  @Test func `a capacity of nothing traps`() async {
    await #expect(processExitsWith: .failure) { _ = MailboxConsumer<Int>(capacity: 0) }
  }
}
