// Strands: waking a sleeping worker, entering in place, and what a strand holds.

internal import CaseSupport
internal import SkeinPlatform
internal import SkeinScheduler

/// A thread that is no worker sends a message to an idle pool and waits for its answer.
func wakes(_ count: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(workers) { pool in
    let strand = try Strand(pool: pool, label: "woken")
    let sum = Tally()
    for number in 0..<count {
      let request = Request(number)
      let sent = MonotonicInstant.now
      _ = strand.send(unsafe Envelope(requestHandler, request))
      request.done.wait()
      meter.latency(nanoseconds: sent.duration(to: request.takenAt).nanosecondsClamped)
      sum.add(UInt64(request.number))
    }
    return sum.value
  }
}

private final class Request: @unchecked Sendable {
  // @unchecked: `takenAt` is written before `done` and read after it.
  let number: Int
  let done = Event()
  var takenAt = MonotonicInstant(nanoseconds: 0)
  init(_ number: Int) { self.number = number }
}

private let requestHandler = unsafe MessageHandler.make(
  perform: { payload, _ in
    let request = unsafe payload.assumingMemoryBound(to: Request.self).move()
    request.takenAt = .now
    request.done.signal()
  },
  refuse: { payload in _ = unsafe payload.assumingMemoryBound(to: Request.self).move() })

/// What a call in place costs the strand.
func enterAndLeave(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(1) { pool in
    let strand = try Strand(pool: pool, label: "entered")
    var sum: UInt64 = 0
    meter.start()
    for number in 0..<count {
      precondition(strand.tryEnter())
      sum &+= UInt64(number)
      strand.leave()
    }
    meter.stop()
    return sum
  }
}

/// How much memory strands hold that have had a message and rest.
func restingStrands(_ count: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(1) { pool in
    var strands: [Strand] = []
    strands.reserveCapacity(count)
    let counter = Counter()
    let before = heapBytes()
    for number in 0..<count {
      let strand = try Strand(pool: pool, label: "resting")
      _ = strand.send(unsafe Envelope(countHandler, Counted(counter: counter, number: number)))
      strands.append(strand)
    }
    counter.done.wait(count)
    meter.bytesEach((heapBytes() - before) / count)
    return withExtendedLifetime(strands) { counter.sum.value }
  }
}

private final class Counter: Sendable {
  let sum = Tally()
  let done = Event()
}

private struct Counted: Sendable {
  let counter: Counter
  let number: Int
}

private let countHandler = unsafe MessageHandler.make(
  perform: { payload, _ in
    let message = unsafe payload.assumingMemoryBound(to: Counted.self).move()
    message.counter.sum.add(UInt64(message.number))
    message.counter.done.signal()
  },
  refuse: { payload in _ = unsafe payload.assumingMemoryBound(to: Counted.self).move() })
