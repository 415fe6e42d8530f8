// PeerStateChanges: the changes of all links, for whoever wants to follow them.

internal import SkeinPlatform

/// The changes of state from its making on, in order, as an asynchronous sequence.
///
/// It keeps the newest 256 that were not read; ``missed`` counts those that were dropped. It ends when the cluster shuts
/// down, or the reading task is cancelled.
///
/// - Thread safety: one task reads.
public final class PeerStateChanges: AsyncSequence, AsyncIteratorProtocol, Sendable {
  public typealias Element = PeerStateChange

  private struct State {
    var unread: [PeerStateChange] = []
    var reader: TaskGate?
    var hasEnded = false
    var missed = 0
  }

  private static let capacity = 256

  // MARK: Under lock
  private let state = Lock(State())

  init() {}

  /// Changes that were dropped, since nobody read them in time.
  public var missed: Int { state.withLock { $0.missed } }

  /// The sequence itself: it is read once.
  public nonisolated func makeAsyncIterator() -> PeerStateChanges { self }

  /// The next change; `nil` at the end.
  public func next() async -> PeerStateChange? { await next(isolation: nil) }

  /// The next change; `nil` at the end.
  public func next(isolation actor: isolated (any Actor)?) async -> PeerStateChange? {
    while true {
      let gate = TaskGate()
      let (change, isDone) = state.withLock { state -> (PeerStateChange?, Bool) in
        if !state.unread.isEmpty { return (state.unread.removeFirst(), true) }
        if state.hasEnded { return (nil, true) }
        precondition(state.reader == nil, "one task reads the changes")
        state.reader = gate
        return (nil, false)
      }
      if isDone { return change }
      await withTaskCancellationHandler {
        // Names the isolation so that the closure belongs to the caller's actor.
        _ = actor
        _ = await gate.wait()
      } onCancel: {
        end()
      }
    }
  }

  func add(_ change: PeerStateChange) {
    wake { state in
      if state.unread.count == Self.capacity {
        state.unread.removeFirst()
        state.missed += 1
      }
      state.unread.append(change)
    }
  }

  func end() { wake { $0.hasEnded = true } }

  private func wake(_ change: (inout State) -> Void) {
    let reader = state.withLock { state in
      change(&state)
      defer { state.reader = nil }
      return state.reader
    }
    reader?.open()
  }
}
