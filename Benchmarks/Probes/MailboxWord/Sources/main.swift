// Prints nanoseconds a message (the best of nine rounds), and bytes of an idle mailbox, for three ways to tell a consumer that it has mail.

import Glibc
import SkeinMailbox
import SkeinPlatform

let capacity = 1_024

/// The best of several rounds of `body`, in nanoseconds for each of `count`: what other programs disturbed least.
func nanoseconds(_ count: Int, rounds: Int = 9, _ body: () -> Void) -> Double {
  var results: [Double] = []
  for _ in 0..<rounds {
    let start = MonotonicInstant.now
    body()
    results.append(Double(start.duration(to: .now).nanosecondsClamped) / Double(count))
  }
  return results.min()!
}

func padded(_ value: Double) -> String {
  let text = "\((value * 10).rounded() / 10)"
  return String(repeating: " ", count: max(0, 9 - text.count)) + text
}

/// A message to a consumer that is awake, and one that wakes a consumer which then rests again.
func alone(_ queue: some ScheduledQueue) -> (awake: Double, resting: Double) {
  let count = 1_000_000
  let awake = nanoseconds(count) {
    for number in 0..<count {
      _ = queue.push(number)
      precondition(queue.pop() == number)
    }
  }
  precondition(queue.rest())
  let resting = nanoseconds(count) {
    for number in 0..<count {
      precondition(queue.push(number) == true)
      precondition(queue.pop() == number)
      precondition(queue.rest())
    }
  }
  return (awake, resting)
}

final class ThreadBox {
  private var thread: PlatformThread?
  init(_ thread: consuming PlatformThread) { self.thread = consume thread }
  func join() {
    guard let thread = thread.take() else { return }
    thread.join()
  }
}

func produce(_ queue: some ScheduledQueue, from first: Int, step: Int, _ count: Int) {
  for number in stride(from: first, to: count, by: step) {
    var tries = 0
    while queue.push(number) == nil {
      tries += 1
      if tries % 200 == 0 { PlatformThread.yield() } else { PlatformThread.relax() }
    }
  }
}

/// Producers push `count` numbers between them to a consumer that does not rest.
func across(_ queue: some ScheduledQueue, producers: Int, _ count: Int) -> Double {
  nanoseconds(count) {
    let threads = (0..<producers).map { first in
      ThreadBox(try! PlatformThread.start(name: "producer") { produce(queue, from: first, step: producers, count) })
    }
    var sum = 0
    var left = count
    var tries = 0
    while left > 0 {
      if let number = queue.pop() {
        sum += number
        left -= 1
      } else {
        tries += 1
        if tries % 200 == 0 { PlatformThread.yield() } else { PlatformThread.relax() }
      }
    }
    for thread in threads { thread.join() }
    precondition(sum == count * (count - 1) / 2)
  }
}

func report(_ name: String, _ make: () -> some ScheduledQueue) {
  let (awake, resting) = alone(make())
  let one = across(make(), producers: 1, 500_000)
  let eight = across(make(), producers: 8, 50_000)
  print(name + padded(awake) + padded(resting) + padded(one) + padded(eight))
}

/// Bytes of resident memory.
func residentBytes() -> Int {
  let file = fopen("/proc/self/statm", "r")!
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  fgets(&line, 128, file)
  let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self).split(separator: " ")
  return Int(words[1])! * 4_096
}

/// Mailboxes that have had a message and rest.
func idleBytes() -> Int {
  let count = 100_000
  var readers: [OneWord] = []
  readers.reserveCapacity(count)
  let before = residentBytes()
  for number in 0..<count {
    let reader = OneWord(capacity: capacity)
    _ = reader.push(number)
    _ = reader.pop()
    precondition(reader.rest())
    readers.append(reader)
  }
  return withExtendedLifetime(readers) { (residentBytes() - before) / count }
}

print("idle, after a message: \(idleBytes()) bytes for a mailbox of \(capacity), its consumer and their two objects")
print("a ring of \(capacity) words and marks would hold \(capacity * 16) bytes")
print("ns a message       awake  resting     1->1     8->1")
report("one word      ") { OneWord(capacity: capacity) }
report("two words     ") { TwoWords(capacity: capacity) }
report("lock and array") { LockAndArray(capacity: capacity) }
