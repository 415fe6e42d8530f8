import SkeinMailbox
import SkeinPlatform
import Synchronization

/// A consumer that is run by whichever thread is told to schedule it, as a scheduler would.
final class ScheduledConsumer: @unchecked Sendable {
  // @unchecked: `consumer` and `last` are touched only by the thread that is awake for the mailbox.
  var consumer: MailboxConsumer<(producer: Int, number: Int)>
  let mailbox: Mailbox<(producer: Int, number: Int)>
  var last: [Int]
  let received = Atomic<Int>(0)
  let signals = Atomic<Int>(0)
  let disorder = Atomic<Int>(0)
  let inside = Atomic<Int>(0)

  init(capacity: Int, producers: Int) {
    consumer = MailboxConsumer(capacity: capacity)
    mailbox = consumer.mailbox
    last = Array(repeating: -1, count: producers)
  }

  func run() {
    while true {
      if inside.add(1, ordering: .relaxed).oldValue != 0 { disorder.add(1, ordering: .relaxed) }
      if consumer.takeSignal() { signals.add(1, ordering: .relaxed) }
      while let element = consumer.dequeue() {
        if element.number != last[element.producer] + 1 { disorder.add(1, ordering: .relaxed) }
        last[element.producer] = element.number
        received.add(1, ordering: .relaxed)
      }
      inside.subtract(1, ordering: .relaxed)
      if consumer.rest() { return }
    }
  }

  func send(_ producer: Int, _ number: Int) {
    while true {
      switch mailbox.push((producer, number)) {
      case .delivered(let mustSchedule):
        if mustSchedule { run() }
        return
      case .busy: PlatformThread.yield()
      case .closed: return
      }
    }
  }
}
