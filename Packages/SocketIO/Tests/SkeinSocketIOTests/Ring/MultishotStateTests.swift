import Testing

@testable import SkeinSocketIO

#if SKEIN_IOURING
@Suite("MultishotState") struct MultishotStateTests {
  /// What can happen to a stream.
  enum Step: CaseIterable {
    case want, wantLater, unwant, replace, rearm, lastCompletion
  }

  /// The kernel's side: how many requests run, how many of them have a cancel on its way.
  struct Kernel {
    var requests = 0
    var cancels = 0

    mutating func carryOut(_ action: MultishotState.Action) {
      switch action {
      case .nothing: break
      case .arm: requests += 1
      case .cancel: cancels += 1
      }
    }
  }

  @Test func `at most one request runs, whatever happens in whatever order`() {
    var visited = 0
    func visit(_ state: MultishotState, _ kernel: Kernel, wanted: Bool, depth: Int) {
      visited += 1
      #expect(kernel.requests <= 1)
      #expect(kernel.cancels <= kernel.requests)
      #expect((state.request == .none) == (kernel.requests == 0))
      #expect((state.request == .ending) == (kernel.cancels == 1))
      #expect(state.isWanted == wanted)
      guard depth > 0 else { return }
      for step in Step.allCases {
        var state = state
        var kernel = kernel
        var wanted = wanted
        switch step {
        case .want:
          wanted = true
          kernel.carryOut(state.want())
          #expect(kernel.requests == 1)
        case .wantLater:
          wanted = true
          state.wantLater()
        case .unwant:
          wanted = false
          kernel.carryOut(state.unwant())
          #expect(kernel.requests == kernel.cancels)
        case .replace: kernel.carryOut(state.replace())
        case .rearm:
          kernel.carryOut(state.rearm())
          #expect(!wanted || kernel.requests == 1)
        case .lastCompletion:
          guard kernel.requests == 1 else { continue }
          kernel = Kernel()
          state.requestEnded()
          kernel.carryOut(state.rearm())
          #expect(kernel.requests == (wanted ? 1 : 0))
        }
        visit(state, kernel, wanted: wanted, depth: depth - 1)
      }
    }
    visit(MultishotState(), Kernel(), wanted: false, depth: 6)
    #expect(visited > 10_000)
  }

  @Test func `pausing, resuming and pausing again makes one cancel and no second request`() {
    var state = MultishotState()
    #expect(state.want() == .arm)
    #expect(state.unwant() == .cancel)
    #expect(state.want() == .nothing)
    #expect(state.unwant() == .nothing)
    #expect(state.request == .ending)
    state.requestEnded()
    #expect(state.rearm() == .nothing)
    #expect(state.want() == .arm)
  }
}
#endif
