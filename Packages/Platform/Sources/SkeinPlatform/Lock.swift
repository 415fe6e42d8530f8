// Lock: a mutex around the value it protects.
//
// Synchronization.Mutex is invisible to ThreadSanitizer on Linux and so looks like a
// race. With the trait TSan the lock is a pthread mutex, which the sanitizer intercepts.

#if SKEIN_TSAN
internal import CSkeinPlatform

/// A mutual exclusion lock that owns what it protects.
///
/// - Thread safety: any thread. Not recursive: a thread that locks twice stops for ever.
@safe public struct Lock<Value: ~Copyable>: ~Copyable {
  private let mutex: UnsafeMutableRawPointer
  private let value: UnsafeMutablePointer<Value>

  /// Makes an open lock around `value`.
  public init(_ value: consuming sending Value) {
    unsafe mutex = skein_mutex_create()
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
    unsafe skein_mutex_destroy(mutex)
  }

  /// Runs `body` with the value while no other thread has it.
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    unsafe skein_mutex_lock(mutex)
    defer { unsafe skein_mutex_unlock(mutex) }
    return try unsafe body(&value.pointee)
  }

  /// Runs `body` with the value unless another thread has it; then returns `nil` at once.
  public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result? {
    guard unsafe skein_mutex_try_lock(mutex) else { return nil }
    defer { unsafe skein_mutex_unlock(mutex) }
    return try unsafe body(&value.pointee)
  }
}
#else
public import Synchronization

/// A mutual exclusion lock that owns what it protects.
///
/// - Thread safety: any thread. Not recursive: a thread that locks twice stops for ever.
public struct Lock<Value: ~Copyable>: ~Copyable {
  @usableFromInline let mutex: Mutex<Value>

  /// Makes an open lock around `value`.
  @inlinable
  public init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` with the value while no other thread has it.
  @inlinable
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock(body)
  }

  /// Runs `body` with the value unless another thread has it; then returns `nil` at once.
  @inlinable
  public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result? {
    try mutex.withLockIfAvailable(body)
  }
}
#endif

// @unchecked: the lock hands the value to one thread at a time.
extension Lock: @unchecked Sendable where Value: ~Copyable {}
