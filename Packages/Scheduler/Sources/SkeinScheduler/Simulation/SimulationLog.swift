// SimulationLog: what a simulation has done: a hash over all of it, and the last steps in words.

internal import SkeinPlatform

/// The steps of a simulation.
struct SimulationLog {
  enum Kind: UInt8 {
    case strand, timers, jump, stall, note
  }

  private struct Step {
    let number: Int
    let kind: Kind
    let text: String
    let amount: Int
    let time: MonotonicInstant
  }

  /// Greatest number of steps that are kept in words.
  static let capacity = 64

  /// FNV-1a, 64 bits.
  private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  private(set) var count = 0
  private var steps: [Step] = []

  mutating func add(_ kind: Kind, _ text: String, _ amount: Int, _ time: MonotonicInstant) {
    mix(UInt64(kind.rawValue))
    for byte in text.utf8 { mix(byte) }
    mix(UInt64(truncatingIfNeeded: amount))
    mix(UInt64(truncatingIfNeeded: time.nanoseconds))
    count += 1
    let step = Step(number: count, kind: kind, text: text, amount: amount, time: time)
    if steps.count < Self.capacity { steps.append(step) } else { steps[(count - 1) % Self.capacity] = step }
  }

  private mutating func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

  private mutating func mix(_ word: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  /// The last steps, oldest first.
  var lines: [String] {
    steps.sorted { $0.number < $1.number }.map { step in
      let time = SimulatedScheduler.start.duration(to: step.time)
      let what =
        switch step.kind {
        case .strand: "\(step.text), up to \(step.amount)"
        case .timers: "\(step.amount) timers fire"
        case .jump: "nothing is in line: the clock goes on to the next deadline"
        case .stall: "a stall"
        case .note: step.text
        }
      return "\(step.number)  \(time)  \(what)"
    }
  }
}

/// Why a simulation did not come to its end.
public struct SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The ways in which a simulation fails by itself, whatever its body checks.
  public enum Reason: Hashable, Sendable {
    /// Nothing is left to do, but the body has not ended: it waits for something outside of the simulation, or for ever.
    case stalled
    /// The limit of steps was reached.
    case tooLong
  }

  /// What went wrong.
  public let reason: Reason
  /// Which order it was.
  public let seed: UInt64
  /// The last steps, oldest first.
  public let lastSteps: [String]

  init(_ reason: Reason, _ simulation: SimulatedScheduler, _ log: SimulationLog) {
    self.reason = reason
    seed = simulation.seed
    lastSteps = log.lines
  }

  /// What went wrong, in which order, and the last steps.
  public var description: String {
    let what =
      switch reason {
      case .stalled:
        "nothing is left to do, but the body waits: for something outside of the simulation (Task.sleep, a detached task, "
          + "another thread), or for ever"
      case .tooLong: "the limit of steps was reached"
      }
    return "\(what) (SKEIN_SEED=\(seed))\n" + lastSteps.joined(separator: "\n")
  }
}

/// Numbers by chance, the same for the same seed on every machine: Steele, Lea and Flood's generator (2014).
struct SeededChance {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number from 0 to `limit` - 1.
  mutating func next(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
  }
}

/// What the body of a simulation has come to.
final class SimulatedOutcome<Value: Sendable>: Sendable {
  // MARK: Under lock
  private let result = Lock<Result<Value, any Error>?>(nil)

  func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }
  var isSet: Bool { result.withLock { $0 != nil } }
  func get() throws -> Value {
    guard let result = result.withLock({ $0 }) else { preconditionFailure("the body has not ended") }
    return try result.get()
  }
}
