// SpawnThread: the thread that starts every child.
//
// The kernel sends a child its parent-death signal when the *thread* that made it ends, and the threads of Swift's
// pool come and go. This one lasts as long as the test process.
//
// Shared by:  any thread that starts a child, and the one thread that does it.

import Dispatch
import Foundation
import Synchronization

/// Runs closures on one thread that never ends before the process does.
final class SpawnThread: Sendable {
  static let shared = SpawnThread()

  private let queue = Mutex<[@Sendable () -> Void]>([])
  private let pending = DispatchSemaphore(value: 0)

  private init() {
    Thread.detachNewThread { [self] in
      while true {
        pending.wait()
        let job = queue.withLock { $0.removeFirst() }
        job()
      }
    }
  }

  /// Runs `body` on the thread and waits for its result.
  func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
    let answer = Answer<Value>()
    queue.withLock { queue in
      queue.append {
        answer.value.withLock { $0 = body() }
        answer.given.signal()
      }
    }
    pending.signal()
    answer.given.wait()
    guard let value = answer.value.withLock({ $0 }) else { preconditionFailure("signalled without an answer") }
    return value
  }

  private final class Answer<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
    let given = DispatchSemaphore(value: 0)
  }
}
