import SkeinMailbox
import SkeinPlatform
import SkeinScheduler
import Synchronization
import Testing

@Suite("Strand", .serialized) struct StrandTests {
  @Test(arguments: [1, 2, 4])
  func `runs what it is sent one at a time and in the order of each sender`(workers: Int) throws {
    final class State: @unchecked Sendable {
      // @unchecked: touched on the strand only; that is what the test checks.
      var last = [-1, -1, -1]
      var disorder = 0
      let inside = Atomic<Int>(0)
    }
    let pool = try TestPool(workers: workers)
    let strand = try pool.strand(capacity: 100)
    let state = State()
    let done = Event()
    let each = soak ? 500_000 : 20_000
    for sender in 0..<3 {
      _ = try PlatformThread.start(name: "sender") {
        for number in 0..<each {
          while !strand.post({ strand in
            if state.inside.add(1, ordering: .relaxed).oldValue != 0 { state.disorder += 1 }
            if state.last[sender] + 1 != number || !Strand.isCurrent(strand) { state.disorder += 1 }
            state.last[sender] = number
            state.inside.subtract(1, ordering: .relaxed)
            if number == each - 1 { done.signal() }
          }) { PlatformThread.yield() }
        }
      }
    }
    done.wait(3)
    #expect(state.disorder == 0)
    #expect(state.last == [each - 1, each - 1, each - 1])
  }

  @Test func `an actor lives on its strand and its calls keep it serial`() async throws {
    let pool = try TestPool(workers: 2)
    let counter = Counter(try pool.strand())
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<500 { _ = await counter.add() } }
      }
    }
    #expect(await counter.value == 4_000)
  }

  @Test func `a strand at rest can be entered once, and what comes meanwhile runs after it is left`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand()
    let ran = Event()
    #expect(strand.tryEnter())
    #expect(!strand.tryEnter())
    #expect(strand.post { _ in ran.signal() })
    #expect(ran.value == 0)
    strand.leave()
    ran.wait()
  }

  @Test func `a closed strand hands messages back and refuses the unread ones`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand()
    let entered = Event()
    let goOn = Event()
    let refused = Event()
    let performed = Event()
    let handler = unsafe MessageHandler.make(perform: { _, _ in performed.signal() }, refuse: { _ in refused.signal() })
    strand.post { strand in
      entered.signal()
      goOn.wait()
      strand.close()
      strand.refuseUnread()
    }
    entered.wait()
    for _ in 0..<5 {
      switch strand.send(unsafe Envelope(handler, 1)) {
      case .delivered: break
      default: Issue.record("refused too early")
      }
    }
    goOn.signal()
    refused.wait(5)
    #expect(performed.value == 0)
    #expect(!strand.post { _ in })
  }

  @Test func `a system message overtakes what waits`() throws {
    let pool = try TestPool(workers: 1, budget: RunBudget(messages: 1))
    let strand = try pool.strand()
    let entered = Event()
    let goOn = Event()
    let done = Event()
    final class Order: Sendable { let list = Lock<[String]>([]) }
    let order = Order()
    strand.post { _ in
      entered.signal()
      goOn.wait()
    }
    entered.wait()
    strand.post { _ in
      order.list.withLock { $0.append("message") }
      done.signal()
    }
    let action: Action = { _ in order.list.withLock { $0.append("system") } }
    strand.sendSystem(unsafe Envelope(closureHandler, action))
    goOn.signal()
    done.wait()
    #expect(order.list.withLock { $0 } == ["system", "message"])
  }

  @Test func `while messages are held jobs still run, and the messages follow when the hold ends`() async throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand()
    let counter = Counter(strand)
    let held = Event()
    let ran = Event()
    strand.post { strand in
      strand.holdsMessages = true
      held.signal()
    }
    held.wait()
    strand.post { _ in ran.signal() }
    #expect(await counter.add() == 1)
    #expect(ran.value == 0)
    #expect(!strand.tryEnter())
    let action: Action = { strand in strand.holdsMessages = false }
    strand.sendSystem(unsafe Envelope(closureHandler, action))
    ran.wait()
  }

  @Test func `an exclusive strand may block without keeping others from running`() throws {
    let pool = try TestPool(workers: 1)
    let blocked = try pool.strand("blocked", exclusive: true)
    let free = try pool.strand()
    let entered = Event()
    let goOn = Event()
    let done = Event()
    blocked.post { strand in
      entered.signal()
      goOn.wait()
      if Strand.isCurrent(strand) { done.signal() }
    }
    entered.wait()
    free.post { _ in goOn.signal() }
    done.wait()
    #expect(!blocked.tryEnter())
  }

  @Test func `strands and what they hold are released when nobody needs them`() throws {
    final class Held: Sendable {
      let gone: Event
      init(_ gone: Event) { self.gone = gone }
      deinit { gone.signal() }
    }
    let pool = try TestPool(workers: 2)
    let gone = Event()
    for _ in 0..<100 {
      let strand = try pool.strand()
      let held = Held(gone)
      strand.post { _ in _ = held }
    }
    gone.wait(100)
  }
}
