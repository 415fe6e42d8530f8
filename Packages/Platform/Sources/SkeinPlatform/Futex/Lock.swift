// Lock: mutual exclusion round the value that it protects. How it works: LockWord.swift.

/// A mutual exclusion lock that owns what it protects.
///
/// Four bytes beside the value, no allocation. A thread that finds it taken spins for some microseconds and then sleeps.
/// It is not fair: under contention a thread may take it several times before one that slept gets its turn.
/// ThreadSanitizer understands it.
///
/// - Thread safety: any thread. Not recursive: a thread that locks twice stops for ever.
@safe public struct Lock<Value: ~Copyable>: ~Copyable {
  @usableFromInline let word = LockWord()
  // Touched by the lock's holder only.
  @usableFromInline let cell: InlineCell<Value>

  /// Makes an open lock around `value`.
  @inlinable
  public init(_ value: consuming sending Value) { cell = InlineCell(value) }

  /// Runs `body` with the value while no other thread has it.
  @inlinable
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    word.lock()
    defer { word.unlock() }
    // By a variable: else Swift 6.3.1 tells ThreadSanitizer that the whole lock is written.
    let address = unsafe cell.address
    return try unsafe body(&address.pointee)
  }

  /// Runs `body` with the value unless another thread has it; then returns `nil` at once.
  @inlinable
  public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result? {
    guard word.tryLock() else { return nil }
    defer { word.unlock() }
    let address = unsafe cell.address
    return try unsafe body(&address.pointee)
  }
}

// @unchecked: the lock hands the value to one thread at a time.
extension Lock: @unchecked Sendable where Value: ~Copyable {}
