// EpollRecord: what the epoll poller knows of one slot.

internal import CSkeinPlatform

/// One slot's descriptor, what is wanted of it, and what the kernel was told.
@unsafe struct EpollRecord {
  /// Not in the epoll set.
  static var unregistered: UInt32 { .max }

  var descriptor: Int32 = -1
  var generation: UInt32 = 0
  var kind = DescriptorKind.connection
  /// Events that the kernel reports, or `unregistered`. Errors and hang-ups are reported with 0, too.
  var registered = unsafe Self.unregistered
  /// Accepting, or receiving.
  var wantsInput = false
  var awaitsConnect = false
  /// What `beginSend` was given; empty when nothing is under way.
  var sending = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  /// The kernel reported a hang-up while nothing was wanted: kept out of the set until something is (P6).
  var isHungUp = false
  /// Stands in the list of records that `flush` looks at.
  var isDirty = false

  func matches(_ token: SlotToken) -> Bool { unsafe descriptor >= 0 && generation == token.generation }

  /// What the kernel should report, or `unregistered`.
  var wanted: UInt32 {
    var events: UInt32 = 0
    if unsafe wantsInput { events |= UInt32(SKEIN_EPOLL_IN) }
    if unsafe awaitsConnect || !sending.isEmpty { events |= UInt32(SKEIN_EPOLL_OUT) }
    if events == 0 && (unsafe isHungUp || kind == .listener) { return unsafe Self.unregistered }
    return events
  }
}
