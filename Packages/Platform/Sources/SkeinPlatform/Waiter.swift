// Waiter: the place where a thread waits for work. A futex by default; a poller,
// where a worker also waits for its sockets.

/// A place in which one thread waits and from which any thread can wake it.
///
/// A wake is never lost: one that comes before the wait makes that wait return at once.
/// Several wakes before a wait count as one.
public protocol Waiter: AnyObject, Sendable {
  /// Waits until woken, until `deadline`, or, rarely, for no reason.
  ///
  /// - Parameter deadline: the latest end of the wait; `nil` waits until woken, one in the past only looks.
  /// - Thread safety: the owner's thread only.
  func wait(until deadline: MonotonicInstant?)

  /// Ends the current wait, or the next one at once.
  ///
  /// - Thread safety: any thread.
  func wake()

  /// Makes the current wait, or the next one, end at `deadline` at the latest.
  ///
  /// Of several deadlines the earliest counts, until it has passed: the owner then finds out for itself what it
  /// waits for next. It does not run before `deadline` because of this call where the implementation can help it.
  ///
  /// - Thread safety: any thread.
  func wake(at deadline: MonotonicInstant)
}
