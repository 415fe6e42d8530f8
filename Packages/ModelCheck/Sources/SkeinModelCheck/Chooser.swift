// Chooser: decides who goes on and which value a load gives, by the strategy, and remembers what it decided.

/// The decisions of a run, and of the runs before as far as the next one depends on them.
struct Chooser {
  private struct Decision {
    var chosen: Int
    let options: Int
    /// Whether anything but the first option is a deviation.
    let isDeviation: Bool
  }

  private let strategy: ModelStrategy
  private var decisions: [Decision] = []
  private var position = 0
  private var random: SplitMix64
  private var runsLeft: Int
  // MARK: Priorities
  private var priorities: [Int] = []
  private var lowest = 0
  private var changeSteps: Set<Int> = []
  private var expectedSteps = 50

  init(_ strategy: ModelStrategy) {
    self.strategy = strategy
    switch strategy {
    case .exhaustive, .replay:
      random = SplitMix64(state: 0)
      runsLeft = 1
    case .random(let seed, let runs), .priorities(let seed, let runs, _):
      random = SplitMix64(state: seed)
      runsLeft = runs
    }
    beginRun()
  }

  /// What was decided in the present run.
  var taken: [Int] { decisions[..<position].map(\.chosen) }

  // MARK: Deciding

  /// Which of `options` runs next; the first one is the present thread if `canContinue`.
  mutating func thread(_ options: [Int], canContinue: Bool, step: Int) -> Int {
    if options.count == 1 { return options[0] }
    if case .priorities = strategy {
      if changeSteps.contains(step) { lower(options[0]) }
      return options[
        decide(options.count, isDeviation: canContinue) { chooser in
          chooser.index(ofHighest: options)
        }]
    }
    return options[
      decide(options.count, isDeviation: canContinue) { chooser in
        chooser.chance(options.count, isDeviation: canContinue)
      }]
  }

  /// How many stores before the newest one a load sees, below `count`.
  mutating func age(_ count: Int) -> Int {
    count == 1 ? 0 : decide(count, isDeviation: true) { chooser in chooser.chance(count, isDeviation: true) }
  }

  /// The thread waits: others come first.
  mutating func relaxed(_ thread: Int) { if case .priorities = strategy { lower(thread) } }

  private mutating func decide(_ options: Int, isDeviation: Bool, _ fresh: (inout Chooser) -> Int) -> Int {
    if position < decisions.count {
      precondition(decisions[position].options > 0, "a decision has options")
      position += 1
      return min(decisions[position - 1].chosen, options - 1)
    }
    let chosen =
      switch strategy {
      case .exhaustive, .replay: 0
      case .random, .priorities: fresh(&self)
      }
    decisions.append(Decision(chosen: chosen, options: options, isDeviation: isDeviation))
    position += 1
    return chosen
  }

  private mutating func chance(_ options: Int, isDeviation: Bool) -> Int {
    if isDeviation && random.next() % 3 != 0 { return 0 }
    return Int(random.next() % UInt64(options))
  }

  private mutating func index(ofHighest options: [Int]) -> Int {
    for thread in options {
      while priorities.count <= thread { priorities.append(Int(random.next() >> 2) | 1) }
    }
    return options.indices.max { priorities[options[$0]] < priorities[options[$1]] } ?? 0
  }

  private mutating func lower(_ thread: Int) {
    guard thread < priorities.count else { return }
    lowest -= 1
    priorities[thread] = lowest
  }

  // MARK: From run to run

  /// Prepares the next run.
  ///
  /// - Returns: `false` when there is none.
  mutating func prepareNextRun(steps: Int) -> Bool {
    switch strategy {
    case .replay: return false
    case .exhaustive(let budget):
      while var last = decisions.popLast() {
        last.chosen += 1
        let spent = decisions.count { $0.isDeviation && $0.chosen > 0 }
        if last.chosen < last.options && (!last.isDeviation || spent < budget) {
          decisions.append(last)
          beginRun()
          return true
        }
      }
      return false
    case .random, .priorities:
      runsLeft -= 1
      decisions = []
      expectedSteps = max(expectedSteps, steps)
      beginRun()
      return runsLeft > 0
    }
  }

  private mutating func beginRun() {
    position = 0
    switch strategy {
    case .replay(let chosen):
      decisions = chosen.map { Decision(chosen: $0, options: .max, isDeviation: false) }
    case .priorities(_, _, let changes):
      priorities = []
      lowest = 0
      changeSteps = Set((0..<changes).map { _ in Int(random.next() % UInt64(expectedSteps)) })
    case .exhaustive, .random: break
    }
  }
}

/// Steele, Lea and Flood's generator (2014): the same numbers everywhere for one seed.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
