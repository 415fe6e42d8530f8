// Prints, in nanoseconds of CPU time, the steps that a call is made of. One worker: no other core is woken.

import SkeinMailbox
import SkeinPlatform
import SkeinScheduler
import SkeinTimer

enum Trace { @TaskLocal static var number = 0 }

let pool = try WorkerPool(workers: 1)
let caller = try Service(pool, "caller")
let callee = try Service(pool, "callee")

/// Runs `body` in a task on the caller's strand, as a service's handler would, and prints its median.
func inTask(
  _ name: String, prefers: Bool = true, _ count: Int, _ body: @escaping @Sendable (isolated Service) async -> Void
) {
  let done = Event()
  Task(executorPreference: prefers ? caller.strand : nil) {
    await caller.run { service in
      var results: [Double] = []
      for _ in 0..<rounds {
        let watch = StopWatch()
        await body(service)
        results.append(watch.each(count))
      }
      printLine(name, results)
    }
    done.signal()
  }
  done.wait()
}

/// Runs `body` once as a message on the caller's strand; it calls `finish` when its work is done.
func onStrand(
  _ name: String, _ count: Int, _ body: @escaping @Sendable (_ finish: @escaping @Sendable () -> Void) -> Void
) {
  var results: [Double] = []
  for _ in 0..<rounds {
    let done = Event()
    let watch = StopWatch()
    caller.strand.post { _ in body { done.signal() } }
    done.wait()
    results.append(watch.each(count))
  }
  printLine(name, results)
}

@inline(never) func noOperation(_ number: Int) -> Int { number }

print("in place")
onStrand("enter the callee's strand, run in place, leave", 200_000) { finish in
  for number in 0..<200_000 {
    precondition(callee.strand.tryEnter())
    _ = Worker.current!.runInPlace(callee.strand) { noOperation(number) }
    callee.strand.leave()
  }
  finish()
}

print("queued")
@Sendable func bounce(_ left: Int, _ finish: @escaping @Sendable () -> Void) {
  if left == 0 { return finish() }
  callee.strand.post { _ in caller.strand.post { _ in bounce(left - 1, finish) } }
}
onStrand("message to the callee's strand and one back, closures as messages", 50_000) { finish in bounce(50_000, finish)
}

print("suspended")
inTask("await an actor on another strand, and come back", 50_000) { service in
  for number in 0..<50_000 {
    _ = await callee.add(number)
    service.value += 1
  }
}
inTask("the same in a task without an executor preference", prefers: false, 5_000) { service in
  for number in 0..<5_000 {
    _ = await callee.add(number)
    service.value += 1
  }
}
inTask("withUnsafeContinuation, resumed before it suspends", 200_000) { service in
  for _ in 0..<200_000 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in continuation.resume() }
    service.value += 1
  }
}
inTask("withUnsafeContinuation, resumed by a message on the callee's strand", 50_000) { service in
  for _ in 0..<50_000 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      callee.strand.post { _ in continuation.resume() }
    }
    service.value += 1
  }
}
inTask("withUnsafeContinuation so resumed, no executor preference", prefers: false, 5_000) { service in
  for _ in 0..<5_000 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      callee.strand.post { _ in continuation.resume() }
    }
    service.value += 1
  }
}

print("tasks")
onStrand("Task for each message, made and run to its end", 20_000) { finish in
  for number in 0..<20_000 {
    Task(executorPreference: caller.strand) {
      _ = await caller.add(number)
      if number == 19_999 { finish() }
    }
  }
}
inTask("unstructured Task, made by a task and awaited through a continuation", 20_000) { service in
  for _ in 0..<20_000 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      Task(executorPreference: caller.strand) { continuation.resume() }
    }
    service.value += 1
  }
}

print("what travels with a call")
inTask("withTaskCancellationHandler around nothing", 200_000) { service in
  for _ in 0..<200_000 {
    await withTaskCancellationHandler {
      _ = service
      service.value += 1
    } onCancel: {
    }
  }
}
inTask("Task.isCancelled", 1_000_000) { service in
  for _ in 0..<1_000_000 where Task.isCancelled { service.value += 1 }
}
inTask("bind a task-local round a synchronous call, in a task", 200_000) { service in
  for number in 0..<200_000 { Trace.$number.withValue(number) { service.value += noOperation(number) } }
}
onStrand("bind a task-local round a synchronous call, without a task", 200_000) { finish in
  for number in 0..<200_000 { _ = Trace.$number.withValue(number) { noOperation(number) } }
  finish()
}
inTask("read the clock", 1_000_000) { service in
  for _ in 0..<1_000_000 where MonotonicInstant.now.nanoseconds == 0 { service.value += 1 }
}
inTask("arm a timer and cancel it, on the worker's queue", 100_000) { service in
  let deadline = MonotonicInstant.now.advanced(by: .seconds(5))
  let timers = pool.timers
  for _ in 0..<100_000 { timers.cancel(try! timers.arm(at: deadline, target: quiet)) }
  service.value += 1
}
pool.shutDown()
