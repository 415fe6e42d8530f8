import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Task driver") struct TaskDriverTests {
  /// Begins work for `counter` on its strand, and tells which driver does it.
  private func begin(
    on counter: Counter, _ body: @escaping @Sendable (isolated Counter, TaskDriver) async -> Void
  ) -> ObjectIdentifier {
    let event = Event()
    let identity = Lock<ObjectIdentifier?>(nil)
    counter.strand.post { strand in
      let driver = TaskDriver.make()
      identity.withLock { $0 = ObjectIdentifier(driver) }
      driver.begin(on: strand) { _ in await body(counter, driver) }
      event.signal()
    }
    event.wait()
    return identity.withLock { $0! }
  }

  @Test func `the task that has ended one strand's work does the next one's`() throws {
    let pool = try TestPool(workers: 1)
    let counters = try (0..<3).map { Counter(try pool.strand("\($0)")) }
    let done = Event()
    let drivers = Set(
      counters.map { counter in
        begin(on: counter) { counter, _ in
          #expect(counter.add() == 1)
          done.signal()
        }
      })
    done.wait(3)
    #expect(drivers.count == 1)
  }

  @Test func `work that is suspended keeps its task, and goes on on its strand`() throws {
    let pool = try TestPool(workers: 2)
    let (first, second) = (Counter(try pool.strand("first")), Counter(try pool.strand("second")))
    let gate = TaskGate()
    let done = Event()
    let suspended = begin(on: first) { counter, _ in
      _ = counter.add()
      _ = await gate.wait()
      #expect(counter.add() == 2)
      // What belongs to no actor runs on the strand of the work, too, in the task and in its children.
      async let child = nobodys(counter.strand)
      #expect(await child)
      #expect(await nobodys(counter.strand))
      #expect(counter.add() == 3)
      done.signal()
    }
    let other = begin(on: second) { counter, _ in
      _ = counter.add()
      done.signal()
    }
    #expect(suspended != other)
    done.wait()
    gate.open()
    done.wait(2)
  }

  @Test func `a task that was retired ends with its work, and a cancelled one does no other`() throws {
    let pool = try TestPool(workers: 1)
    let counter = Counter(try pool.strand())
    let done = Event()
    let retired = begin(on: counter) { _, driver in
      driver.retire()
      driver.cancel()
      #expect(Task.isCancelled)
      done.signal()
    }
    done.wait()
    // Held by nobody, its address may come again: what counts is that the next one is not cancelled.
    _ = retired
    _ = begin(on: counter) { _, _ in
      #expect(!Task.isCancelled)
      done.signal()
    }
    done.wait(2)
  }

  @Test func `a worker keeps a limited number of tasks`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand()
    let counter = Counter(strand)
    let count = 2 * TaskDriver.mostParked
    let gates = (0..<count).map { _ in TaskGate() }
    let done = Event()
    for gate in gates {
      _ = begin(on: counter) { _, _ in
        _ = await gate.wait()
        done.signal()
      }
    }
    for gate in gates { gate.open() }
    done.wait(count)
    let parked = Atomic<Int>(-1)
    strand.post { _ in
      parked.store(Worker.withCurrent { $0.parkedDrivers.count } ?? -1, ordering: .sequentiallyConsistent)
      done.signal()
    }
    done.wait(count + 1)
    #expect(parked.load(ordering: .sequentiallyConsistent) == TaskDriver.mostParked)
  }
}

/// Runs nowhere in particular.
@concurrent private func nobodys(_ strand: Strand) async -> Bool { Strand.isCurrent(strand) }
