import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@Suite("LatestMailbox") struct LatestMailboxTests {
  private enum Answer: Equatable {
    case scheduled, delivered
    case replaced(Int)
    case closed(Int)
  }

  private static func push(_ number: Int, to mailbox: LatestMailbox<Int>) -> Answer {
    switch mailbox.push(number) {
    case .delivered(let mustSchedule): mustSchedule ? .scheduled : .delivered
    case .replaced(let old): .replaced(old)
    case .closed(let element): .closed(element)
    }
  }

  @Test func `the latest element wins, and the one before is handed back`() {
    var consumer = LatestConsumer<Int>()
    let mailbox = consumer.mailbox
    #expect(Self.push(1, to: mailbox) == .scheduled)
    #expect(Self.push(2, to: mailbox) == .replaced(1))
    #expect(Self.push(3, to: mailbox) == .replaced(2))
    let early = consumer.rest()
    #expect(!early)
    let (first, second) = (consumer.take(), consumer.take())
    #expect(first == 3 && second == nil)
    #expect(Self.push(4, to: mailbox) == .delivered)
    let third = consumer.take()
    #expect(third == 4)
    let late = consumer.rest()
    #expect(late)
    #expect(Self.push(5, to: mailbox) == .scheduled)
    #expect(mailbox.replacedCount == 2)
  }

  @Test func `a close hands over what is unread and refuses what comes`() {
    var consumer = LatestConsumer<Int>()
    let mailbox = consumer.mailbox
    _ = mailbox.push(1)
    let unread = consumer.close()
    #expect(unread == 1 && mailbox.isClosed)
    #expect(Self.push(2, to: mailbox) == .closed(2))
    let again = consumer.close()
    #expect(again == nil)
  }

  @Test func `what nobody read is released, whoever goes last`() {
    let live = LiveCount()
    do {
      let consumer = LatestConsumer<Tracked>()
      _ = consumer.mailbox.push(Tracked(1, live))
      _ = consumer.mailbox.push(Tracked(2, live))
      #expect(live.now == 1)
    }
    #expect(live.now == 0)
  }

  @Test func `under fire each element is taken once, handed back, or refused at the close`() throws {
    let live = LiveCount()
    let tally = Tally()
    var consumer = LatestConsumer<Tracked>()
    let mailbox = consumer.mailbox
    let produce = { @Sendable in
      var number = 0
      while true {
        number += 1
        switch mailbox.push(Tracked(number, live)) {
        case .delivered: tally.accepted.add(1, ordering: .relaxed)
        case .replaced(let old): _ = old.value
        case .closed: return
        }
      }
    }
    let first = try PlatformThread.start(name: "first", produce)
    let second = try PlatformThread.start(name: "second", produce)
    var read = 0
    while read < 20_000 { if consumer.take() != nil { read += 1 } else { PlatformThread.yield() } }
    if consumer.close() != nil { read += 1 }
    first.join()
    second.join()
    #expect(read == tally.accepted.load(ordering: .acquiring))
    #expect(live.now == 0)
  }
}
