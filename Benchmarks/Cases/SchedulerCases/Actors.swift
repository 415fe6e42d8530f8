// Actors: Swift's actors and tasks on strands.

internal import CaseSupport
internal import SkeinScheduler

/// An actor that adds up numbers, on a strand of its own.
private actor Adder {
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe strand.asUnownedSerialExecutor() }
  private(set) var sum: UInt64 = 0

  init(_ strand: Strand) { self.strand = strand }

  func add(_ number: Int) -> UInt64 {
    sum &+= UInt64(number)
    return sum
  }
}

/// A task on one strand awaits an actor on another, again and again: two hops an operation.
func hops(_ count: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(workers) { pool in
    let caller = try Caller(Adder(Strand(pool: pool, label: "adder")), Strand(pool: pool, label: "caller"))
    let done = Event()
    let result = Tally()
    meter.start()
    Task(executorPreference: caller.strand) {
      result.add(await caller.callAll(count))
      done.signal()
    }
    done.wait()
    meter.stop()
    return result.value
  }
}

/// An actor that calls another.
private actor Caller {
  nonisolated let strand: Strand
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe strand.asUnownedSerialExecutor() }
  private let adder: Adder
  private var answers = 0

  init(_ adder: Adder, _ strand: Strand) {
    self.adder = adder
    self.strand = strand
  }

  func callAll(_ count: Int) async -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      sum = await adder.add(number)
      // Touches this actor's state, so that the hop back is not left out.
      answers += 1
    }
    precondition(answers == count)
    return sum
  }
}

/// A task is made for each message, which is what a runtime without drivers does.
func tasks(_ count: Int, _ workers: Int, _ meter: any Meter) throws -> UInt64 {
  try withPool(workers) { pool in
    let strand = try Strand(pool: pool, label: "tasks")
    let adder = Adder(strand)
    let result = Tally()
    let done = Event()
    meter.start()
    for number in 0..<count {
      Task(executorPreference: strand) {
        let sum = await adder.add(number)
        guard number == count - 1 else { return }
        result.add(sum)
        done.signal()
      }
    }
    done.wait()
    meter.stop()
    return result.value
  }
}
