// RingSlot: what the io_uring backend knows of one descriptor.
//
// Shared by:  whoever holds the loop's gate.
// Invariants: `requests` counts the requests whose last completion has not been seen; the descriptor is closed, and
//             the slot used again, only at zero. `stream` is of accepts or of receives, by `kind`.

#if SKEIN_IOURING
internal import Glibc

/// One use of a slot: a descriptor and the requests that run for it.
@safe final class RingSlot {
  /// Input that came while it was not wanted.
  struct Kept {
    enum End {
      case endOfInput
      case failure(Int32)
    }
    var bytes: [UInt8] = []
    /// What was told already.
    var offset = 0
    var end: End?

    /// The next bytes to tell, as many as a provided buffer has; `nil` when there are none.
    var nextPiece: ArraySlice<UInt8>? {
      offset < bytes.count ? bytes[offset..<min(offset + (16 << 10), bytes.count)] : nil
    }
  }

  /// The poll that tells of errors while nothing is read. Of edges: io_uring's polls see the peer's FIN (POLLRDHUP)
  /// whether asked or not, so one that ends at the first event could not be made again after it.
  enum Watch {
    case unarmed
    case armed
    /// The break was told.
    case over
  }

  /// `nil`: free.
  private(set) var token: SlotToken?
  private(set) var descriptor: Int32 = -1
  private(set) var kind = DescriptorKind.connection
  var requests = 0
  var stream = MultishotState()
  /// Whether the request of `stream` was made by a thread that is not the loop's owner.
  var isStreamForeign = false
  var kept: Kept?
  var watch = Watch.unarmed
  /// The watch saw a break while input was wanted, which then tells of it unless it is paused.
  var mayBeBroken = false
  var isConnecting = false
  /// The end of input or an error of reading was reported.
  var hasInputEnded = false
  var hasSentEnd = false
  /// The bytes of the send that is under way.
  var sending: UnsafeRawBufferPointer?
  /// `close` was called; only completions are awaited.
  var isClosing = false

  /// Begins a use of the slot.
  func begin(_ token: SlotToken, descriptor: Int32, kind: DescriptorKind) {
    precondition(self.token == nil && requests == 0, "a slot is adopted once at a time")
    self.token = token
    self.descriptor = descriptor
    self.kind = kind
    stream = MultishotState()
    isStreamForeign = false
    watch = .unarmed
    mayBeBroken = false
    isConnecting = false
    hasInputEnded = false
    hasSentEnd = false
    isClosing = false
  }

  /// Ends the use; the descriptor is the caller's to close.
  func end() -> Int32 {
    defer { descriptor = -1 }
    token = nil
    kept = nil
    unsafe sending = nil
    return descriptor
  }

  /// Whether input is handed on as it comes.
  var isReading: Bool { stream.isWanted && kept == nil }

  /// Copies `bytes` behind what was kept before, since the buffers are for those who read.
  func keep(_ bytes: UnsafeRawBufferPointer) {
    kept = kept ?? Kept()
    unsafe kept!.bytes.append(contentsOf: bytes)
  }

  /// Keeps the end of the input behind the bytes.
  func keep(_ end: Kept.End) {
    kept = kept ?? Kept()
    kept!.end = end
  }
}
#endif
