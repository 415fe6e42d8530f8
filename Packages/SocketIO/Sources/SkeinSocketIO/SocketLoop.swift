// SocketLoop: the socket layer's front: a poller, its connections, and a place to wait in.

internal import CSkeinPlatform
public import SkeinPlatform

/// A loop of sockets: listeners and connections over epoll or io_uring, which any thread may serve.
///
/// It is passive. Its owner, one thread, waits in it with ``wait(until:)`` and there dispatches what happened; any other
/// thread may ``look()`` in its place while the owner is busy. ``LoopThread`` is an owner for those who have none.
///
/// ```swift
/// let loop = try SocketLoop()
/// let listener = try loop.listen(on: .loopback(port: 0), handler: echo)
/// let thread = try LoopThread(loop)
/// ```
///
/// Handlers run on the dispatching thread, one at a time. End a loop with ``shutDown()``; the last reference does it,
/// too.
///
/// - Thread safety: any thread, save ``wait(until:)``, which is the owner's.
public final class SocketLoop: Waiter {
  /// The backend at work: `.epoll` or `.ioUring`.
  public let backend: SocketBackend
  /// How it was chosen, in a phrase such as `epoll, since io_uring cannot be used: …`.
  public let backendExplanation: String
  /// The loop's limits.
  public let limits: SocketLimits
  private let monitor: LoopMonitor

  /// Makes a loop without sockets.
  ///
  /// - Throws: ``SocketError/backendUnavailable(_:reason:)`` when a backend was named that cannot run here, or
  ///   ``SocketError/system(_:)`` when the kernel has no descriptor left.
  public init(backend: SocketBackend = .automatic, limits: SocketLimits = SocketLimits()) throws(SocketError) {
    let made = try backend.makePoller(limits: limits)
    monitor = LoopMonitor(poller: made.poller, limits: limits)
    self.backend = made.poller.backend
    backendExplanation = made.explanation
    self.limits = limits
  }

  deinit { monitor.shutDown() }

  // MARK: Sockets

  /// Listens on `address`; clients are handed to `handler`.
  ///
  /// - Throws: ``SocketError/system(_:)``, for example `bind` with EADDRINUSE.
  public func listen(
    on address: SocketEndpoint, options: ListenOptions = ListenOptions(), handler: any ListenerHandler
  ) throws(SocketError) -> Listener {
    if monitor.isShutDown { throw .shutDown }
    let made = try SocketCalls.makeListener(on: address, options: options)
    let core = ListenerCore(monitor: monitor, descriptor: made.descriptor, handler: handler)
    core.register()
    return Listener(core: core, localAddress: made.local)
  }

  /// Begins to connect to `address`. Bytes may be sent at once; they go out when the connection is there.
  ///
  /// `handler` is told ``ConnectionHandler/connected(_:)``, or, instead, ``ConnectionHandler/closed(_:reason:)`` with
  /// ``CloseReason/connectFailed(_:)``.
  /// - Throws: ``SocketError/tooManyConnections(limit:)``, or ``SocketError/system(_:)`` when the kernel refuses at
  ///   once, such as for an address that has no route.
  public func connect(
    to address: SocketEndpoint, handler: any ConnectionHandler
  ) throws(SocketError) -> Connection {
    if monitor.isShutDown { throw .shutDown }
    guard monitor.reserveConnection() else { throw .tooManyConnections(limit: limits.maxConnections) }
    do throws(SocketError) {
      let descriptor = try SocketCalls.makeStream(for: address)
      do throws(SocketError) {
        try SocketCalls.connect(descriptor, to: address)
      } catch {
        _ = skein_close(descriptor)
        throw error
      }
      let core = ConnectionCore(monitor: monitor, phase: .connecting)
      let connection = Connection(core: core, peerAddress: address)
      core.leaveWish {
        $0.registersDescriptor = descriptor
        $0.start = (handler, connection)
      }
      return connection
    } catch {
      monitor.releaseConnection()
      throw error
    }
  }

  // MARK: Waiter

  /// Waits for events and dispatches them; until woken or until `deadline` at most. See ``Waiter``.
  public func wait(until deadline: MonotonicInstant?) { monitor.wait(until: deadline) }

  /// Ends the owner's current or next wait; see ``Waiter``.
  public func wake() { monitor.wake() }

  /// Bounds the owner's current or next wait, without waking it before; see ``Waiter``.
  public func wake(at deadline: MonotonicInstant) { monitor.wake(at: deadline) }

  /// Dispatches what has happened, without waiting, unless another thread is at it.
  ///
  /// For the owner between two pieces of work, and for other threads while the owner is stuck in one.
  ///
  /// - Returns: whether there was anything.
  /// - Thread safety: any thread. With io_uring, threads that may end before the loop (see
  ///   ``PlatformThread/currentOutlivesLoops``) do nothing here.
  public func look() -> Bool { monitor.look() }

  // MARK: The end

  /// Closes every socket and tells every handler; what was queued is dropped. Everything is refused from then on.
  ///
  /// Waits for nothing: when another thread is in the loop, that thread does it before it leaves.
  public func shutDown() { monitor.shutDown() }

  /// What the loop has done, and holds.
  public var statistics: SocketStatistics { monitor.statistics }
}
