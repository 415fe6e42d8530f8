// ParkPrograms: workers that sleep and are woken, after WorkerPool's loop.

public import SkeinModelCheck
internal import Synchronization

/// Programs round two workers of a pool: no strand waits while a worker sleeps.
public enum ParkProgram: String, CaseIterable, Sendable {
  /// Two strands come from a thread that is no worker, while the workers go to sleep.
  case post
  /// The first strand ends only when the second has run: the other worker must be woken for it.
  case long
  /// The same, and one worker wakes by itself, as for a timer.
  case timer
  /// A strand puts another one into its worker's queue, and ends only when that has run elsewhere.
  case backlog
  /// Two threads that are no workers have one strand each.
  case posters
  /// A strand ends only when another worker has looked after it; a second one comes and goes meanwhile.
  case watch
  /// Two such strands and a short one among three workers.
  case watchOfTwo

  /// What may be planted into the loop.
  public enum Fault: String, CaseIterable, Sendable {
    /// A worker does not look for work between saying that it sleeps and sleeping.
    case sleepsWithoutLook
    /// Who has a strand looks for sleepers before the strand is in line.
    case looksBeforeEnqueue
    /// A woken worker that has found something does not look whether there is more.
    case keepsSearching
    /// A worker that has become busy does not see to it that one watches.
    case leavesUnwatched
    /// A worker that goes to sleep does not take the watch.
    case sleepsUnwatching
  }

  public func setUp(_ model: ModelRun) { setUp(model, fault: nil) }

  public func setUp(_ model: ModelRun, fault: Fault?) {
    if self == .watch || self == .watchOfTwo { return setUpWatch(model, fault: fault) }
    let pool = ModelPool(workers: 2, fault: fault)
    var strands: [Strand] = []
    let second = Strand(1) { _ in pool.ran.add(1, ordering: .releasing) }
    switch self {
    case .post, .posters: strands.append(Strand(0) { _ in pool.ran.add(1, ordering: .releasing) })
    case .watch, .watchOfTwo: break
    case .long, .timer: strands.append(Strand(0) { _ in pool.awaitRun(1) })
    case .backlog:
      strands.append(
        Strand(0) { worker in
          pool.enqueue(second, on: worker)
          pool.awaitRun(1)
        })
    }
    let first = strands[0]
    if self == .timer { pool.wakesByItself = 0 }
    if self == .backlog {
      // In line for the first worker alone; the second one has to find what comes of it.
      ModelRun.require(pool.queues[0].push(first) == nil, "there is room")
    } else if self == .posters {
      model.thread("other poster") { pool.post(second) }
    }
    let total = self == .post || self == .posters ? 2 : 1
    for worker in 0..<2 { model.thread("worker \(worker)") { pool.loop(worker) } }
    model.thread("poster") {
      if self != .backlog { pool.post(first) }
      if self == .post || self == .long || self == .timer { pool.post(second) }
      pool.awaitRun(total)
      pool.stop()
    }
    model.afterwards {
      ModelRun.require(first.hasRun && second.hasRun, "a strand is lost")
    }
  }

  private func setUpWatch(_ model: ModelRun, fault: Fault?) {
    let workers = self == .watch ? 2 : 3
    let pool = ModelPool(workers: workers, fault: fault, isWatched: true)
    let short = Strand(0) { _ in pool.ran.add(1, ordering: .releasing) }
    let long = (1..<workers).map { number in
      Strand(number) { worker in
        pool.awaitRescue(worker)
        pool.ran.add(1, ordering: .releasing)
      }
    }
    for worker in 0..<workers { model.thread("worker \(worker)") { pool.loop(worker) } }
    model.thread("poster") {
      pool.post(short)
      for strand in long { pool.post(strand) }
      pool.awaitRun(workers)
      pool.stop()
    }
    model.afterwards {
      ModelRun.require(short.hasRun && long.allSatisfy(\.hasRun), "a strand is lost")
    }
  }
}

/// A waker takes somebody out of the set while a second worker enters it: nobody is lost.
public func setOfSleepers(_ model: ModelRun) {
  let program = SetProgram()
  _ = program.sleepers.enter(0)
  model.thread("waker") { program.taken.value = program.sleepers.next() }
  model.thread("sleeper") { _ = program.sleepers.enter(1) }
  model.afterwards {
    ModelRun.require(program.taken.value != nil, "nobody was woken")
    ModelRun.require(program.sleepers.any == 1 - program.taken.value!, "a sleeper is lost")
  }
}

/// A waker takes somebody out of the set while one of two leaves it: the other one stays, or is woken.
public func setThatIsLeft(_ model: ModelRun) {
  let program = SetProgram()
  for worker in 0..<2 { _ = program.sleepers.enter(worker) }
  model.thread("waker") { program.taken.value = program.sleepers.next() }
  model.thread("leaver") { program.sleepers.leave(0) }
  model.afterwards {
    ModelRun.require(program.taken.value != nil, "nobody was woken")
    ModelRun.require(program.sleepers.any == (program.taken.value == 1 ? nil : 1), "the set is wrong")
  }
}

/// One searches, another asks to, and a third has a strand for the last sleeper: one of them takes it out.
public func setThatIsSearched(_ model: ModelRun) {
  let program = SetProgram()
  for worker in 0..<2 { _ = program.sleepers.enter(worker) }
  // The first one was woken, and searches.
  ModelRun.require(program.sleepers.next() == 0, "the first one sleeps")
  let taken = (0..<3).map { _ in ModelCell<Int?>(nil) }
  model.thread("waker") { taken[0].value = program.sleepers.next() }
  model.thread("searcher") {
    program.sleepers.foundWork()
    taken[1].value = program.sleepers.next()
  }
  model.thread("idler") {
    guard program.sleepers.trySearch() else { return }
    program.sleepers.foundWork()
    taken[2].value = program.sleepers.next()
  }
  model.afterwards {
    ModelRun.require(taken.count { $0.value == 1 } == 1, "the last sleeper was not woken")
  }
}

/// One worker goes to sleep while the others become busy: it is asked to look after them, or does by itself.
public enum WatchProgram: String, CaseIterable, Sendable {
  /// The watcher becomes busy.
  case watcherIsBusy
  /// The watcher goes back to sleep, and sees all asleep.
  case watcherSleeps
  /// Two become busy, one of them the watcher.
  case twoAreBusy

  public func setUp(_ model: ModelRun) {
    let workers = self == .twoAreBusy ? 3 : 2
    let named = self == .watcherSleeps ? 1 : self == .watcherIsBusy ? 0 : 2
    let state = WatchState(workers: workers)
    state.begin(named: named)
    for worker in [0, 2] where worker < workers { model.thread("busy \(worker)") { state.becomeBusy(worker) } }
    model.thread("sleeper") { state.sleep(1) }
    model.afterwards { state.check() }
  }
}

private final class WatchState: Sendable {
  let workers: Int
  let sleepers = SleeperSet()
  let word = WatchWord()
  let isAsked = Atomic<Bool>(false)
  let watches = ModelCell(false)

  init(workers: Int) { self.workers = workers }

  /// All but worker 1 sleep, which is on its way.
  func begin(named: Int) {
    for worker in 0..<workers { _ = sleepers.enter(worker) }
    ModelRun.require(word.watch(named, wanted: true, in: sleepers, of: workers), "nobody else watches")
    sleepers.leave(1)
  }

  func becomeBusy(_ worker: Int) {
    sleepers.leave(worker)
    _ = word.ensure(for: worker, in: sleepers) { sleeper in
      if sleeper == 1 { isAsked.store(true, ordering: .relaxed) }
    }
  }

  func sleep(_ worker: Int) {
    let asleep = sleepers.enter(worker)
    watches.value = word.watch(worker, wanted: asleep < workers, in: sleepers, of: workers)
  }

  func check() {
    ModelRun.require(watches.value || isAsked.load(ordering: .relaxed), "the sleeper has no look due")
    ModelRun.require(!word.isVacant(in: sleepers), "nobody watches")
  }
}

private final class SetProgram: Sendable {
  let sleepers = SleeperSet()
  let taken = ModelCell<Int?>(nil)
}

/// A pool's loop as WorkerPool has it, without timers and bound strands.
final class ModelPool: @unchecked Sendable {
  // @unchecked: what is not atomic is set before the threads begin.
  let queues: [RunQueue]
  let ran = Atomic<Int>(0)
  var wakesByItself: Int?
  private let sleepers = SleeperSet()
  private let watcher = WatchWord()
  private let isWatched: Bool
  /// A bit for each worker whose strand does not end until the worker's bit in `rescued` is set.
  private let stuck = Atomic<Int>(0)
  private let rescued = Atomic<Int>(0)
  private let injection = InjectionQueue()
  private let waiters: [ModelWaiter]
  private let stopping = Atomic<Bool>(false)
  private let fault: ParkProgram.Fault?

  init(workers: Int, fault: ParkProgram.Fault?, isWatched: Bool = false) {
    self.isWatched = isWatched
    queues = (0..<workers).map { _ in RunQueue() }
    waiters = (0..<workers).map { _ in ModelWaiter() }
    self.fault = fault
  }

  func awaitRun(_ count: Int) { while ran.load(ordering: .acquiring) < count { ModelRun.relax() } }

  /// A strand that ends only when a watcher has seen it.
  func awaitRescue(_ worker: Int) {
    stuck.bitwiseOr(1 << worker, ordering: .releasing)
    while rescued.load(ordering: .acquiring) & (1 << worker) == 0 { ModelRun.relax() }
  }

  private func rescue() {
    let found = stuck.load(ordering: .acquiring)
    if found & ~rescued.load(ordering: .acquiring) != 0 { rescued.bitwiseOr(found, ordering: .releasing) }
  }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    for waiter in waiters { waiter.wake() }
  }

  /// A thread that is no worker puts a strand in line.
  func post(_ strand: Strand) {
    if fault == .looksBeforeEnqueue {
      wakeOne()
      injection.push(strand)
    } else {
      injection.push(strand)
      wakeOne()
    }
  }

  /// A worker puts a strand in line, and asks for help.
  func enqueue(_ strand: Strand, on worker: Int) {
    ModelRun.require(queues[worker].push(strand) == nil, "there is room")
    wakeOne()
  }

  private func wakeOne() { if let sleeper = sleepers.next() { waiters[sleeper].wake() } }

  func loop(_ worker: Int) {
    var wasIdle = true
    while !stopping.load(ordering: .acquiring) {
      if let strand = next(worker) {
        if wasIdle {
          wasIdle = false
          sleepers.foundWork()
          if isWatched, fault != .leavesUnwatched {
            _ = watcher.ensure(for: worker, in: sleepers) { sleeper in waiters[sleeper].wakeAtDeadline() }
          }
          if fault != .keepsSearching, hasWork() { wakeOne() }
        }
        strand.run(on: worker)
      } else {
        let finds = !wasIdle && search()
        wasIdle = true
        if !finds { sleep(worker) }
      }
    }
  }

  /// The one that searches has the baton when it finds something, and ends its search by `foundWork` or `enter`.
  private func search() -> Bool { sleepers.trySearch() && hasWork() }

  private func next(_ worker: Int) -> Strand? {
    if let strand = queues[worker].pop() ?? injection.drain(into: queues[worker], share: queues.count) { return strand }
    for victim in queues.indices where victim != worker {
      if let strand = queues[victim].moveHalf(to: queues[worker]) { return strand }
    }
    return nil
  }

  private func sleep(_ worker: Int) {
    let asleep = sleepers.enter(worker)
    defer { sleepers.leave(worker) }
    if stopping.load(ordering: .sequentiallyConsistent) { return }
    if fault != .sleepsWithoutLook, hasWork() {
      // The work may be another's already, who has not yet said so.
      ModelRun.relax()
      return
    }
    if wakesByItself == worker {
      wakesByItself = nil
      return
    }
    let watches =
      isWatched && fault != .sleepsUnwatching
      && watcher.watch(worker, wanted: asleep < queues.count, in: sleepers, of: queues.count)
    waiters[worker].wait(hasDeadline: watches)
    if watches { rescue() }
  }

  private func hasWork() -> Bool { !injection.isEmpty || queues.contains { $0.count > 0 } }
}

/// A place to wait in: a wake before the wait ends it, too.
final class ModelWaiter: Sendable {
  private let isWoken = Atomic<Bool>(false)
  private let hasDeadline = Atomic<Bool>(false)

  func wake() { isWoken.store(true, ordering: .releasing) }
  /// The current or next wait ends without a wake.
  func wakeAtDeadline() { hasDeadline.store(true, ordering: .releasing) }

  func wait(hasDeadline ends: Bool) {
    // An exchange would be a change, for which others would look again.
    while !isWoken.compareExchange(expected: true, desired: false, ordering: .acquiring).exchanged {
      ModelRun.relax()
      if ends { return }
      if hasDeadline.compareExchange(expected: true, desired: false, ordering: .acquiring).exchanged { return }
    }
  }
}
