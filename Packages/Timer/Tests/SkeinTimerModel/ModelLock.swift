// ModelLock: a lock whose turns are steps of a checked run, and whose value is plain memory.

import SkeinModelCheck
import Synchronization

/// As Platform's lock; a thread that enters without having seen the last holder's writes is found.
@usableFromInline
@safe struct ModelLock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
  // @unchecked: the lock hands the value to one thread at a time; that is what is checked.
  private let isHeld = ModelAtomic(false)
  private let turns = ModelCell(0)
  private let value: UnsafeMutablePointer<Value>

  init(_ value: consuming sending Value) {
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
  }

  borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    while !isHeld.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged { ModelRun.relax() }
    defer { isHeld.store(false, ordering: .releasing) }
    turns.value += 1
    return try unsafe body(&value.pointee)
  }
}
