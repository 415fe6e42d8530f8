// StrandStatistics: what a strand has cost, by sampling.
//
// A worker knows the time at the end of each activation. Long activations are accounted for one by one; of the short ones
// each sixteenth, sixteenfold. So the figures are right on average, and a short activation pays for a comparison.

internal import SkeinPlatform
internal import Synchronization

/// What a strand has done since it was made.
public struct StrandStatistics: Hashable, Sendable {
  /// Time on a thread, waits of its handlers included. Handlers that ran in place count for the strand that called them.
  public var busy: Duration
  /// Turns on a worker; an estimate where they are short.
  public var activations: Int
  /// The longest time from being put in line to running, among those looked at: each of 20 µs and more.
  public var longestDelay: Duration
}

/// The counts behind ``StrandStatistics``, in 16 bytes.
///
/// - Thread safety: any thread.
struct StrandFigures: ~Copyable {
  // MARK: Any thread
  private let busyNanoseconds = Atomic<Int64>(0)
  private let activations = Atomic<UInt32>(0)
  private let longestDelay = Atomic<UInt32>(0)

  /// Of the short activations each so many-th is accounted for.
  static let sampleInterval = 16
  /// From this length on, each activation is.
  static let longNanoseconds: Int64 = 20_000
  /// Powers of two nanoseconds in a unit of delay: about a microsecond.
  static let delayShift = 10

  func add(nanoseconds: Int64, activations count: Int) {
    // Relaxed, both: figures for people.
    busyNanoseconds.add(nanoseconds, ordering: .relaxed)
    activations.wrappingAdd(UInt32(truncatingIfNeeded: count), ordering: .relaxed)  // Relaxed: as above.
  }

  /// Notes a delay; the strand's turn only.
  func note(delay: UInt32) {
    // Relaxed, both: only the thread whose turn it is writes.
    if delay > longestDelay.load(ordering: .relaxed) { longestDelay.store(delay, ordering: .relaxed) }
  }

  var statistics: StrandStatistics {
    // Relaxed, all: figures for people.
    let busy = Duration.nanoseconds(busyNanoseconds.load(ordering: .relaxed))
    let count = Int(activations.load(ordering: .relaxed))  // Relaxed: as above.
    let delay = Int64(longestDelay.load(ordering: .relaxed)) << Int64(StrandFigures.delayShift)  // Relaxed: as above.
    return StrandStatistics(busy: busy, activations: count, longestDelay: .nanoseconds(delay))
  }
}

extension Strand {
  /// What it has cost so far.
  ///
  /// - Thread safety: any thread.
  public var statistics: StrandStatistics { figures.statistics }

  /// Notes when it was put in line; by who does so.
  func isQueued(at nanoseconds: Int64) {
    unsafe queuedAt = UInt32(truncatingIfNeeded: nanoseconds >> Int64(StrandFigures.delayShift))
  }
}

extension Worker {
  /// Notes the beginning of an activation. Worker's thread only.
  @inline(__always)
  func beginsActivation(of strand: Strand, at instant: Int64) {
    activation.begin(strand, at: instant)
    guard index >= 0 else { return }
    unsafe strand.lastWorker = UInt8(truncatingIfNeeded: index)
    let now = UInt32(truncatingIfNeeded: instant >> Int64(StrandFigures.delayShift))
    let delay = unsafe now &- strand.queuedAt
    // The clock of who enqueued may be a little ahead: a delay below zero is none.
    if delay >= UInt32(StrandFigures.longNanoseconds >> Int64(StrandFigures.delayShift)), delay < UInt32.max / 2 {
      strand.figures.note(delay: delay)
      counters.note(delay: delay)
    }
  }

  /// Accounts for an activation that has ended. Worker's thread only; the strand may run elsewhere already.
  @inline(__always)
  func account(_ strand: Strand, nanoseconds: Int64) {
    if nanoseconds >= StrandFigures.longNanoseconds {
      return strand.figures.add(nanoseconds: nanoseconds, activations: 1)
    }
    unsafe untilSample -= 1
    if unsafe untilSample > 0 { return }
    unsafe untilSample = StrandFigures.sampleInterval
    strand.figures.add(
      nanoseconds: nanoseconds * Int64(StrandFigures.sampleInterval), activations: StrandFigures.sampleInterval)
  }
}
