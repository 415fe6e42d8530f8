import Glibc
import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

/// What a push answered, without the element.
enum Answer: Equatable { case scheduled, delivered, busy, closed }

extension Mailbox where Element: Copyable {
  func answer(to element: Element) -> Answer {
    switch push(element) {
    case .delivered(let mustSchedule): mustSchedule ? .scheduled : .delivered
    case .busy: .busy
    case .closed: .closed
    }
  }
}

/// Counts how many of its kind live.
final class Tracked: Sendable {
  let live: LiveCount
  let value: Int
  init(_ value: Int, _ live: LiveCount) {
    self.value = value
    self.live = live
    live.count.add(1, ordering: .relaxed)
  }
  deinit { live.count.subtract(1, ordering: .relaxed) }
}

final class LiveCount: Sendable {
  let count = Atomic<Int>(0)
  var now: Int { count.load(ordering: .sequentiallyConsistent) }
}

/// How often stress tests go round; the soak run asks for more.
let stressRounds: Int = {
  guard let value = unsafe getenv("SKEIN_SOAK") else { return 1 }
  return unsafe String(cString: value) == "1" ? 10 : 1
}()

/// What the threads of a test count.
final class Tally: Sendable {
  let accepted = Atomic<Int>(0)
  let ended = Atomic<Int>(0)
}

/// A consumer in a box: `#expect` cannot take what cannot be copied.
final class Reader<Element: Sendable> {
  private var consumer: MailboxConsumer<Element>
  let mailbox: Mailbox<Element>
  init(capacity: Int = 1_024) {
    consumer = MailboxConsumer(capacity: capacity)
    mailbox = consumer.mailbox
  }
  func dequeue() -> Element? { consumer.dequeue() }
  func rest() -> Bool { consumer.rest() }
  func takeSignal() -> Bool { consumer.takeSignal() }
  func close() { consumer.close() }
  var hasUnread: Bool { consumer.hasUnread }
  var highWaterMark: Int { consumer.highWaterMark }
  func drainSystem() -> [Element] {
    var seen: [Element] = []
    var batch = consumer.takeSystem()
    while let element = batch.next() { seen.append(element) }
    return seen
  }
}
