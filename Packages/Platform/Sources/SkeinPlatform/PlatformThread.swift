// PlatformThread: a kernel thread with a name, started and joined, or left to itself.

internal import CSkeinPlatform
internal import Glibc

/// A thread of the operating system.
///
/// Dropped without ``join()`` it runs on by itself, and the kernel takes its stack back when it ends.
///
/// - Thread safety: `join()` may be called once, from any other thread.
@safe public struct PlatformThread: ~Copyable, @unchecked Sendable {
  // @unchecked: a pthread handle may be joined or detached from any thread, once: `join` and `deinit` consume.
  private let handle: pthread_t

  /// What the new thread is handed.
  private final class Start {
    let name: String
    let outlivesLoops: Bool
    let body: @Sendable () -> Void
    init(name: String, outlivesLoops: Bool, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.outlivesLoops = outlivesLoops
      self.body = body
    }
  }

  /// Starts a thread that runs `body`.
  ///
  /// Its timer slack is 1 ns, so that waits end on time.
  ///
  /// - Parameters:
  ///   - name: shown by `ps` and `perf`; the kernel keeps 15 bytes.
  ///   - outlivesLoops: promises that the thread ends after every socket loop it enters: requests of
  ///     io_uring are cancelled when the thread that submitted them ends.
  ///   - body: runs on the new thread.
  /// - Throws: ``SystemCallError`` when the kernel has no thread left.
  public static func start(
    name: String, outlivesLoops: Bool = false, _ body: @escaping @Sendable () -> Void
  ) throws(SystemCallError) -> PlatformThread {
    let start = Start(name: String(name.utf8.prefix(15)) ?? name, outlivesLoops: outlivesLoops, body: body)
    let argument = unsafe Unmanaged.passRetained(start).toOpaque()
    var handle = pthread_t()
    let failure = unsafe pthread_create(
      &handle, nil,
      { raw in
        let start = unsafe Unmanaged<Start>.fromOpaque(raw!).takeRetainedValue()
        _ = unsafe start.name.withCString { name in unsafe skein_thread_set_name(name) }
        _ = skein_thread_set_timer_slack(1)
        if start.outlivesLoops {
          unsafe ThreadSlot.outlivesLoops.value = unsafe UnsafeMutableRawPointer(bitPattern: 1)
        }
        start.body()
        return nil
      }, argument)
    guard failure == 0 else {
      unsafe Unmanaged<Start>.fromOpaque(argument).release()
      throw SystemCallError(call: "pthread_create", errorNumber: failure)
    }
    return PlatformThread(handle: handle)
  }

  /// Waits until the thread has ended. A thread that joins itself is let go instead.
  public consuming func join() {
    if pthread_equal(handle, pthread_self()) != 0 {
      pthread_detach(handle)
    } else {
      pthread_join(handle, nil)
    }
    discard self
  }

  deinit { _ = pthread_detach(handle) }

  /// Whether the calling thread was started with `outlivesLoops`.
  public static var currentOutlivesLoops: Bool { unsafe ThreadSlot.outlivesLoops.value != nil }

  /// The calling thread's number in the kernel, as `top -H` shows it.
  public static var currentNumber: Int32 { skein_thread_id() }
}

extension PlatformThread {
  /// Tells the core that the calling thread spins for a moment.
  public static func relax() { skein_cpu_relax() }

  /// Lets another thread have the core.
  public static func yield() { skein_thread_yield() }
}
