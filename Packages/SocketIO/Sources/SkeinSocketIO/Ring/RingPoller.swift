// RingPoller: the io_uring backend. This file is replaced by its author; the two functions are what the layer calls.

#if SKEIN_IOURING
enum RingPoller {
  /// Why io_uring cannot be used here, in a phrase; `nil` when it can.
  static func unavailability() -> String? { "the io_uring poller is being written" }

  /// Makes the poller of one loop.
  static func make(limits: SocketLimits) throws(SocketError) -> any Poller {
    throw .backendUnavailable(.ioUring, reason: "the io_uring poller is being written")
  }
}
#endif
