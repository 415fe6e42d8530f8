// LoopThread: an owner for a loop that has none.

internal import SkeinPlatform
internal import Synchronization

/// A thread that waits in a loop and dispatches its events, for programs that use this layer alone.
///
/// - Thread safety: any thread; ``stop()`` not from a handler of the loop.
public final class LoopThread: Sendable {
  private let loop: SocketLoop
  private let shouldStop: StopFlag
  private let thread: Lock<JoinOnce>

  private final class StopFlag: Sendable {
    let isSet = Atomic<Bool>(false)
  }

  private struct JoinOnce: ~Copyable {
    var thread: PlatformThread?
  }

  /// Starts a thread that owns `loop`.
  ///
  /// - Throws: ``SocketError/system(_:)`` when there is no thread left.
  public init(_ loop: SocketLoop, name: String = "skein-loop") throws(SocketError) {
    self.loop = loop
    let flag = StopFlag()
    shouldStop = flag
    do throws(SystemCallError) {
      thread = Lock(
        JoinOnce(
          thread: try PlatformThread.start(name: name) {
            // Acquire: pairs with the store in `stop`.
            while !flag.isSet.load(ordering: .acquiring) { loop.wait(until: nil) }
          }))
    } catch {
      throw .system(error)
    }
  }

  deinit { stop() }

  /// Ends the thread and waits for it. The loop and its connections stay; shut the loop down to end them.
  public func stop() {
    // Release: pairs with the load in the thread.
    shouldStop.isSet.store(true, ordering: .releasing)
    loop.wake()
    let ending = thread.withLock { once -> PlatformThread? in once.thread.take() }
    if let ending { ending.join() }
  }
}
