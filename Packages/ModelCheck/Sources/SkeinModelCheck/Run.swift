// Run: one execution: its threads, the baton that one of them has, and what each has seen.
//
// Thread 0 is the one that sets up and looks afterwards; the others start with what it has seen.
// Whoever has the baton is the only one to touch any of this. It is handed on by a release store of `baton`, which the
// next one acquires.

internal import SkeinPlatform
internal import Synchronization

final class Run {
  /// The run that is executed now; set and read by whoever has the baton, and outside of runs.
  nonisolated(unsafe) static var current: Run?

  private static let maxSteps = 20_000
  private static let traceLength = 60
  /// More than any bounded wait has.
  private static let maxRoundsWithoutChange = 300

  private final class Member {
    let name: String
    var body: () -> Void
    var thread: PlatformThread?
    let waiter = FutexWaiter()
    var view = View()
    var hasEnded = false
    /// It touches nothing of the run any more.
    var isLeaving = false
    /// It waits for somebody else's step.
    var isRelaxing = false
    /// Loads see what is newest, after it has waited.
    var isRefreshed = false

    init(_ name: String, _ body: @escaping () -> Void) {
      self.name = name
      self.body = body
    }
  }

  private let baton = Atomic<Int>(0)
  private var members = [Member("set-up") {}]
  private var present = 0
  private var trace: [String] = []
  private(set) var steps = 0
  private(set) var failure: ModelFailure?
  /// Times that all threads were waiting, with no store since.
  private var roundsWithoutChange = 0
  private var locations = 0
  var chooser: Chooser
  var afterwards: [() -> Void] = []
  var endings: [() -> Void] = []
  /// Plain memory that the program tells of, by address; it is not given back before the run ends.
  var memory: [UInt: PlainAccess] = [:]
  private let mutation: ModelMutation?
  private(set) var sites: Set<ModelSite> = []

  init(_ chooser: Chooser, _ mutation: ModelMutation?) {
    self.chooser = chooser
    self.mutation = mutation
  }

  // MARK: From beginning to end

  func addThread(_ name: String, _ body: @escaping () -> Void) { members.append(Member(name, body)) }

  func execute(_ program: (ModelRun) -> Void) {
    unsafe Run.current = self
    program(ModelRun(self))
    view.advance(0)
    for member in members.dropFirst() { member.view = view }
    members[0].hasEnded = true
    for index in members.indices.dropFirst() { start(index) }
    if members.count > 1 && failure == nil { pass(to: next(canContinue: false)) }
    if failure == nil {
      for member in members.dropFirst() { members[0].view.join(member.view) }
      members[0].hasEnded = false
      for body in afterwards where failure == nil { body() }
    }
    afterwards = []
    unsafe Run.current = nil
    for member in members {
      let thread = member.thread.take()
      // What the threads hold is given back here, outside of any run: given back by a thread that ends late, it would
      // be a step of the next run. Those that a failure stopped sleep for ever and hold it.
      if member.isLeaving { thread?.join() }
      if failure == nil { member.body = {} }
    }
    for body in endings { body() }
  }

  /// Notes an access; returns what is wrong with it.
  func visit(_ site: ModelSite) -> ModelMutation.Kind? {
    if site.isOwn { return nil }
    sites.insert(site)
    return mutation?.site == site ? mutation?.kind : nil
  }

  private func start(_ index: Int) {
    let run = UnsafeRun(self)
    do {
      members[index].thread = try PlatformThread.start(name: members[index].name) { run.value.live(index) }
    } catch { preconditionFailure("no thread: \(error)") }
  }

  /// The life of a thread.
  private func live(_ index: Int) {
    awaitBaton(index)
    members[index].view.advance(index)
    members[index].body()
    members[index].hasEnded = true
    for member in members { member.isRelaxing = false }
    // Its last step: nothing of the run is touched after it.
    let following = members.allSatisfy(\.hasEnded) ? 0 : next(canContinue: false)
    members[index].isLeaving = true
    handOver(to: following)
  }

  // MARK: The baton

  private func awaitBaton(_ index: Int) {
    // Acquire: sees what the one before has done; pairs with the release in `handOver`.
    while baton.load(ordering: .acquiring) != index { members[index].waiter.wait(until: nil) }
    present = index
  }

  private func handOver(to index: Int) {
    let waiter = members[index].waiter
    // Release: pairs with the acquire in `awaitBaton`.
    baton.store(index, ordering: .releasing)
    waiter.wake()
  }

  private func pass(to index: Int) {
    let own = present
    if index == own { return }
    handOver(to: index)
    awaitBaton(own)
  }

  private func next(canContinue: Bool) -> Int {
    var options = members.indices.filter { !members[$0].hasEnded && !members[$0].isRelaxing && $0 != present }
    if canContinue { options.insert(present, at: 0) }
    if options.isEmpty {
      // All wait: each may go on by itself, since waits are bounded or somebody has to look again.
      roundsWithoutChange += 1
      if roundsWithoutChange > Self.maxRoundsWithoutChange { fail("all wait for ever") }
      for member in members { member.isRelaxing = false }
      options = members.indices.filter { !members[$0].hasEnded }
    }
    return chooser.thread(options, canContinue: canContinue, step: steps)
  }

  // MARK: Steps

  /// What the present thread has seen.
  var view: View {
    get { members[present].view }
    _modify { yield &members[present].view }
  }
  var thread: Int { present }
  var isRefreshed: Bool { members[present].isRefreshed }

  func newLocation() -> Int {
    locations += 1
    return locations
  }

  /// Before each access: another thread may come first.
  func step(_ what: @autoclosure () -> String) {
    steps += 1
    if steps > Self.maxSteps { fail("no end after \(steps) steps") }
    if !members[0].hasEnded { return }
    pass(to: next(canContinue: true))
    // A look of one who only waits says nothing new.
    if roundsWithoutChange > 1 { return }
    if trace.count == 2 * Self.traceLength { trace.removeFirst(Self.traceLength) }
    trace.append("\(members[present].name): \(what())")
  }

  /// A store was made: whoever waits may look again.
  func changed() {
    roundsWithoutChange = 0
    for (index, member) in members.enumerated() where index != present { member.isRelaxing = false }
    members[present].isRefreshed = false
  }

  func relax() {
    if !members[0].hasEnded { return }
    steps += 1
    if steps > Self.maxSteps { fail("no end after \(steps) steps") }
    members[present].isRelaxing = true
    members[present].isRefreshed = true
    chooser.relaxed(present)
    pass(to: next(canContinue: false))
    members[present].isRelaxing = false
  }

  /// Ends the run; the calling thread, unless it is the first, stops here for ever.
  func fail(_ text: String) {
    if failure == nil {
      failure = ModelFailure(text: text, decisions: chooser.taken, trace: trace.suffix(Self.traceLength))
    }
    if present == 0 { return }
    let waiter = members[present].waiter
    handOver(to: 0)
    while true { waiter.wait(until: nil) }
  }
}

/// Carries the run into its threads, which touch it one at a time.
private struct UnsafeRun: @unchecked Sendable {
  let value: Run
  init(_ value: Run) { self.value = value }
}
