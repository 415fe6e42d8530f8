// WorkerPool+Binding: strands that one worker alone runs.
//
// A bound strand waits in its worker's own `bound` queue, from which nobody steals. The worker takes from it every second
// time, so neither bound nor other strands starve, however many there are of either.

internal import SkeinMailbox
internal import SkeinPlatform

/// Ties a strand to one worker of its pool, for interfaces that want to be called from one thread.
///
/// A bound strand runs on that worker every second time that something runs there, and is not stolen. A call in place
/// to it is possible on that worker only. Exclusive strands have a thread of their own already: for them the binding
/// means nothing, as in a simulation, which has one worker.
public struct StrandBinding: Hashable, Sendable {
  /// What happens while another strand's handler does not end on the worker.
  public enum WhenStuck: Hashable, Sendable {
    /// The strand waits: nothing but its worker's thread will do.
    case waits
    /// The strand runs elsewhere, after two looks of the watcher (1 ms), until its worker is free again.
    case moves
  }

  /// The worker's number in the pool, from 0.
  public var worker: Int
  /// What happens while the worker is stuck.
  public var whenStuck: WhenStuck

  /// Makes a binding to a worker; strands wait for it by default.
  public init(worker: Int, whenStuck: WhenStuck = .waits) {
    self.worker = worker
    self.whenStuck = whenStuck
  }
}

extension Strand {
  /// Whether the calling thread is the worker that the strand is bound to.
  var isOnBoundWorker: Bool {
    Worker.withCurrent { $0.isWorker(of: pool) && $0.index + 1 == Int(boundTo) } ?? false
  }
}

extension Worker {
  /// A bound strand, if one is in line and it is its turn. Worker's thread only.
  func takeBoundInTurn() -> Strand? {
    if bound.isEmpty { return nil }
    unsafe boundTurn.toggle()
    return unsafe boundTurn ? bound.pop() : nil
  }
}

extension WorkerPool {
  /// Puts a bound strand in line, and wakes its worker if that sleeps.
  func enqueueBound(_ strand: Strand) {
    let worker = workers[Int(strand.boundTo) - 1]
    worker.bound.push(strand)
    if sleepers.isAsleep(worker.index) { wake(worker) }
    releaseIfStopping(worker.bound)
  }

  /// Moves what may move out of a stuck worker's bound queue.
  func takeBound(from victim: Worker, to worker: Worker) {
    while let strand = victim.bound.takeFirst(where: \.movesWhenStuck) { enqueueLast(strand, on: worker) }
  }
}
