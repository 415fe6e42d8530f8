import Glibc
import SkeinMailbox
import SkeinPlatform
import Synchronization
import Testing

@testable import SkeinScheduler

@Suite("Exclusive strands", .serialized) struct ExclusiveTests {
  /// A pipe: whatever is read becomes readable when something is written.
  final class Pipe: Sendable {
    let input: Int32
    private let output: Int32
    init() {
      var both: [Int32] = [0, 0]
      precondition(unsafe pipe(&both) == 0)
      input = both[0]
      output = both[1]
    }
    deinit {
      close(input)
      close(output)
    }
    func write() { precondition(unsafe Glibc.write(output, "x", 1) == 1) }
    func read() {
      var byte: UInt8 = 0
      precondition(unsafe Glibc.read(input, &byte, 1) == 1)
    }
    var interest: DescriptorInterest { DescriptorInterest(input, .readable) }
  }

  @Test func `a message ends the wait of an exclusive strand, and runs after its handler`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand(exclusive: true)
    let pipe = Pipe()
    let entered = Event()
    let outcomes = Lock<[ExclusiveWait]>([])
    let done = Event()
    for round in 0..<(soak ? 20_000 : 200) {
      strand.post { strand in
        entered.signal()
        do {
          let outcome = try strand.waitInterruptibly(for: pipe.interest)
          outcomes.withLock { $0.append(outcome) }
        } catch { Issue.record(error) }
      }
      entered.wait(round + 1)
      // Sometimes before the wait, sometimes in it.
      for _ in 0..<round % 7 * 100 { PlatformThread.relax() }
      strand.post { strand in if Strand.isCurrent(strand) { done.signal() } }
      done.wait(round + 1)
    }
    #expect(outcomes.withLock { $0.allSatisfy { $0 == .message } })
  }

  @Test func `a descriptor and a deadline end the wait, and a message that waits already does so at once`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand(exclusive: true)
    let pipe = Pipe()
    let outcomes = Lock<[ExclusiveWait]>([])
    let entered = Event()
    let goOn = Event()
    let done = Event()
    strand.post { strand in
      do {
        var list: [ExclusiveWait] = []
        list.append(try strand.waitInterruptibly(for: pipe.interest, until: .now.advanced(by: .milliseconds(2))))
        list.append(try strand.waitInterruptibly(until: .now))
        list.append(try strand.waitInterruptibly(until: MonotonicInstant(nanoseconds: -1)))
        entered.signal()
        list.append(try strand.waitInterruptibly(for: pipe.interest))
        pipe.read()
        goOn.wait()
        list.append(try strand.waitInterruptibly(for: pipe.interest))
        list.append(try strand.waitInterruptibly())
        outcomes.withLock { $0 = list }
      } catch { Issue.record(error) }
      done.signal()
    }
    entered.wait()
    pipe.write()
    strand.activate()
    goOn.signal()
    strand.post { _ in done.signal() }
    done.wait(2)
    let list = outcomes.withLock { $0 }
    #expect(list.prefix(3) == [.deadline, .deadline, .deadline])
    // The activation may end the wait before the descriptor does.
    #expect(list[3] == .ready(.readable) || list[3] == .message)
    #expect(list.suffix(2) == [.message, .message])
  }

  @Test func `a job of a task ends the wait, too`() async throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand(exclusive: true)
    let counter = Counter(strand)
    let entered = Event()
    strand.post { strand in
      entered.signal()
      do { while try strand.waitInterruptibly() != .message {} } catch { Issue.record(error) }
    }
    entered.wait()
    #expect(await counter.add() == 1)
  }

  @Test func `of ten thousand sends in one piece only those to a full mailbox wait, and follow in order`() throws {
    let pool = try TestPool(workers: 1)
    let source = try pool.strand("source", exclusive: true)
    let slow = try pool.strand("slow", capacity: 4)
    let others = try (0..<9).map { try pool.strand("\($0)", capacity: 2_000) }
    let gate = Gate(slow)
    // The gate holds the only worker; nothing but mailboxes takes part.
    let sent = Event()
    let logs = (0..<10).map { _ in Log() }
    let arrived = Event()
    let kept = Atomic<Int>(0)
    source.post { strand in
      guard let outbox = strand.outbox else {
        Issue.record("no outbox")
        return
      }
      for number in 0..<10_000 {
        let target = number % 10
        let action: Action = { _ in
          logs[target].append(number / 10)
          arrived.signal()
        }
        switch outbox.send(unsafe Envelope(closureHandler, action), to: target == 0 ? slow : others[target - 1]) {
        case .delivered: break
        case .kept: kept.add(1, ordering: .relaxed)
        case .busy: Issue.record("busy")
        case .closed: Issue.record("closed")
        }
      }
      sent.signal()
    }
    sent.wait()
    // All but four of the thousand for the one that is full are where they belong.
    #expect(others.allSatisfy { $0.mailbox.count == 1_000 })
    #expect(slow.mailbox.count == 4)
    #expect(kept.load(ordering: .relaxed) == 996)
    gate.open()
    arrived.wait(10_000)
    #expect(logs.allSatisfy { $0.list == Array(0..<1_000) })
  }

  @Test func `an outbox is full at its capacity, and refuses what waits for a strand that has closed`() throws {
    let pool = try TestPool(workers: 1)
    let strand = try pool.strand(capacity: 1)
    let gate = Gate(strand)
    let outbox = Outbox(capacity: 2)
    let refused = Event()
    let handler = unsafe MessageHandler.make(perform: { _, _ in }, refuse: { _ in refused.signal() })
    func send() -> String {
      switch outbox.send(unsafe Envelope(handler, 1), to: strand) {
      case .delivered: "delivered"
      case .kept: "kept"
      case .busy: "busy"
      case .closed: "closed"
      }
    }
    #expect((0..<4).map { _ in send() } == ["delivered", "kept", "kept", "busy"])
    let closed = Event()
    let action: Action = { strand in
      strand.close()
      strand.refuseUnread()
      closed.signal()
    }
    strand.sendSystem(unsafe Envelope(closureHandler, action))
    gate.open()
    closed.wait()
    outbox.flush()
    #expect(outbox.count == 0)
    #expect(refused.value == 3)
    #expect(send() == "closed")
  }

  @Test func `what is refused by a flush may use the outbox`() throws {
    let pool = try TestPool(workers: 2)
    let strand = try pool.strand(capacity: 1)
    let other = try pool.strand(capacity: 1)
    let gates = [Gate(strand), Gate(other)]
    let outbox = Outbox()
    let refused = Event()
    let accepted = Event()
    @Sendable func sendNothing(to strand: Strand) {
      let action: Action = { _ in }
      switch outbox.send(unsafe Envelope(closureHandler, action), to: strand) {
      case .delivered: accepted.signal()
      case .kept: accepted.signal()
      case .busy: break
      case .closed: break
      }
    }
    let handler = unsafe MessageHandler.make(
      perform: { _, _ in },
      refuse: { _ in
        refused.signal()
        // To the line that is being flushed, and to another one.
        sendNothing(to: strand)
        sendNothing(to: other)
        outbox.flush()
      })
    for _ in 0..<4 { _ = outbox.send(unsafe Envelope(handler, 1), to: strand) }
    #expect(outbox.count == 3)
    let closed = Event()
    let action: Action = { strand in
      strand.close()
      closed.signal()
    }
    strand.sendSystem(unsafe Envelope(closureHandler, action))
    gates[0].open()
    closed.wait()
    outbox.flush()
    // One lay in the mailbox. Of what was sent to the other strand the first has room there.
    #expect(refused.value == 3)
    #expect(accepted.value == 3)
    #expect(outbox.count == 2)
    gates[1].open()
  }

  @Test func `an exclusive strand goes on piece by piece while the workers are saturated`() throws {
    let pool = try TestPool(workers: 2)
    let isOver = Atomic<Bool>(false)
    let spinners = try (0..<4).map { try pool.strand("\($0)") }
    @Sendable func spin(_ strand: Strand) {
      if !isOver.load(ordering: .relaxed) { strand.post { strand in spin(strand) } }
    }
    for strand in spinners { strand.post { strand in spin(strand) } }
    let exclusive = try pool.strand("exclusive", exclusive: true)
    let answered = Event()
    let done = Event()
    let pieces = soak ? 1_000_000 : 100_000
    let shared = try pool.strand("shared")
    // Each piece is an activation's worth of its own work; now and then it asks a shared strand.
    @Sendable func piece(_ left: Int) {
      if left == 0 { return done.signal() }
      if left % 1_000 == 0 { shared.post { _ in answered.signal() } }
      exclusive.post { _ in piece(left - 1) }
    }
    exclusive.post { _ in piece(pieces) }
    done.wait()
    answered.wait(pieces / 1_000)
    isOver.store(true, ordering: .relaxed)
  }
}
