// SocketBackend: which kernel interface a loop works with, and why not the other.

internal import Glibc

/// A kernel interface for sockets.
public enum SocketBackend: String, CaseIterable, Hashable, Sendable {
  /// io_uring where it runs, else epoll.
  case automatic = "auto"
  /// Readiness with epoll; runs everywhere.
  case epoll
  /// Completions with io_uring; needs the trait `IOUring`, a recent kernel, and no sandbox that forbids it.
  case ioUring = "io_uring"

  /// What the environment variable `SKEIN_IO` asks for; `.automatic` when it is not set or empty.
  ///
  /// - Throws: ``SocketError/unknownBackend(_:)`` when the variable holds another word than `auto`, `epoll` and
  ///   `io_uring`.
  public static var fromEnvironment: SocketBackend {
    get throws(SocketError) {
      guard let value = unsafe getenv("SKEIN_IO") else { return .automatic }
      let name = unsafe String(cString: value)
      if name.isEmpty { return .automatic }
      guard let backend = SocketBackend(rawValue: name) else { throw .unknownBackend(name) }
      return backend
    }
  }

  /// Asks the kernel whether the backend can run here.
  ///
  /// - Returns: `nil` when it can, else the reason in a phrase, such as `the kernel refuses it (EPERM)`.
  /// - Complexity: sets up and takes down one small ring for `.ioUring`.
  public func unavailability() -> String? {
    switch self {
    case .automatic, .epoll: return nil
    case .ioUring:
      #if SKEIN_IOURING
      return RingPoller.unavailability()
      #else
      return "built without the trait IOUring"
      #endif
    }
  }

  /// Makes the poller, and says in a phrase how it was chosen.
  func makePoller(limits: SocketLimits) throws(SocketError) -> (poller: any Poller, explanation: String) {
    switch self {
    case .epoll: return (try EpollPoller(limits: limits), "epoll, as asked for")
    case .ioUring:
      if let reason = unavailability() { throw .backendUnavailable(.ioUring, reason: reason) }
      return (try Self.makeRing(limits: limits), "io_uring, as asked for")
    case .automatic:
      if let reason = SocketBackend.ioUring.unavailability() {
        return (try EpollPoller(limits: limits), "epoll, since io_uring cannot be used: \(reason)")
      }
      return (try Self.makeRing(limits: limits), "io_uring, the default where it runs")
    }
  }

  private static func makeRing(limits: SocketLimits) throws(SocketError) -> any Poller {
    #if SKEIN_IOURING
    return try RingPoller(limits: limits)
    #else
    throw .backendUnavailable(.ioUring, reason: "built without the trait IOUring")
    #endif
  }
}
