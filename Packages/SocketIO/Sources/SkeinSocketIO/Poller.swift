// Poller: what the loop asks of a backend, in the manner of completions.
//
// Owns:       the kernel's object (epoll descriptor or ring), a record per slot, and every adopted descriptor.
// Shared by:  the loop's threads. All methods are called with the loop's gate held, one thread at a time, save
//             `waitInKernel` (the owner's thread, gate not held), `signal` and `setAlarm` (any thread).
// Contract that both backends keep:
//   P1  nothing is reported for a token after `close(token)`, save `.released`.
//   P2  nothing is received between `pauseReceive` and `beginReceive`; what the backend has taken from the kernel
//       meanwhile is kept and reported after `beginReceive`, in order, before anything newer. One `.received` has at
//       most 64 KiB, so that a reader can pause in time.
//   P3  `.receivedEnd` and `.receiveFailed` come at most once and after every `.received`; reading is off then.
//   P4  of each `beginSend` come one `.sent` or one `.sendFailed`. `.sent(n)` may be short (n >= 1).
//   P5  `.hangUp` tells an error (errno > 0, such as ECONNRESET) of a connection that reads nothing: not yet
//       reading, paused, or past its end of input. It comes at most once. The peer's FIN is no hang-up.
//   P6  a descriptor on which nothing is wanted causes no wake-up, whatever its state.
//   P7  events may be old: of a token that the loop has given up meanwhile. The loop drops them by generation.
//   P8  the body of `collect` may call any method of the poller, for any token.

internal import SkeinPlatform

/// Names a slot of the loop and the use of it that is meant.
struct SlotToken: Hashable, Sendable {
  /// The slot's number, below 2^24.
  let index: UInt32
  /// Grows with each use of the slot, and is never zero; 32 bits.
  let generation: UInt32

  init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }

  /// The token in the lower 56 bits of a word; the upper 8 are free for what a backend wants to add.
  var packed: UInt64 { UInt64(generation) << 24 | UInt64(index) }

  /// The token of a word that may have more in its upper 8 bits.
  init(packed: UInt64) {
    index = UInt32(truncatingIfNeeded: packed & 0xFF_FFFF)
    generation = UInt32(truncatingIfNeeded: packed >> 24)
  }

  /// Greatest number of slots.
  static var maxSlots: Int { 1 << 24 }
}

/// What a backend has to tell of one slot.
@unsafe enum PollerEvent {
  /// A connection was accepted: its descriptor (non-blocking, close-on-exec), which is now the loop's, and its peer.
  case accepted(descriptor: Int32, peer: SocketEndpoint)
  /// Accepting failed with this errno and has stopped until `beginAccept`; what concerns one client only is skipped.
  case acceptFailed(Int32)
  /// These bytes arrived; the memory is lent for the call.
  case received(UnsafeRawBufferPointer)
  /// The peer sends nothing more.
  case receivedEnd
  /// Reading failed with this errno.
  case receiveFailed(Int32)
  /// The kernel took this many bytes of the current `beginSend`, which is done.
  case sent(Int)
  /// Nothing more can be sent; the errno.
  case sendFailed(Int32)
  /// The connection that was awaited is there.
  case connected
  /// The connection that was awaited failed with this errno.
  case connectFailed(Int32)
  /// The connection broke while nothing is read from it; the errno.
  case hangUp(Int32)
  /// A slot that `close` could not free at once is free.
  case released
}

/// What became of an attempt to write at once.
enum WriteOutcome {
  /// The kernel took this many bytes; 0 when it has no room or the backend does not write at once.
  case wrote(Int)
  /// Nothing more can be sent; the errno.
  case failed(Int32)
}

/// A backend: epoll or io_uring.
protocol Poller: AnyObject, Sendable {
  /// Which one it is; never `.automatic`.
  var backend: SocketBackend { get }
  /// Whether its requests belong to the thread that makes them and end with it: then only the loop's owner and
  /// threads that outlive their loops call it.
  var isThreadBound: Bool { get }
  /// Whether `writeNow` ever writes.
  var writesAtOnce: Bool { get }

  // MARK: Descriptors

  /// Takes charge of `descriptor` under `token`; for a connection errors are watched from now on (P5).
  func adopt(_ descriptor: Int32, as token: SlotToken, kind: DescriptorKind)
  /// Reports `.accepted` until `stopAccept` or `.acceptFailed`.
  func beginAccept(_ token: SlotToken)
  /// Stops accepting. A connection that the backend has accepted already is still reported.
  func stopAccept(_ token: SlotToken)
  /// Reports the outcome of the `connect` that runs on the descriptor.
  func awaitConnect(_ token: SlotToken)
  /// Reports `.received` until `pauseReceive`, the end or an error.
  func beginReceive(_ token: SlotToken)
  /// Stops reading; see P2.
  func pauseReceive(_ token: SlotToken)
  /// Writes what the kernel takes of `bytes` now. Only while no `beginSend` is under way.
  func writeNow(_ bytes: UnsafeRawBufferPointer, to token: SlotToken) -> WriteOutcome
  /// Writes `bytes` when the kernel has room. They stay valid and unchanged until P4's event, or, after `close`, until
  /// the slot is released. One at a time.
  func beginSend(_ bytes: UnsafeRawBufferPointer, to token: SlotToken)
  /// Sends FIN. Only while no `beginSend` is under way.
  func shutdownWrite(_ token: SlotToken)
  /// Gives up all that runs for `token` and closes the descriptor.
  ///
  /// - Parameter resetting: the peer shall see RST, and unsent bytes are dropped.
  /// - Returns: whether the slot is free at once; otherwise `.released` follows.
  func close(_ token: SlotToken, resetting: Bool) -> Bool
  /// Hands what was asked for to the kernel; called before the gate opens.
  func flush()

  // MARK: Waiting

  /// Waits for events, for `signal`, for the alarm or for `deadline` (`nil`: none), without the gate.
  ///
  /// - Returns: whether there may be something to `collect`; a signal alone is nothing.
  func waitInKernel(until deadline: MonotonicInstant?) -> Bool
  /// Reports what has happened, one turn's worth.
  ///
  /// - Parameter afterWait: begins with what `waitInKernel` found; otherwise the kernel is asked, without waiting.
  /// - Returns: whether anything was reported.
  func collect(afterWait: Bool, _ body: (SlotToken, PollerEvent) -> Void) -> Bool
  /// Ends the current or the next `waitInKernel`.
  func signal()
  /// Makes the current or a later `waitInKernel` end at `deadline`, in place of an earlier alarm.
  func setAlarm(at deadline: MonotonicInstant)
  /// Closes every adopted descriptor and reports nothing more; any thread, with the gate held. The kernel's object
  /// stays until `deinit`, since the owner may be waiting in it.
  func shutDown()
}

/// What kind of descriptor a slot holds.
enum DescriptorKind: Sendable {
  case listener
  case connection
}
