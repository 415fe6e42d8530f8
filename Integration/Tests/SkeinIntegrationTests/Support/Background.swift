// Background: work that blocks, on a thread of its own.
//
// Shared by:  the thread that does the work and the one that asks for the result.
// Invariants: `result` is written once, before `done` is signalled.

import Dispatch
import Foundation
import Synchronization

/// A piece of blocking work on its own thread, whose result is asked for with a bound on the wait.
final class Background<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)
  private let title: String

  /// Starts `body` on a new thread. `title` names it in a failure.
  init(_ title: String, _ body: @escaping @Sendable () throws -> Value) {
    self.title = title
    Thread.detachNewThread { [self] in
      let value = Result { try body() }
      result.withLock { $0 = value }
      done.signal()
    }
  }

  /// Waits for the work's end and gives its result, or fails once the hang guard is reached.
  func value(withinSeconds seconds: Int = Environment.hangGuardSeconds) throws -> Value {
    guard done.wait(timeout: .now() + .seconds(seconds)) == .success else {
      throw Failure("\(title) did not end within \(seconds) s")
    }
    done.signal()
    guard let value = result.withLock({ $0 }) else { throw Failure("\(title) ended without a result") }
    return try value.get()
  }
}
