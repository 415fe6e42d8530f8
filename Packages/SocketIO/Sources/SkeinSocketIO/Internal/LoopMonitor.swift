// LoopMonitor: the loop as a monitor that any thread may enter, one at a time.
//
// Owns:       the poller, the slots, the deadlines, the commands that were left.
// Shared by:  any number of threads.
// How a thread gets something done to a connection, in this order:
//   1. It holds the gate already (it runs a handler): it acts.
//   2. The gate is open and the thread may act: it enters, acts, and leaves.
//   3. Otherwise it puts the wish into the connection's inbox, the connection into `posted` (at most once), and marks
//      the gate (LoopGate, numbered argument): the holder empties `posted` before the gate opens. So nothing waits for
//      the next event, and no write wakes a parked owner.
//   May a thread act? On epoll always. On io_uring a request ends with its thread, so only the owner and threads that
//   outlive their loops; another thread marks, and wakes the owner if nobody holds the gate.
// Order: a thread's wishes for one connection take effect in the order it made them. 2 after 3 cannot overtake: whoever
// enters takes the mark first and empties `posted`, and the gate does not open over a mark.
// Handlers run with the gate held. What a handler's own call causes (`closed`, `writabilityChanged`) is told after that
// handler has returned: `notices`, emptied whenever no handler is on the stack, and before the gate opens.
// A parked owner is not woken for a new deadline either: it is set as the poller's alarm (ParkingTimes).

internal import Glibc
internal import SkeinPlatform
internal import SkeinTimer
internal import Synchronization

/// Something that has wishes waiting in an inbox of its own.
protocol Posted: AnyObject, Sendable {
  /// Carries the wishes out; the gate is held.
  func absorb()
}

@safe final class LoopMonitor {
  // MARK: Any thread
  let poller: any Poller
  let limits: SocketLimits
  let counters = LoopCounters()
  let occupied = Atomic<Int>(0)
  private let gate = LoopGate()
  private let posted = Lock<[any Posted]>([])
  private let times = Lock(ParkingTimes())
  private let ownerState = Atomic<UInt32>(OwnerState.awake)
  private let owner = Atomic<UInt>(0)
  private let isOver = Atomic<Bool>(false)
  private let wantsShutDown = Atomic<Bool>(false)
  private let start = MonotonicInstant.now

  // MARK: Under the gate
  var slots: [LoopSlot] = []
  var freeSlots: [UInt32] = []
  var pool = ChunkPool()
  private var wheel: TimerWheel<UInt64>
  private var notices: [Notice] = []
  private var handlersOnStack = 0
  private var publishedDeadline = Int64.max
  /// What the holder's thread had in its slot before.
  private var outerLoop: UnsafeMutableRawPointer?

  init(poller: any Poller, limits: SocketLimits) {
    self.poller = poller
    self.limits = limits
    // One deadline a slot at most, and room for the listeners.
    wheel = TimerWheel(capacity: min(limits.maxConnections + LoopSlot.maxListeners, 1 << 23))
  }

  // MARK: Entering

  /// Whether the calling thread holds the gate.
  var isInside: Bool { unsafe ThreadSlot.loop.value == Unmanaged.passUnretained(self).toOpaque() }

  private var mayAct: Bool {
    if !poller.isThreadBound || PlatformThread.currentOutlivesLoops { return true }
    // Relaxed: a thread finds its own number here only if it wrote it itself.
    return owner.load(ordering: .relaxed) == UInt(pthread_self())
  }

  /// Takes the gate for the calling thread if that is possible at once. Follow it with `leave`.
  func tryEnter() -> Bool {
    guard mayAct && gate.tryEnter() else { return false }
    entered()
    return true
  }

  private func entered() {
    unsafe outerLoop = ThreadSlot.loop.value
    unsafe ThreadSlot.loop.value = Unmanaged.passUnretained(self).toOpaque()
    absorbPosted()
  }

  /// Settles everything and opens the gate.
  func leave() {
    let outer = unsafe outerLoop
    repeat {
      absorbPosted()
      settle()
      poller.flush()
      publishDeadline()
    } while !gate.tryLeave()
    unsafe ThreadSlot.loop.value = outer
  }

  /// Has `object`'s inbox emptied, by this thread or by whoever holds the gate.
  func post(_ object: any Posted) {
    posted.withLock { $0.append(object) }
    if mayAct {
      guard gate.enterOrMark() else { return }
      entered()
      // The list is emptied, whether another thread has marked it or not.
      drain()
      leave()
    } else if !gate.mark() {
      wake()
    }
  }

  private func absorbPosted() {
    while gate.takeMark() { drain() }
  }

  private func drain() {
    // Relaxed: the flag was set before the mark that brought us here, which acquires.
    if wantsShutDown.load(ordering: .relaxed) { shutDownInside() }
    let objects = posted.withLock { list in
      let taken = list
      list.removeAll(keepingCapacity: true)
      return taken
    }
    for object in objects {
      counters.commands.add()
      object.absorb()
    }
  }

  // MARK: Waiting

  func wait(until deadline: MonotonicInstant?) {
    let me = UInt(pthread_self())
    // Relaxed: see `mayAct`.
    if owner.load(ordering: .relaxed) != me { owner.store(me, ordering: .relaxed) }
    // Acquire on success and failure: sees what the waker published; pairs with the exchange in `wake`.
    let (parks, _) = ownerState.compareExchange(
      expected: OwnerState.awake, desired: OwnerState.parked, ordering: .acquiringAndReleasing)
    let found: Bool
    if parks {
      let until = times.withLock { $0.park(until: deadline) }
      found = poller.waitInKernel(until: until)
      times.withLock { $0.unpark() }
    } else {
      found = poller.waitInKernel(until: MonotonicInstant(nanoseconds: 0))
    }
    // Acquire: sees what the waker published; pairs with the exchange in `wake`.
    _ = ownerState.exchange(OwnerState.awake, ordering: .acquiringAndReleasing)
    gate.enter()
    entered()
    turn(afterWait: true, found: found)
    leave()
  }

  func look() -> Bool {
    guard !isInside && tryEnter() else { return false }
    let handled = turn(afterWait: false, found: true)
    leave()
    return handled
  }

  func wake() {
    // Release: publishes what the waker wrote; pairs with the acquires in `wait`.
    if ownerState.exchange(OwnerState.woken, ordering: .acquiringAndReleasing) == OwnerState.parked { poller.signal() }
  }

  func wake(at deadline: MonotonicInstant) {
    times.withLock { times in
      if times.request(deadline) { poller.setAlarm(at: deadline) }
    }
  }

  @discardableResult
  private func turn(afterWait: Bool, found: Bool) -> Bool {
    var handled = false
    if found {
      handled = unsafe poller.collect(afterWait: afterWait) { token, event in
        unsafe handle(token, event)
        settle()
      }
    }
    if expireDeadlines() { handled = true }
    if handled { counters.turns.add() }
    return handled
  }

  private func handle(_ token: SlotToken, _ event: PollerEvent) {
    let index = Int(token.index)
    guard index < slots.count && slots[index].generation == token.generation else { return }
    switch slots[index].occupant {
    case .connection(let core): unsafe core.handle(event)
    case .listener(let core): unsafe core.handle(event)
    case .leaving: if case .released = unsafe event { free(token) }
    case .nobody: break
    }
  }

  // MARK: Telling handlers

  /// Calls a handler now.
  func tell(_ body: () -> Void) {
    handlersOnStack += 1
    body()
    handlersOnStack -= 1
  }

  /// Calls a handler when no other is on the stack.
  func tellLater(_ notice: Notice) { notices.append(notice) }

  private func settle() {
    guard handlersOnStack == 0 && !notices.isEmpty else { return }
    var position = 0
    while position < notices.count {
      let notice = notices[position]
      position += 1
      tell { notice.deliver() }
    }
    notices.removeAll(keepingCapacity: true)
  }

  // MARK: Deadlines

  /// Arms the slot's deadline; `kind` comes back with it.
  func arm(_ token: SlotToken, kind: DeadlineKind, at deadline: MonotonicInstant) -> TimerHandle {
    let payload = token.packed | UInt64(kind.rawValue) << 56
    // The wheel has a place for every slot, and a slot cancels before it arms again.
    return (try? wheel.arm(at: tick(notBefore: deadline), payload: payload)) ?? .none
  }

  func cancel(_ handle: TimerHandle) { _ = wheel.cancel(handle) }

  private func tick(notBefore instant: MonotonicInstant) -> Tick {
    Tick(UInt64(max(instant.nanoseconds - start.nanoseconds, 0) + 999_999) / 1_000_000)
  }

  private func expireDeadlines() -> Bool {
    guard wheel.count > 0 else { return false }
    var anything = false
    let now = Tick(UInt64(MonotonicInstant.now.nanoseconds - start.nanoseconds) / 1_000_000)
    while let payload = wheel.popExpired(upTo: now) {
      anything = true
      let token = SlotToken(packed: payload)
      guard let kind = DeadlineKind(rawValue: UInt8(payload >> 56)) else { continue }
      guard slots[Int(token.index)].generation == token.generation else { continue }
      switch slots[Int(token.index)].occupant {
      case .connection(let core): core.deadlinePassed(kind)
      case .listener(let core): core.retry()
      case .leaving, .nobody: break
      }
      settle()
    }
    return anything
  }

  /// Makes the next deadline known to the owner, who may be parked.
  private func publishDeadline() {
    var deadline = Int64.max
    if wheel.count > 0, let tick = wheel.nextExpiry() {
      deadline = start.nanoseconds + Int64(tick.rawValue) * 1_000_000
    }
    guard deadline != publishedDeadline else { return }
    publishedDeadline = deadline
    times.withLock { times in
      if times.publish(deadline) { poller.setAlarm(at: MonotonicInstant(nanoseconds: deadline)) }
    }
  }

  // MARK: The end

  // Acquire: sees the end; pairs with the store in `shutDownInside`.
  var isShutDown: Bool { isOver.load(ordering: .acquiring) }

  func shutDown() {
    if isInside {
      shutDownInside()
    } else {
      // Relaxed: the mark below publishes it.
      wantsShutDown.store(true, ordering: .relaxed)
      // Any thread may end a loop, whatever the backend.
      if gate.enterOrMark() {
        entered()
        shutDownInside()
        leave()
      }
    }
    wake()
  }

  private func shutDownInside() {
    // Acquire: see `isShutDown`.
    if isOver.load(ordering: .acquiring) { return }
    // Release: publishes the end; pairs with the loads in `isShutDown`.
    isOver.store(true, ordering: .releasing)
    for index in slots.indices {
      switch slots[index].occupant {
      case .connection(let core): core.apply(.loopShutDown)
      case .listener(let core): core.end()
      case .leaving, .nobody: break
      }
    }
    poller.shutDown()
  }
}

// @unchecked: the parts under the gate are touched by its holder only; the rest is atomic or locked.
extension LoopMonitor: @unchecked Sendable {}
