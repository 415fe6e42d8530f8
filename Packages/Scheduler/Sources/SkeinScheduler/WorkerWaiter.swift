// WorkerWaiter: where a worker waits, and what it looks after between two strands.

public import SkeinPlatform

/// A place for a worker to wait in that also has events to look for, such as a poller.
public protocol WorkerWaiter: Waiter {
  /// Handles the events that are there, without waiting.
  ///
  /// A worker calls it between strands, and, while a worker is stuck in a long handler, another one does in its
  /// place: so it must allow any thread, and give up at once when another thread is at it.
  ///
  /// - Returns: whether there was something.
  /// - Thread safety: any thread.
  func look() -> Bool
}

extension FutexWaiter: WorkerWaiter {
  /// A futex has no events.
  public func look() -> Bool { false }
}
