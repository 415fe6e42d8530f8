// Waiting: the result of asynchronous work for a thread that may block: `main`.

internal import SkeinPlatform

/// Runs asynchronous work and blocks the calling thread until it has ended.
final class Waiting<Value: Sendable>: Sendable {
  private let waiter = FutexWaiter()
  private let result = Lock<Value?>(nil)

  init(_ work: @escaping @Sendable () async -> Value) {
    Task { [self] in
      let value = await work()
      result.withLock { $0 = value }
      waiter.wake()
    }
  }

  /// The result, as soon as it is there.
  var value: Value {
    while true {
      if let value = result.withLock({ $0 }) { return value }
      waiter.wait(until: nil)
    }
  }
}
