// LifePrograms: a service that is called, killed, and gone, after Runtime's ServiceRecord and PendingCall.

public import SkeinModelCheck
internal import Synchronization

/// Programs round one service: every call ends once, every handler of a killed service is cancelled, and who waits for
/// its end hears of it.
public enum LifeProgram: String, CaseIterable, Sendable {
  /// A call is on its way while the service is killed.
  case killCalled
  /// A handler runs, and ends, while the service is killed.
  case killRunning
  /// The caller gives up while the handler begins and ends.
  case giveUp
  /// Two kill it, and somebody waits for its end.
  case killTwice

  /// What may be planted.
  public enum Fault: String, CaseIterable, Sendable {
    /// Unread messages are refused before the mailbox is closed.
    case refusesBeforeClose
    /// A call that has ended meanwhile is given a handler, which nobody cancels.
    case attachesUnlooked
    /// Whether a call has ended is asked and set in two steps.
    case settlesInTwoSteps
    /// The service is gone while a handler runs.
    case goneWithHandlers
    /// Whoever waits for the end looks whether it has come, and then says that it waits.
    case waitsInTwoSteps
  }

  public func setUp(_ model: ModelRun) { setUp(model, fault: nil) }

  public func setUp(_ model: ModelRun, fault: Fault?) {
    let service = ModelService(fault: fault)
    let call = ModelCall(fault: fault)
    if self == .killRunning { service.send(call) }
    switch self {
    case .killCalled, .killRunning:
      if self == .killCalled { model.thread("caller") { service.send(call) } }
      model.thread("killer") { service.kill() }
      model.thread("work") { service.endHandler(of: call) }
    case .giveUp:
      model.thread("caller") { service.send(call) }
      model.thread("deadline") { call.abandon() }
      model.thread("work") { service.endHandler(of: call) }
    case .killTwice:
      service.send(call)
      for name in ["one", "other"] { model.thread(name) { service.kill() } }
      model.thread("waiter") {
        let gate = ModelGate()
        service.openWhenGone(gate)
        while !gate.isOpen { ModelRun.relax() }
      }
      model.thread("work") { service.endHandler(of: call) }
    }
    model.afterwards {
      if self == .giveUp { service.kill() }
      ModelRun.require(service.isGone, "the service is not gone")
      ModelRun.require(call.timesEnded == 1, "the call has ended \(call.timesEnded) times")
      ModelRun.require(
        call.wasAnswered || call.isHandlerCancelled, "a handler for which nobody waits was not cancelled")
    }
  }
}

/// A call as PendingCall is one, without a task that waits.
final class ModelCall: Sendable {
  struct State {
    var hasEnded = false
    var isAnswered = false
    var handler: ModelTask?
  }

  private let state = ModelLock(State())
  private let ends = Atomic<Int>(0)
  private let started = Atomic<Bool>(false)
  private let refused = Atomic<Bool>(false)
  let handler = ModelTask()
  private let fault: LifeProgram.Fault?

  init(fault: LifeProgram.Fault?) { self.fault = fault }

  var timesEnded: Int { ends.load(ordering: .relaxed) }
  var wasAnswered: Bool { state.withLock { $0.isAnswered } }
  var hasEnded: Bool { state.withLock { $0.hasEnded } }
  /// Whether there is no handler that should have been cancelled.
  var isHandlerCancelled: Bool { !hasStarted || handler.isCancelled }
  var hasStarted: Bool { started.load(ordering: .acquiring) }
  var isRefused: Bool { refused.load(ordering: .acquiring) }

  /// A handler for the call begins.
  func attach() {
    let isLate = state.withLock { state in
      if !state.hasEnded || fault == .attachesUnlooked { state.handler = handler }
      return state.hasEnded && fault != .attachesUnlooked
    }
    if isLate { handler.cancel() }
    started.store(true, ordering: .releasing)
  }

  func answer() { _ = settle(isAnswer: true) }
  func abandon() { settle(isAnswer: false)?.cancel() }
  /// It will never have a handler.
  func refuse() {
    abandon()
    refused.store(true, ordering: .releasing)
  }

  private func settle(isAnswer: Bool) -> ModelTask? {
    if fault == .settlesInTwoSteps, hasEnded { return nil }
    let (isFirst, handler) = state.withLock { state -> (Bool, ModelTask?) in
      if state.hasEnded && fault != .settlesInTwoSteps { return (false, nil) }
      state.hasEnded = true
      state.isAnswered = isAnswer
      defer { state.handler = nil }
      return (true, state.handler)
    }
    guard isFirst else { return nil }
    ends.add(1, ordering: .relaxed)
    return handler
  }
}

/// A handler's task: all that matters is whether it was cancelled.
final class ModelTask: Sendable {
  private let cancelled = Atomic<Bool>(false)
  func cancel() { cancelled.store(true, ordering: .relaxed) }
  var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
}

/// Opened once.
final class ModelGate: Sendable {
  private let opened = Atomic<Int>(0)
  var isOpen: Bool { opened.load(ordering: .acquiring) == 1 }
  func open() {
    ModelRun.require(opened.add(1, ordering: .acquiringAndReleasing).oldValue == 0, "a gate was opened twice")
  }
}

/// A service's record and strand.
final class ModelService: @unchecked Sendable {
  // @unchecked: the consumer and the fields of the turn are touched by whoever is awake for the mailbox; `turns` shows
  // whether that is ordered.
  enum Message: Sendable {
    case call(ModelCall)
    case exit
    case ended(ModelCall)
  }

  private enum Life { case running, exiting, gone }

  private struct ExitWaiters {
    var isGone = false
    var waiting: [ModelGate] = []
  }

  // MARK: Any thread
  private let mailbox: Mailbox<Message>
  private let refusesOutgoing = Atomic<Bool>(false)
  private let waits = ModelLock(ExitWaiters())
  /// What a killer has written before, for those who learn of the kill.
  private let cause = ModelCell("none")
  private let killers = Atomic<Int>(0)
  // MARK: The turn only
  private var consumer: MailboxConsumer<Message>
  private let turns = ModelCell(0)
  private var life = Life.running
  private var handlers: [ModelCall] = []
  private let fault: LifeProgram.Fault?

  init(fault: LifeProgram.Fault?) {
    consumer = MailboxConsumer(capacity: 8)
    mailbox = consumer.mailbox
    self.fault = fault
  }

  // MARK: Any thread

  func send(_ call: ModelCall) {
    switch mailbox.push(.call(call)) {
    case .delivered(let mustSchedule): if mustSchedule { run() }
    case .busy: ModelRun.require(false, "there is room")
    case .closed: call.refuse()
    }
  }

  func kill() {
    if killers.add(1, ordering: .relaxed).oldValue == 0 {
      cause.value = "killed"
      refusesOutgoing.store(true, ordering: .releasing)
    }
    sendSystem(.exit)
  }

  /// The handler's own end, on whatever thread it comes to it.
  func endHandler(of call: ModelCall) {
    while !call.hasStarted && !call.isRefused { ModelRun.relax() }
    if call.isRefused { return }
    if refusesOutgoing.load(ordering: .acquiring) {
      ModelRun.require(cause.value == "killed", "a handler knows of a kill, but not of what came before it")
    }
    call.answer()
    sendSystem(.ended(call))
  }

  func openWhenGone(_ gate: ModelGate) {
    if fault == .waitsInTwoSteps {
      if waits.withLock({ $0.isGone }) { return gate.open() }
      return waits.withLock { $0.waiting.append(gate) }
    }
    let isGone = waits.withLock { waits in
      if !waits.isGone { waits.waiting.append(gate) }
      return waits.isGone
    }
    if isGone { gate.open() }
  }

  private func sendSystem(_ message: Message) { if mailbox.pushSystem(message) { run() } }

  var isGone: Bool { waits.withLock { $0.isGone } }

  // MARK: The turn

  private func run() {
    while true {
      turns.value += 1
      if consumer.takeSignal() {
        var batch = consumer.takeSystem()
        while let message = batch.next() { perform(message) }
      }
      if let message = consumer.dequeue() { perform(message) }
      // Touched before the rest: afterwards it is somebody else's.
      turns.value += 1
      if consumer.rest() { return }
      ModelRun.relax()
    }
  }

  private func perform(_ message: Message) {
    switch message {
    case .call(let call):
      ModelRun.require(life == .running, "a closed service was given a call")
      handlers.append(call)
      call.attach()
    case .exit: beginExit()
    case .ended(let call):
      handlers.removeAll { $0 === call }
      goOnExiting()
    }
  }

  private func beginExit() {
    guard life == .running else { return }
    life = .exiting
    if fault == .refusesBeforeClose { refuseUnread() }
    consumer.close()
    if fault != .refusesBeforeClose { refuseUnread() }
    for call in handlers {
      call.abandon()
      call.handler.cancel()
    }
    goOnExiting()
  }

  private func refuseUnread() {
    while consumer.hasUnread {
      switch consumer.dequeue() {
      case .call(let call): call.refuse()
      case nil: ModelRun.relax()
      default: ModelRun.require(false, "only calls are in the mailbox")
      }
    }
  }

  private func goOnExiting() {
    guard life == .exiting, handlers.isEmpty || fault == .goneWithHandlers else { return }
    ModelRun.require(handlers.isEmpty, "the service is gone while a handler runs")
    life = .gone
    let waiting = waits.withLock { waits in
      waits.isGone = true
      defer { waits.waiting = [] }
      return waits.waiting
    }
    for gate in waiting { gate.open() }
  }
}
