import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@Suite("Mailbox under stress") struct MailboxStressTests {
  @Test(arguments: [1, 3, 15, 16, 100, 1_024], [2, 4])
  func `nothing is lost, doubled or reordered, and one thread at a time consumes`(capacity: Int, producers: Int) throws
  {
    for _ in 0..<stressRounds {
      let each = 30_000
      let shared = ScheduledConsumer(capacity: capacity, producers: producers)
      let waiter = FutexWaiter()
      let finished = Tally()
      for producer in 0..<producers {
        _ = try PlatformThread.start(name: "producer") {
          for number in 0..<each {
            shared.send(producer, number)
            if number % 64 == 0, shared.mailbox.signal() { shared.run() }
          }
          finished.ended.add(1, ordering: .acquiringAndReleasing)
          waiter.wake()
        }
      }
      while finished.ended.load(ordering: .acquiring) < producers { waiter.wait(until: nil) }
      #expect(shared.received.load(ordering: .acquiring) == producers * each)
      #expect(shared.disorder.load(ordering: .acquiring) == 0)
      #expect(shared.signals.load(ordering: .acquiring) > 0)
      #expect(shared.mailbox.count == 0)
    }
  }

  @Test func `every push is either accepted and read or handed back when the mailbox closes under fire`() throws {
    for round in 0..<(200 * stressRounds) {
      let live = LiveCount()
      let tally = Tally()
      var consumer = MailboxConsumer<Tracked>(capacity: 4_096)
      let mailbox = consumer.mailbox
      let produce = { @Sendable in
        var number = 0
        while true {
          number += 1
          switch mailbox.push(Tracked(number, live)) {
          case .delivered: tally.accepted.add(1, ordering: .relaxed)
          case .busy: continue
          case .closed: return
          }
        }
      }
      let first = try PlatformThread.start(name: "first", produce)
      let second = try PlatformThread.start(name: "second", produce)
      var read = 0
      while read < round * 7 { if consumer.dequeue() != nil { read += 1 } }
      consumer.close()
      while consumer.hasUnread { if consumer.dequeue() != nil { read += 1 } }
      first.join()
      second.join()
      #expect(read == tally.accepted.load(ordering: .acquiring))
      #expect(live.now == 0)
    }
  }

  @Test func `a ring passes everything from one thread to another in order`() throws {
    let ring = SPSCRing<Int>(capacity: 64)
    let count = 200_000 * stressRounds
    let thread = try PlatformThread.start(name: "producer") {
      for number in 0..<count {
        var element = number
        while let back = ring.push(element) {
          element = back
          PlatformThread.yield()
        }
      }
    }
    var next = 0
    while next < count {
      if let element = ring.pop() {
        #expect(element == next)
        next += 1
      } else {
        PlatformThread.yield()
      }
    }
    thread.join()
    #expect(ring.pop() == nil)
  }

  @Test func `an object in a slot is taken by exactly one thread`() throws {
    let live = LiveCount()
    let slot = HandoffSlot<Tracked>()
    let tally = Tally()
    let count = 50_000
    let takers = { @Sendable in
      while tally.accepted.load(ordering: .relaxed) < count {
        if slot.take() != nil { tally.accepted.add(1, ordering: .relaxed) } else { PlatformThread.yield() }
      }
    }
    let first = try PlatformThread.start(name: "first", takers)
    let second = try PlatformThread.start(name: "second", takers)
    for number in 0..<count {
      while !slot.isEmpty { PlatformThread.yield() }
      #expect(slot.exchange(Tracked(number, live)) == nil)
    }
    first.join()
    second.join()
    #expect(tally.accepted.load(ordering: .relaxed) == count)
    #expect(live.now == 0)
  }
}
