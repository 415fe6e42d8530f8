import CSkeinPlatform
import Glibc
import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("RingPoller waiting") struct RingWaitingTests {
  @Test func `a signal before the wait ends it at once`() throws {
    let harness = try RingHarness()
    harness.poller.signal()
    harness.poller.signal()
    _ = harness.poller.waitInKernel(until: nil)
    #expect(!harness.poller.waitInKernel(until: .now))
  }

  @Test func `a signal from another thread ends the wait, a thousand times`() throws {
    let harness = try RingHarness()
    let poller = harness.poller
    let rounds = 1000
    let heard = Atomic<Int>(0)
    let thread = try PlatformThread.start(name: "signaller") {
      for round in 0..<rounds {
        while heard.load(ordering: .acquiring) < round { skein_thread_yield() }
        poller.signal()
      }
    }
    for round in 1...rounds {
      if poller.waitInKernel(until: nil) { harness.collect(afterWait: true) }
      heard.store(round, ordering: .releasing)
    }
    thread.join()
  }

  @Test func `an alarm ends the wait, whether it was set before or during it`() throws {
    let harness = try RingHarness()
    let poller = harness.poller
    let first = MonotonicInstant.now.advanced(by: .milliseconds(2))
    poller.setAlarm(at: first)
    while MonotonicInstant.now < first {
      if poller.waitInKernel(until: nil) { harness.collect(afterWait: true) }
    }
    let thread = try PlatformThread.start(name: "alarmer") {
      for _ in 0..<100 { poller.setAlarm(at: .now.advanced(by: .milliseconds(1))) }
    }
    if poller.waitInKernel(until: nil) { harness.collect(afterWait: true) }
    thread.join()
  }

  @Test func `an idle connection does not end the wait`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    harness.poller.beginReceive(token)
    harness.poller.flush()
    while harness.turn(until: .now) {}
    #expect(!harness.poller.waitInKernel(until: .now.advanced(by: .milliseconds(20))))
    peer.close()
  }

  @Test func `what a thread asked for that has ended goes on`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    let poller = harness.poller
    let thread = try PlatformThread.start(name: "asker") {
      poller.beginReceive(token)
      poller.flush()
    }
    thread.join()
    for total in [10, 20, 30] {
      peer.send(upTo: total)
      #expect(harness.run { harness.input[token] == total })
    }
    #expect(harness.seen[token] == nil)
  }

  @Test func `another thread receives while the owner spins`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    let poller = harness.poller
    poller.beginReceive(token)
    poller.flush()
    let isSeen = Atomic<Bool>(false)
    let isReady = Atomic<Bool>(false)
    let thread = try PlatformThread.start(name: "looker") {
      while !isReady.load(ordering: .acquiring) { skein_thread_yield() }
      var count = 0
      while count < 10 {
        _ = unsafe poller.collect(afterWait: false) { _, event in
          if case .received(let bytes) = unsafe event { count += bytes.count }
        }
        poller.flush()
      }
      isSeen.store(true, ordering: .releasing)
    }
    peer.send(upTo: 10)
    isReady.store(true, ordering: .releasing)
    while !isSeen.load(ordering: .acquiring) {}
    thread.join()
  }

  @Test func `the owner asks again for what another thread asked for`() throws {
    let harness = try RingHarness()
    let (token, peer) = harness.connect()
    let poller = harness.poller
    let isArmed = Atomic<Bool>(false)
    let isOver = Atomic<Bool>(false)
    let thread = try PlatformThread.start(name: "asker") {
      poller.beginReceive(token)
      poller.flush()
      isArmed.store(true, ordering: .releasing)
      while !isOver.load(ordering: .acquiring) {}
    }
    while !isArmed.load(ordering: .acquiring) { skein_thread_yield() }
    let slot = poller.used(token)!
    #expect(slot.isStreamForeign)
    harness.collect(afterWait: false)
    // The cancelled request ends when its thread passes through the kernel; then there is one again, ours.
    #expect(slot.stream.request == .ending)
    #expect(harness.run { slot.stream.request == .running })
    #expect(!slot.isStreamForeign && poller.foreign.isEmpty && slot.requests == 1)
    peer.send(upTo: 10)
    #expect(harness.run { harness.input[token] == 10 })
    isOver.store(true, ordering: .releasing)
    thread.join()
  }

  @Test func `a failed probe is put into words`() {
    #expect(
      RingPoller.phrase(call: "io_uring_setup", errorNumber: EPERM, disabledSetting: 2).hasSuffix(
        "the sysctl kernel.io_uring_disabled is 2"))
    #expect(
      RingPoller.phrase(call: "io_uring_setup", errorNumber: EPERM, disabledSetting: 0).contains("seccomp"))
    #expect(RingPoller.phrase(call: "io_uring_setup", errorNumber: ENOSYS, disabledSetting: nil).contains("seccomp"))
    #expect(RingPoller.phrase(call: "io_uring_register", errorNumber: EINVAL, disabledSetting: 0).contains("too old"))
    #expect(RingPoller.unavailability() == nil)
  }
}
#endif
