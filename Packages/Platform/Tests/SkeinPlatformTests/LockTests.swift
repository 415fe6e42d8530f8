import SkeinPlatform
import Testing

@Suite("Lock") struct LockTests {
  private final class Ledger: Sendable {
    struct Content {
      var count = 0
      var last: [Int] = []
    }
    let content = Lock(Content())
  }

  // Nine contenders are more than the cores: most of them sleep, and each is woken in the end.
  @Test(arguments: [2, 9])
  func `threads take turns in a lock`(threads: Int) throws {
    final class ThreadBox {
      private var thread: PlatformThread?
      init(_ thread: consuming PlatformThread) { self.thread = consume thread }
      func join() { thread.take()?.join() }
    }
    let ledger = Ledger()
    var started: [ThreadBox] = []
    for number in 0..<threads {
      started.append(
        ThreadBox(
          try PlatformThread.start(name: "turn-\(number)") {
            for _ in 0..<20_000 {
              ledger.content.withLock { content in
                content.count += 1
                content.last = [number, content.count]
              }
            }
          }))
    }
    for thread in started { thread.join() }
    let (count, last) = ledger.content.withLock { ($0.count, $0.last) }
    #expect(count == threads * 20_000)
    #expect(last.last == count)
  }

  @Test func `a lock that another thread holds answers nil to a try`() throws {
    final class Box: Sendable { let value = Lock(1) }
    let box = Box()
    let held = FutexWaiter()
    let tried = FutexWaiter()
    let thread = try PlatformThread.start(name: "holder") {
      box.value.withLock { _ in
        held.wake()
        tried.wait(until: nil)
      }
    }
    held.wait(until: nil)
    #expect(box.value.withLockIfAvailable { $0 } == nil)
    tried.wake()
    thread.join()
    #expect(box.value.withLockIfAvailable { $0 } == 1)
  }

  @Test func `a lock is open again after its body has thrown`() {
    struct Refusal: Error {}
    let lock = Lock(0)
    #expect(throws: Refusal.self) {
      try lock.withLock { value in
        value = 1
        throw Refusal()
      }
    }
    #expect(lock.withLockIfAvailable { $0 } == 1)
  }

  @Test func `a lock is four bytes beside its value, and its value is released with it`() {
    final class Guest: Sendable {}
    #expect(MemoryLayout<Lock<Int32>>.size == 8)
    #expect(MemoryLayout<Lock<Void>>.size == 4)
    weak var guest: Guest?
    do {
      let first = Guest()
      guest = first
      let lock = Lock<Guest?>(first)
      #expect(lock.withLock { $0 === first })
    }
    #expect(guest == nil)
  }
}
