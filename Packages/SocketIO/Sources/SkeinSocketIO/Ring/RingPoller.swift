// RingPoller: sockets with io_uring.
//
// Owns:       the ring, an eventfd, a timerfd, a record per slot, and every adopted descriptor.
// Shared by:  the loop's threads, see Poller; `signal` and `setAlarm` touch only `wakeups`.
//
// Who makes a completion. The kernel makes it in the thread that submitted the request, when that thread passes
// through the kernel (COOP_TASKRUN: it is not interrupted for it, which saves a third of an echo's CPU time). So a
// thread that looks at the ring of a busy owner interrupts it with membarrier when the ring says that work pends
// (TASKRUN_FLAG); and what other threads asked for while the owner was busy, the owner asks for again (`foreign`).
//
// Each stream of completions is a MultishotState. Input that comes while it is not wanted is copied out of the
// provided buffers at once (`RingSlot.kept`), so that the buffers are always for those who read; a receive that
// found none is armed again when this turn's are recycled. Errors of a connection that does not read are seen by a
// poll without a mask (`watch`), made when the gate opens on a connection that is not reading.

#if SKEIN_IOURING
internal import CSkeinPlatform
internal import CSkeinRing
internal import Glibc
internal import SkeinPlatform
internal import Synchronization

/// A backend on io_uring.
@safe final class RingPoller: Poller {
  let backend = SocketBackend.ioUring
  let isThreadBound = true
  let writesAtOnce = false

  // MARK: With the gate
  let queue: RingQueue
  private var slots: [RingSlot] = []
  /// Slots with something to tell that needs no completion: kept input that is wanted again.
  var due: [SlotToken] = []
  /// Receives that found no buffer.
  var starved: [SlotToken] = []
  /// Streams whose request was made by another thread than the owner.
  var foreign: [SlotToken] = []
  /// Connections that may need a watch.
  var unwatched: [SlotToken] = []
  /// The owner's thread, once it has waited; 0 before.
  var owner: UInt = 0
  /// Events told so far.
  var told = 0
  var isShutDown = false

  // MARK: Any thread
  let wakeups: RingWakeups

  // MARK: The owner's thread only
  /// Completions were there when the gate opened, or requests could not be submitted: the next wait is none.
  var leftReady = false
  /// `wakeups` are armed.
  var isListening = false

  /// Makes a poller on a ring of its own.
  ///
  /// - Throws: ``SocketError/system(_:)``.
  convenience init(limits: SocketLimits) throws(SocketError) {
    try self.init(options: Self.standardOptions, batch: 128)
  }

  /// Makes a poller with a ring of another size.
  init(options: skein_ring_options, batch: Int) throws(SocketError) {
    do throws(RingFailure) {
      let ready = skein_ring_nudge_prepare()
      guard ready == 0 else { throw RingFailure(errorNumber: -ready) }
      queue = try RingQueue(options: options, batch: batch)
    } catch {
      throw .system(SystemCallError(call: "io_uring_setup", errorNumber: error.errorNumber))
    }
    wakeups = try RingWakeups()
  }

  deinit { closeAll() }

  /// Room for 4,096 completions and 256 buffers of 16 KiB; their memory comes as they are first filled.
  private static var standardOptions: skein_ring_options {
    skein_ring_options(submission_entries: 1024, completion_entries: 4096, buffer_count: 256, buffer_size: 16 << 10)
  }

  // MARK: Slots

  /// The slot that `token` means, unless it was closed.
  func open(_ token: SlotToken) -> RingSlot? {
    guard let slot = used(token), !slot.isClosing else { return nil }
    return slot
  }

  /// The slot that `token` means, also while it closes.
  func used(_ token: SlotToken) -> RingSlot? {
    guard Int(token.index) < slots.count, slots[Int(token.index)].token == token else { return nil }
    return slots[Int(token.index)]
  }

  func adopt(_ descriptor: Int32, as token: SlotToken, kind: DescriptorKind) {
    while slots.count <= Int(token.index) { slots.append(RingSlot()) }
    slots[Int(token.index)].begin(token, descriptor: descriptor, kind: kind)
    if kind == .connection { unwatched.append(token) }
  }

  // MARK: Streams

  func beginAccept(_ token: SlotToken) {
    guard let slot = open(token) else { return }
    carryOut(slot.stream.want(), slot, token)
  }

  func stopAccept(_ token: SlotToken) {
    guard let slot = open(token) else { return }
    carryOut(slot.stream.unwant(), slot, token)
  }

  func beginReceive(_ token: SlotToken) {
    guard let slot = open(token), !slot.hasInputEnded else { return }
    guard slot.kept != nil else { return carryOut(slot.stream.want(), slot, token) }
    slot.stream.wantLater()
    announce(token)
  }

  /// Has kept input told in the next `collect`.
  func announce(_ token: SlotToken) {
    due.append(token)
    wakeups.announce(fromOwner: isOwner)
  }

  func pauseReceive(_ token: SlotToken) {
    guard let slot = open(token) else { return }
    carryOut(slot.stream.unwant(), slot, token)
    unwatched.append(token)
  }

  /// Does what a slot's state asks for.
  func carryOut(_ action: MultishotState.Action, _ slot: RingSlot, _ token: SlotToken) {
    let purpose: RingPurpose = slot.kind == .listener ? .accept : .receive
    switch action {
    case .nothing: break
    case .arm:
      slot.isStreamForeign = !isOwner
      if slot.isStreamForeign { foreign.append(token) }
      unsafe request(slot.kind == .listener ? SKEIN_RING_ACCEPT : SKEIN_RING_RECEIVE, purpose, slot, token)
    case .cancel:
      unsafe request(SKEIN_RING_CANCEL, .cancel, slot, token, argument: RingWord(purpose, token).bits)
    }
  }

  /// Makes a request for a slot.
  func request(
    _ kind: skein_ring_kind, _ purpose: RingPurpose, _ slot: RingSlot, _ token: SlotToken, argument: UInt64 = 0,
    bytes: UnsafeRawBufferPointer? = nil
  ) {
    slot.requests += 1
    unsafe queue.push(
      skein_ring_request(
        token: RingWord(purpose, token).bits, argument: argument, address: bytes?.baseAddress,
        length: UInt32(min(bytes?.count ?? 0, 1 << 30)), fd: slot.descriptor, kind: kind))
  }

  // MARK: Connecting, writing, closing

  func awaitConnect(_ token: SlotToken) {
    guard let slot = open(token) else { return }
    slot.isConnecting = true
    unsafe request(SKEIN_RING_POLL, .connect, slot, token, argument: UInt64(POLLOUT))
  }

  func writeNow(_ bytes: UnsafeRawBufferPointer, to token: SlotToken) -> WriteOutcome { .wrote(0) }

  func beginSend(_ bytes: UnsafeRawBufferPointer, to token: SlotToken) {
    guard let slot = open(token) else { return }
    unsafe slot.sending = bytes
    unsafe request(SKEIN_RING_SEND, .send, slot, token, bytes: bytes)
  }

  func shutdownWrite(_ token: SlotToken) {
    guard let slot = open(token) else { return }
    slot.hasSentEnd = true
    _ = skein_socket_shutdown_write(slot.descriptor)
  }

  func close(_ token: SlotToken, resetting: Bool) -> Bool {
    guard let slot = open(token) else { return true }
    // What the kernel has unread makes it reset; what we have unread is the same to the peer.
    if resetting || slot.kept?.nextPiece != nil { _ = skein_socket_set_linger_reset(slot.descriptor) }
    if slot.requests == 0 {
      _ = skein_close(slot.end())
      return true
    }
    slot.isClosing = true
    // A cancellation can miss a send that the kernel is just going on with; a socket that is shut takes no more of it.
    if unsafe !resetting && slot.sending != nil { _ = skein_socket_shutdown_write(slot.descriptor) }
    unsafe request(SKEIN_RING_CANCEL_FD, .cancel, slot, token)
    return false
  }

  func shutDown() {
    guard !isShutDown else { return }
    isShutDown = true
    closeAll()
  }

  /// What was submitted is cancelled before the descriptors and the memory of sends go away.
  private func closeAll() {
    _ = queue.flush()
    for slot in slots where slot.token != nil {
      if slot.requests > 0 { queue.cancelNow(slot.descriptor) }
      slot.requests = 0
      _ = skein_close(slot.end())
    }
  }

  // MARK: Submitting

  /// Whether the calling thread is the owner.
  var isOwner: Bool { skein_ring_thread() == owner }

  func flush() {
    guard !isShutDown else { return submit() }
    for token in unwatched {
      if let slot = open(token), !slot.isReading, !slot.isConnecting { watch(slot, token) }
    }
    unwatched.removeAll(keepingCapacity: true)
    submit()
  }

  /// Has errors of a connection reported that is not reading.
  private func watch(_ slot: RingSlot, _ token: SlotToken) {
    if slot.watch == .unarmed {
      slot.watch = .armed
      unsafe request(SKEIN_RING_POLL_EDGES, .watch, slot, token)
    } else if slot.watch == .armed, slot.mayBeBroken {
      unsafe request(SKEIN_RING_POLL, .look, slot, token)
    }
    slot.mayBeBroken = false
  }

  private func submit() {
    let allSubmitted = queue.flush()
    if isOwner {
      leftReady = queue.isReady || !allSubmitted
    } else if !allSubmitted {
      wakeups.signal()
    }
  }
}

// @unchecked: the gate, the owner's thread and `RingWakeups` guard the three groups of properties.
extension RingPoller: @unchecked Sendable {}
#endif
