// RingQueue: a ring's submission and completion queues, in the order in which things are asked for.
//
// Owns:       the ring with its provided buffers.
// Shared by:  whoever holds the loop's gate; `wait` is the owner's alone, without the gate.
// Invariants: a request is submitted after all that were pushed before it: those that found the queue full wait in
//             `overflow`, and while some do, later ones wait behind them.

#if SKEIN_IOURING
internal import CSkeinPlatform
internal import CSkeinRing
internal import Glibc

/// What a request is for; the upper 8 bits of its word.
enum RingPurpose: UInt8 {
  case accept, receive, send, watch, look, connect, cancel, wake, alarm
}

/// A request's word: its purpose and the slot that it is for.
struct RingWord {
  let bits: UInt64

  init(_ purpose: RingPurpose, _ token: SlotToken) { bits = UInt64(purpose.rawValue) << 56 | token.packed }
  init(bits: UInt64) { self.bits = bits }

  var purpose: RingPurpose? { RingPurpose(rawValue: UInt8(bits >> 56)) }
  var token: SlotToken { SlotToken(packed: bits & (1 << 56 - 1)) }
}

/// The two queues of a ring.
@safe final class RingQueue {
  private let ring: OpaquePointer
  private var overflow: [skein_ring_request] = unsafe []
  private let batch: UnsafeMutableBufferPointer<skein_ring_completion>

  /// Makes a ring with its provided buffers.
  ///
  /// - Parameter batch: greatest number of completions that `take` gives at once.
  /// - Throws: the errno.
  init(options: skein_ring_options, batch: Int) throws(RingFailure) {
    var made: OpaquePointer?
    let result = unsafe skein_ring_create(options, &made)
    guard let made = unsafe made, result == 0 else { throw RingFailure(errorNumber: -result) }
    unsafe ring = made
    unsafe self.batch = .allocate(capacity: batch)
  }

  deinit {
    unsafe skein_ring_destroy(ring)
    unsafe batch.deallocate()
  }

  // MARK: Requests

  /// Puts `request` behind all others.
  func push(_ request: skein_ring_request) {
    if unsafe overflow.isEmpty {
      if unsafe skein_ring_push(ring, request) { return }
      _ = unsafe skein_ring_submit(ring)
      if unsafe skein_ring_push(ring, request) { return }
    }
    unsafe overflow.append(request)
  }

  /// Submits what was pushed.
  ///
  /// - Returns: whether all of it is with the kernel. It refuses for a while when memory is short, or while
  ///   completions wait that did not fit into their queue.
  func flush() -> Bool {
    while true {
      moveOverflow()
      if unsafe skein_ring_unsubmitted(ring) == 0 { return unsafe overflow.isEmpty }
      let result = unsafe skein_ring_submit(ring)
      if result == -EINTR { continue }
      if result <= 0 { return false }
    }
  }

  private func moveOverflow() {
    guard unsafe !overflow.isEmpty else { return }
    var moved = 0
    while unsafe moved < overflow.count {
      guard unsafe skein_ring_push(ring, overflow[moved]) else { break }
      moved += 1
    }
    unsafe overflow.removeFirst(moved)
  }

  /// Cancels all that was submitted for `descriptor`; none of it touches memory afterwards.
  func cancelNow(_ descriptor: Int32) { _ = unsafe skein_ring_cancel_now(ring, descriptor) }

  // MARK: Completions

  /// Whether a completion can be taken.
  var isReady: Bool { unsafe skein_ring_ready(ring) }

  /// Takes the next completions; they stay valid until the next `take`.
  func take() -> UnsafeMutableBufferPointer<skein_ring_completion>.SubSequence {
    var count = unsafe skein_ring_take(ring, batch.baseAddress!, UInt32(batch.count))
    if unsafe count < batch.count, unsafe skein_ring_overflown(ring) {
      _ = unsafe skein_ring_do_own_work(ring)
      count += unsafe skein_ring_take(ring, batch.baseAddress! + Int(count), UInt32(batch.count) - count)
    }
    return unsafe batch[..<Int(count)]
  }

  /// Asks the kernel for completions: the calling thread's own and, when `ofOthers`, those that other threads would
  /// make only when they next pass through the kernel.
  func askKernel(ofOthers: Bool) {
    if isReady { return }
    let pends = unsafe skein_ring_work_pends(ring)
    guard unsafe pends || skein_ring_overflown(ring) else { return }
    _ = unsafe skein_ring_do_own_work(ring)
    guard ofOthers, pends, !isReady else { return }
    guard skein_ring_nudge() == 0 else { return }
    // The interrupted thread makes its completions on its way back, some microseconds from now.
    var looks = 0
    while looks < Self.looksAfterNudge, !isReady {
      skein_cpu_relax()
      looks += 1
    }
  }

  /// Waits for a completion.
  ///
  /// - Parameter nanoseconds: for how long at most; negative: for ever.
  /// - Returns: whether there may be one.
  func wait(nanoseconds: Int64) -> Bool { unsafe skein_ring_wait(ring, nanoseconds) != -ETIME }

  // MARK: Buffers

  /// The first `count` bytes of a provided buffer.
  func bytes(in buffer: Int32, count: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: skein_ring_buffer(ring, buffer), count: count)
  }

  /// Gives the buffer back to the kernel.
  func recycle(_ buffer: Int32) { unsafe skein_ring_recycle(ring, buffer) }

  /// How often a looker looks before it leaves the completions to the next one: about 5 µs.
  private static var looksAfterNudge: Int { 128 }
}

/// Why a ring could not be made.
struct RingFailure: Error {
  let errorNumber: Int32
}
#endif
