// QueuePrograms: the steal ring and the ready slot.

public import SkeinModelCheck

/// Programs round a worker's lines of strands: each strand is taken once, by one who knows what is in it.
public enum QueueProgram: String, CaseIterable, Sendable {
  /// The owner pops, pushes and pops while another takes half.
  case steal
  /// Two take half of the same queue.
  case thieves
  /// The owner fills a full queue up again while another takes half: slots are used a second time.
  case full
  /// The queue is empty, and a thief comes while the owner pushes.
  case empty
  /// One takes half of a queue, and another half of what that one has got.
  case relay
  /// A waker fills the ready slot twice; its worker and a thief empty it.
  case slot

  public func setUp(_ model: ModelRun) {
    switch self {
    case .steal: steal(model, inLine: 3, added: 2, thieves: 1)
    case .thieves: steal(model, inLine: 3, added: 0, thieves: 2)
    case .full: steal(model, inLine: 4, added: 3, thieves: 1)
    case .empty: steal(model, inLine: 0, added: 2, thieves: 1)
    case .relay: relay(model)
    case .slot: slot(model)
    }
  }

  private func relay(_ model: ModelRun) {
    let queues = (0..<3).map { _ in RunQueue() }
    let strands = ModelCell([Strand]())
    model.thread("owner") {
      for number in 0..<4 {
        let strand = Strand(number)
        strands.value.append(strand)
        ModelRun.require(queues[0].push(strand) == nil, "there is room")
      }
    }
    for number in 1..<3 {
      model.thread("thief \(number)") {
        for _ in 0..<2 { queues[number - 1].moveHalf(to: queues[number])?.run() }
      }
    }
    model.afterwards {
      for queue in queues { while let strand = queue.pop() { strand.run() } }
      for strand in strands.value { ModelRun.require(strand.hasRun, "strand \(strand.number) is lost") }
    }
  }

  private func steal(_ model: ModelRun, inLine: Int, added: Int, thieves: Int) {
    let queue = RunQueue()
    let first = (0..<inLine).map { Strand($0) }
    // Made by the owner, so that a thief who was not told of it knows nothing of what is in it.
    let later = ModelCell([Strand]())
    for strand in first { ModelRun.require(queue.push(strand) == nil, "there is room") }
    model.thread("owner") {
      for number in inLine..<inLine + added {
        let strand = Strand(number)
        later.value.append(strand)
        // As in WorkerPool, what has no room goes elsewhere.
        if let refused = queue.push(strand) { refused.run() }
        if number == inLine { queue.pop()?.run() }
      }
      while let strand = queue.pop() { strand.run() }
    }
    for number in 0..<thieves {
      model.thread("thief \(number)") {
        let own = RunQueue()
        queue.moveHalf(to: own)?.run()
        while let strand = own.pop() { strand.run() }
      }
    }
    model.afterwards {
      ModelRun.require(queue.pop() == nil, "the owner has left something")
      for strand in first + later.value { ModelRun.require(strand.hasRun, "strand \(strand.number) is lost") }
    }
  }

  private func slot(_ model: ModelRun) {
    let slot = HandoffSlot<Strand>()
    let strands = ModelCell([Strand]())
    model.thread("waker") {
      for number in 0..<2 {
        let strand = Strand(number)
        strands.value.append(strand)
        slot.exchange(strand)?.run()
      }
    }
    for name in ["worker", "thief"] { model.thread(name) { for _ in 0..<2 { slot.take()?.run() } } }
    model.afterwards {
      slot.take()?.run()
      for strand in strands.value { ModelRun.require(strand.hasRun, "strand \(strand.number) is lost") }
    }
  }
}
