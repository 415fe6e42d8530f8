// Listener: a listening socket of one loop.

internal import CSkeinPlatform
internal import SkeinPlatform
internal import SkeinTimer

/// How a listener shares its address, and how many clients may wait in it.
public struct ListenOptions: Hashable, Sendable {
  /// How many clients the kernel keeps waiting to be accepted; it caps this at `net.core.somaxconn`.
  public var backlog: Int
  /// Listen although connections of an earlier process linger on the port (SO_REUSEADDR).
  public var reuseAddress: Bool
  /// Share the address with other listeners, which the kernel gives clients in turn (SO_REUSEPORT): one a loop.
  public var reusePort: Bool

  /// Makes options.
  public init(backlog: Int = 4_096, reuseAddress: Bool = true, reusePort: Bool = false) {
    self.backlog = backlog
    self.reuseAddress = reuseAddress
    self.reusePort = reusePort
  }
}

/// A listening socket. It stays open until it is closed or its loop shut down, whether this object is kept or not.
///
/// - Thread safety: any thread.
public final class Listener: Sendable {
  /// The address it listens on, with the port that the kernel chose if 0 was asked for.
  public let localAddress: SocketEndpoint
  private let core: ListenerCore

  init(core: ListenerCore, localAddress: SocketEndpoint) {
    self.core = core
    self.localAddress = localAddress
  }

  /// Stops listening and drops who waits in the backlog. Connections that were accepted stay.
  public func close() { core.close() }
}

/// What threads that could not enter the loop want of a listener.
struct ListenerInbox {
  var isPosted = false
  var registersDescriptor: Int32?
  var closes = false
  /// The listening descriptor, while it is open and nobody has closed the listener.
  var listening: Int32?
}

/// A listener as its loop sees it; the monitor's gate guards it, save the inbox.
final class ListenerCore: Posted {
  // MARK: Any thread
  private let monitor: LoopMonitor
  private let inbox: Lock<ListenerInbox>

  // MARK: Under the gate
  private var handler: (any ListenerHandler)?
  private var token: SlotToken?
  /// Clients wait: the kernel had no descriptor or no memory for them.
  private var isStarved = false

  init(monitor: LoopMonitor, descriptor: Int32, handler: any ListenerHandler) {
    self.monitor = monitor
    self.handler = handler
    inbox = Lock(ListenerInbox(registersDescriptor: descriptor, listening: descriptor))
  }

  // MARK: Any thread

  func close() {
    inbox.withLock { inbox in
      // The kernel refuses new clients from here on, whoever holds the loop and whatever request holds the socket.
      if let descriptor = inbox.listening { _ = skein_socket_shutdown_read(descriptor) }
      inbox.listening = nil
    }
    leaveWish { $0.closes = true }
  }

  func register() { leaveWish { _ in } }

  private func leaveWish(_ wish: (inout ListenerInbox) -> Void) {
    let isFirst = inbox.withLock { inbox in
      wish(&inbox)
      defer { inbox.isPosted = true }
      return !inbox.isPosted
    }
    if isFirst { monitor.post(self) }
  }

  func absorb() {
    let wishes = inbox.withLock { inbox in
      let taken = inbox
      inbox = ListenerInbox(listening: taken.listening)
      return taken
    }
    if let descriptor = wishes.registersDescriptor {
      if monitor.isShutDown {
        _ = skein_close(descriptor)
        handler = nil
      } else {
        let token = monitor.occupy(.listener(self))
        self.token = token
        monitor.poller.adopt(descriptor, as: token, kind: .listener)
        monitor.poller.beginAccept(token)
      }
    }
    if wishes.closes { end() }
  }

  // MARK: With the gate held

  func handle(_ event: PollerEvent) {
    switch unsafe event {
    case .accepted(let descriptor, let peer): accept(descriptor, from: peer)
    case .acceptFailed(let errorNumber), .hangUp(let errorNumber): starve(errorNumber)
    default: break
    }
  }

  /// The time for another try has come.
  func retry() { if let token { monitor.poller.beginAccept(token) } }

  func end() {
    handler = nil
    inbox.withLock { $0.listening = nil }
    guard let token else { return }
    self.token = nil
    monitor.vacate(token, keeping: self, resetting: false)
  }

  private func accept(_ descriptor: Int32, from peer: SocketEndpoint) {
    guard let handler else {
      _ = skein_close(descriptor)
      return
    }
    if isStarved {
      isStarved = false
      monitor.tell { handler.acceptResumed() }
    }
    guard monitor.reserveConnection() else {
      // Refused so that the client sees it: reset, instead of a silence in the backlog.
      monitor.counters.refused.add()
      _ = skein_socket_set_linger_reset(descriptor)
      _ = skein_close(descriptor)
      return
    }
    monitor.counters.accepted.add()
    SocketCalls.prepare(descriptor)
    let core = ConnectionCore(monitor: monitor, phase: .accepted)
    let token = monitor.occupy(.connection(core))
    core.accept(token, descriptor)
    monitor.poller.adopt(descriptor, as: token, kind: .connection)
    let connection = Connection(core: core, peerAddress: peer)
    monitor.tell { handler.accepted(connection) }
  }

  private func starve(_ errorNumber: Int32) {
    // A listener that is being closed fails to accept; nobody has to know.
    guard let token, let handler, inbox.withLock({ $0.listening != nil }) else { return }
    monitor.counters.acceptFailures.add()
    let delay = monitor.limits.acceptRetryDelay
    _ = monitor.arm(token, kind: .acceptRetry, at: .now.advanced(by: delay))
    if isStarved { return }
    isStarved = true
    let error = SocketError.system(SystemCallError(call: "accept", errorNumber: errorNumber))
    monitor.tell { handler.acceptPaused(error, retryAfter: delay) }
  }
}

// @unchecked: what is under the gate is touched by its holder only; the inbox is locked.
extension ListenerCore: @unchecked Sendable {}
