import Glibc
import SkeinPlatform
import Synchronization
import Testing

/// Spins until it is told to end.
@inline(never)
private func spinsHere(until end: borrowing Atomic<Bool>) -> Int {
  var turns = 0
  while !end.load(ordering: .relaxed) { turns &+= 1 }
  return turns
}

@inline(never)
private func readsHere(_ descriptor: Int32) -> Int {
  var byte: UInt8 = 0
  let count = unsafe read(descriptor, &byte, 1)
  return count + Int(byte)
}

@Suite("ThreadStack", .serialized) struct ThreadStackTests {
  /// A thread that can be stopped, and where it is.
  final class Target: Sendable {
    let number = Atomic<Int32>(0)
    let end = Atomic<Bool>(false)
    let turns = Atomic<Int>(0)
    let waiter = FutexWaiter()

    func start(_ body: @escaping @Sendable (Target) -> Int) throws -> PlatformThread {
      let thread = try PlatformThread.start(name: "target") { [self] in
        try? ThreadStack.prepareThread()
        number.store(PlatformThread.currentNumber, ordering: .sequentiallyConsistent)
        waiter.wake()
        turns.store(body(self), ordering: .relaxed)
      }
      while number.load(ordering: .sequentiallyConsistent) == 0 { waiter.wait(until: nil) }
      return thread
    }
  }

  @Test func `the stack of a spinning thread names the function, and the thread goes on`() throws {
    let target = Target()
    let thread = try target.start { spinsHere(until: $0.end) }
    let number = target.number.load(ordering: .sequentiallyConsistent)
    for _ in 0..<20 {
      let taken = try #require(ThreadStack.take(ofThread: number, timeout: .seconds(60)) { 7 })
      #expect(taken.result == 7)
      #expect(!taken.stack.addresses.isEmpty)
    }
    // It may be anywhere on its way there at first, but gets there.
    var frames: [String] = []
    while !frames.contains(where: { $0.contains("spinsHere") }) {
      let taken = try #require(ThreadStack.take(ofThread: number, timeout: .seconds(60)) {})
      frames = taken.stack.frames
    }
    target.end.store(true, ordering: .relaxed)
    thread.join()
    #expect(target.turns.load(ordering: .relaxed) > 0)
  }

  @Test func `the stack of a thread that blocks in the kernel names its caller, and the call goes on`() throws {
    var both: [Int32] = [0, 0]
    #expect(unsafe pipe(&both) == 0)
    let input = both[0]
    let target = Target()
    let thread = try target.start { _ in readsHere(input) }
    let number = target.number.load(ordering: .sequentiallyConsistent)
    var frames: [String] = []
    // On its way at first; without an end the test would not say what it sees.
    var takes = 0
    while takes < 1_000, !frames.contains(where: { $0.contains("readsHere") }) {
      let taken = try #require(ThreadStack.take(ofThread: number, timeout: .seconds(60)) {})
      frames = taken.stack.frames
      takes += 1
    }
    #expect(frames.contains { $0.contains("readsHere") }, "\(frames)")
    #expect(unsafe write(both[1], "x", 1) == 1)
    thread.join()
    // One byte, an x: the call was not ended by the signal.
    #expect(target.turns.load(ordering: .relaxed) == 1 + 120)
    for descriptor in both { close(descriptor) }
  }

  @Test func `a thread that does not exist has no stack`() {
    let taken = ThreadStack.take(ofThread: 1 << 30) { 1 }
    #expect(taken == nil)
  }
}
