// SocketError: why something about sockets could not be done.

public import SkeinPlatform

/// Why a socket operation failed.
public enum SocketError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kernel refused; the call and its `errno`.
  case system(SystemCallError)
  /// The text is not an address such as `127.0.0.1:6379` or `[::1]:6379`.
  case invalidAddress(String)
  /// The loop holds `limit` connections, the lingering ones among them.
  case tooManyConnections(limit: Int)
  /// The loop was shut down.
  case shutDown
  /// The backend cannot run here.
  case backendUnavailable(SocketBackend, reason: String)
  /// No backend has this name.
  case unknownBackend(String)

  /// The reason in a sentence.
  public var description: String {
    switch self {
    case .system(let error): error.description
    case .invalidAddress(let text): "'\(text)' is no address like 127.0.0.1:6379 or [::1]:6379"
    case .tooManyConnections(let limit): "the loop already holds its \(limit) connections"
    case .shutDown: "the socket loop was shut down"
    case .backendUnavailable(let backend, let reason): "\(backend.rawValue) cannot be used: \(reason)"
    case .unknownBackend(let name): "'\(name)' is none of auto, epoll and io_uring"
    }
  }
}
