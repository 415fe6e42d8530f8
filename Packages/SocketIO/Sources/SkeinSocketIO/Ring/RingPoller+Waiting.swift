// The owner's wait, and who owns the requests of a ring.

#if SKEIN_IOURING
internal import CSkeinPlatform
internal import CSkeinRing
internal import Glibc
internal import SkeinPlatform

extension RingPoller {
  func waitInKernel(until deadline: MonotonicInstant?) -> Bool {
    // The first call makes the thread the owner, in `collect`: `wakeups` are polled by its own requests.
    if !isListening { return true }
    if leftReady {
      leftReady = false
      return true
    }
    return wakeups.sleep(until: deadline) { nanoseconds in queue.wait(nanoseconds: nanoseconds) }
  }

  func signal() { wakeups.signal() }

  func setAlarm(at deadline: MonotonicInstant) { wakeups.setAlarm(at: deadline) }

  /// The calling thread waits in the ring.
  func becomeOwner() {
    guard !isListening else { return }
    isListening = true
    owner = skein_ring_thread()
    listen(for: .wake)
    listen(for: .alarm)
  }

  /// Polls the eventfd or the timerfd.
  func listen(for purpose: RingPurpose) {
    unsafe queue.push(
      skein_ring_request(
        token: RingWord(purpose, SlotToken(packed: 0)).bits, argument: UInt64(POLLIN), address: nil, length: 0,
        fd: purpose == .wake ? wakeups.event : wakeups.timer, kind: SKEIN_RING_POLL_EDGES))
  }

  /// Ends the requests that other threads made while the owner was busy; their last completions make the owner's.
  func takeOverForeign() {
    guard !foreign.isEmpty else { return }
    for token in foreign {
      guard let slot = open(token), slot.isStreamForeign else { continue }
      slot.isStreamForeign = false
      carryOut(slot.stream.replace(), slot, token)
    }
    foreign.removeAll(keepingCapacity: true)
  }
}
#endif
