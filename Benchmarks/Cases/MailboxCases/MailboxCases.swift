// MailboxCases: what a push and a pop cost, alone and between threads, beside a lock and an array.

public import CaseSupport
internal import SkeinMailbox
internal import SkeinPlatform

// Public are the bodies that Benchmarks/Duel measures beside C.

/// The mailbox layer's cases.
public let mailboxCases: [LayerCase] = [
  LayerCase("Mailbox/push-pop/1-thread", count: 1_000_000) { pushAndPop($0, $1) },
  LayerCase("Mailbox/push-pop/1-thread-batch-64", count: 1_000_000, run: pushAndPopBatches),
  LayerCase("Mailbox/push-pop-rest/1-thread", count: 1_000_000, run: pushPopRest),
  LayerCase("Mailbox/push-pop/lock-and-array-1-thread", count: 1_000_000, run: lockedPushAndPop),
  LayerCase("Mailbox/system-lane/1-thread", count: 200_000, run: systemLane),
  LayerCase("Mailbox/try-awaken-rest/1-thread", count: 1_000_000, run: awakenAndRest),
  LayerCase("Mailbox/latest/1-thread", count: 1_000_000, run: latest),
  LayerCase("Mailbox/slot/put-and-take", count: 1_000_000, run: slot),
  LayerCase("Mailbox/ring/1-thread", count: 1_000_000, run: ringAlone),
  LayerCase("Mailbox/ring/1-to-1", count: 1_000_000, run: ringAcross),
  LayerCase("Mailbox/flow/1-to-1", count: 1_000_000) { try flow($0, producers: 1, $1) },
  LayerCase("Mailbox/flow/8-to-1", count: 1_000_000) { try flow($0, producers: 8, $1) },
  LayerCase("Mailbox/flow/lock-and-array-1-to-1", count: 1_000_000) { try lockedFlow($0, producers: 1, $1) },
  LayerCase("Mailbox/flow/lock-and-array-8-to-1", count: 50_000) { try lockedFlow($0, producers: 8, $1) },
]

// MARK: One thread

/// One thread pushes and takes each number in turn.
public func pushAndPop(_ count: Int, capacity: Int = 1_024, _ meter: any Meter) -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: capacity)
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = mailbox.push(number)
    if let element = consumer.dequeue() { sum &+= UInt64(element) }
  }
  meter.stop()
  return sum
}

private func pushAndPopBatches(_ count: Int, _ meter: any Meter) -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: 1_024)
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  var next = 0
  while next < count {
    let end = min(next + 64, count)
    for number in next..<end { _ = mailbox.push(number) }
    while let element = consumer.dequeue() { sum &+= UInt64(element) }
    next = end
  }
  meter.stop()
  return sum
}

/// As for a service that is idle before each message: the storage is given back each time.
private func pushPopRest(_ count: Int, _ meter: any Meter) -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: 1_024)
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = mailbox.push(number)
    if let element = consumer.dequeue() { sum &+= UInt64(element) }
    precondition(consumer.rest())
  }
  meter.stop()
  return sum
}

private func systemLane(_ count: Int, _ meter: any Meter) -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: 1_024)
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = mailbox.pushSystem(number)
    if consumer.takeSignal() {
      var batch = consumer.takeSystem()
      while let number = batch.next() { sum &+= UInt64(number) }
    }
  }
  meter.stop()
  return sum
}

/// The cost in the mailbox of a call in place.
private func awakenAndRest(_ count: Int, _ meter: any Meter) -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: 1_024)
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    if mailbox.tryAwaken() { sum &+= UInt64(number) }
    precondition(consumer.rest())
  }
  meter.stop()
  return sum
}

private func latest(_ count: Int, _ meter: any Meter) -> UInt64 {
  var consumer = LatestConsumer<Int>()
  let mailbox = consumer.mailbox
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = mailbox.push(number)
    if let element = consumer.take() { sum &+= UInt64(element) }
  }
  meter.stop()
  return sum
}

private final class Thing: Sendable {
  let number: UInt64
  init(_ number: UInt64) { self.number = number }
}

private func slot(_ count: Int, _ meter: any Meter) -> UInt64 {
  let slot = HandoffSlot<Thing>()
  let things = (0..<64).map { Thing(UInt64($0)) }
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = slot.exchange(things[number % 64])
    if let thing = slot.take() { sum &+= thing.number &+ UInt64(number / 64 * 64) }
  }
  meter.stop()
  return sum
}

private func ringAlone(_ count: Int, _ meter: any Meter) -> UInt64 {
  let ring = SPSCRing<Int>(capacity: 1_024)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = ring.push(number)
    if let element = ring.pop() { sum &+= UInt64(element) }
  }
  meter.stop()
  return sum
}

private func lockedPushAndPop(_ count: Int, _ meter: any Meter) -> UInt64 {
  let queue = LockedQueue(capacity: 1_024)
  var sum: UInt64 = 0
  meter.start()
  for number in 0..<count {
    _ = queue.push(number)
    if let element = queue.pop() { sum &+= UInt64(element) }
  }
  meter.stop()
  return sum
}

// MARK: Several threads

private func ringAcross(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  let ring = SPSCRing<Int>(capacity: 1_024)
  let producer = try ThreadGroup(1) { _ in fill(ring, count) }
  var sum: UInt64 = 0
  var left = count
  var wait = BackOff()
  meter.start()
  producer.go()
  while left > 0 {
    if let element = ring.pop() {
      sum &+= UInt64(element)
      left -= 1
    } else {
      wait.pause()
    }
  }
  meter.stop()
  producer.join()
  return sum
}

private func fill(_ ring: SPSCRing<Int>, _ count: Int) {
  var wait = BackOff()
  for number in 0..<count { while ring.push(number) != nil { wait.pause() } }
}

/// Producers push the numbers 0 ..< count between them; the calling thread takes them.
///
/// - Parameter isPinned: the producers share core 0 and the consumer has core 1; else the kernel places them.
public func flow(
  _ count: Int, producers: Int, capacity: Int = 1_024, isPinned: Bool = false, _ meter: any Meter
) throws -> UInt64 {
  var consumer = MailboxConsumer<Int>(capacity: capacity)
  let mailbox = consumer.mailbox
  let group = try ThreadGroup(producers) { producer in
    if isPinned { pinThread(to: 0) }
    send(to: mailbox, from: producer, step: producers, count)
  }
  if isPinned { pinThread(to: 1) }
  var sum: UInt64 = 0
  var left = count
  var wait = BackOff()
  meter.start()
  group.go()
  while left > 0 {
    if let element = consumer.dequeue() {
      sum &+= UInt64(element)
      left -= 1
      wait = BackOff()
    } else {
      wait.pause()
    }
  }
  meter.stop()
  group.join()
  return sum
}

private func send(to mailbox: Mailbox<Int>, from first: Int, step: Int, _ count: Int) {
  for number in stride(from: first, to: count, by: step) {
    var wait = BackOff()
    while case .busy = mailbox.push(number) { wait.pause() }
  }
}

private func lockedFlow(_ count: Int, producers: Int, _ meter: any Meter) throws -> UInt64 {
  let queue = LockedQueue(capacity: 4_096)
  let group = try ThreadGroup(producers) { producer in fill(queue, from: producer, step: producers, count) }
  var sum: UInt64 = 0
  var left = count
  var wait = BackOff()
  meter.start()
  group.go()
  while left > 0 {
    if let element = queue.pop() {
      sum &+= UInt64(element)
      left -= 1
    } else {
      wait.pause()
    }
  }
  meter.stop()
  group.join()
  return sum
}

private func fill(_ queue: LockedQueue, from first: Int, step: Int, _ count: Int) {
  var wait = BackOff()
  for number in stride(from: first, to: count, by: step) { while !queue.push(number) { wait.pause() } }
}
