// ModelStrand: what stands in for a strand in the sources that are compiled for the model checker.

import SkeinModelCheck

/// The checker's lock in place of the platform's.
typealias Lock = ModelLock

/// A strand whose content is plain memory: a taker to whom it was not handed over is found, and so is a second one.
final class Strand: @unchecked Sendable {
  // @unchecked: `turns` shows whether accesses are ordered.
  let number: Int
  private let turns = ModelCell(0)
  private let work: (_ worker: Int) -> Void

  init(_ number: Int, _ work: @escaping (_ worker: Int) -> Void = { _ in }) {
    self.number = number
    self.work = work
    turns.value = 0
  }

  /// The one turn that it has.
  func run(on worker: Int = 0) {
    turns.value += 1
    ModelRun.require(turns.value == 1, "strand \(number) was taken twice")
    work(worker)
  }

  /// Whether it has had its turn; for one who has seen everything.
  var hasRun: Bool { turns.value == 1 }
}
