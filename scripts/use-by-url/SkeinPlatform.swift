import SkeinPlatform

let count = Lock(0)
count.withLock { $0 += 1 }
let waiter = FutexWaiter()
waiter.wake()
waiter.wait(until: .distantFuture)
precondition(count.withLock { $0 } == 1)
