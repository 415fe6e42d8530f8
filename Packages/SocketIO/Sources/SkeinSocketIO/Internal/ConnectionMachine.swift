// ConnectionMachine: the life of one connection as a pure state machine: stimuli in, actions out, no system call.
//
// Phases, with two flags beside them: whether the peer's FIN was seen, and what became of our own direction.
//   accepted    the listener has it, nobody has started it; nothing is read
//   connecting  the kernel connects; `isGone` once the owner has closed, and then it still flushes what was queued
//   open        input and output end separately; half-closed by the peer, by us, or both (then it is over)
//   draining    the owner closed; queued bytes are written; input is read and discarded
//   lingering   our FIN is sent; input is read and discarded until the peer's FIN, an error, or a limit. Closing the
//               descriptor with unread input would make the kernel reset, and drop what it has not delivered yet
//   closed      the descriptor is closed
// Invariants:
//   I1  `.tellClosed` is given exactly once, and no other `.tell` after it.
//   I2  a closing of the descriptor is given exactly once, on the way into `closed`, which nothing leaves.
//   I3  `.sendFIN` at most once, and only when nothing is pending.

internal import SkeinPlatform

/// What happens to a connection.
enum ConnectionStimulus: Equatable, Sendable {
  case start
  case pause
  case resume
  case connected(pending: Bool)
  case connectFailed(Int32)
  case received(Int)
  case receivedEnd
  case receiveFailed(Int32)
  case sendFailed(Int32)
  case hangUp(Int32)
  /// The last queued byte was taken by the kernel.
  case drained
  case shutdownWrite(pending: Bool)
  case close(pending: Bool)
  case abort
  /// The limit that `.armFlush` or `.armLinger` set has passed.
  case timeUp
  case loopShutDown
}

/// What is to be done about it.
struct ConnectionActions: OptionSet, Hashable, Sendable {
  let rawValue: UInt16

  static let tellConnected = ConnectionActions(rawValue: 1 << 0)
  static let tellReceived = ConnectionActions(rawValue: 1 << 1)
  static let tellInputEnded = ConnectionActions(rawValue: 1 << 2)
  /// With the machine's `closeReason`.
  static let tellClosed = ConnectionActions(rawValue: 1 << 3)
  /// Writing may begin.
  static let flush = ConnectionActions(rawValue: 1 << 4)
  static let sendFIN = ConnectionActions(rawValue: 1 << 5)
  static let armFlush = ConnectionActions(rawValue: 1 << 6)
  static let armLinger = ConnectionActions(rawValue: 1 << 7)
  static let dropQueue = ConnectionActions(rawValue: 1 << 8)
  static let closeDescriptor = ConnectionActions(rawValue: 1 << 9)
  /// Close so that the peer sees RST.
  static let resetDescriptor = ConnectionActions(rawValue: 1 << 10)
}

/// The state of one connection.
struct ConnectionMachine: Equatable, Sendable {
  enum Phase: Hashable, CaseIterable, Sendable { case accepted, connecting, open, draining, lingering, closed }
  enum Output: Hashable, Sendable {
    case open, finishing, ended
    /// Nothing more can be sent; what the peer sent before may still be read.
    case failed(SystemCallError)
  }

  private(set) var phase: Phase
  /// The peer's FIN was seen.
  private(set) var inputEnded = false
  private(set) var output = Output.open
  private(set) var isPaused = false
  /// Set with `.tellClosed`.
  private(set) var closeReason: CloseReason?
  private var discarded = 0
  private let lingerBytes: Int

  /// - Parameter lingerBytes: how much is read and discarded while lingering.
  init(_ phase: Phase, lingerBytes: Int) {
    self.phase = phase
    self.lingerBytes = lingerBytes
  }

  /// Whether the owner has been told that it is over.
  var isGone: Bool { closeReason != nil }

  /// Whether a send is taken: as long as our direction is open; from the start on, when accepted.
  var takesSends: Bool { output == .open && !isGone && phase != .accepted }

  /// Whether queued bytes can be written now.
  var isWritable: Bool {
    switch phase {
    case .open: output == .open || output == .finishing
    case .draining: true
    case .accepted, .connecting, .lingering, .closed: false
    }
  }

  /// Whether input is to be read, be it to deliver or to discard it.
  var wantsInput: Bool {
    switch phase {
    case .open: !inputEnded && !isPaused
    case .draining, .lingering: !inputEnded
    case .accepted, .connecting, .closed: false
    }
  }

  /// Takes one step.
  mutating func apply(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .pause:
      isPaused = true
      return []
    case .resume:
      isPaused = false
      return []
    default: break
    }
    switch phase {
    case .accepted: return applyAccepted(stimulus)
    case .connecting: return applyConnecting(stimulus)
    case .open: return applyOpen(stimulus)
    case .draining: return applyDraining(stimulus)
    case .lingering: return applyLingering(stimulus)
    case .closed: return []
    }
  }

  private mutating func applyAccepted(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .start:
      phase = .open
      return []
    case .close:
      // What the client has sent is read and discarded, so that it sees FIN and no RST.
      return tell(.closed).union(linger())
    case .abort: return end(.aborted)
    case .receiveFailed(let number), .hangUp(let number): return fail("recv", number)
    case .sendFailed(let number): return fail("send", number)
    case .loopShutDown: return end(.loopShutDown)
    case .pause, .resume, .connected, .connectFailed, .received, .receivedEnd, .drained, .shutdownWrite, .timeUp:
      return []
    }
  }

  private mutating func applyConnecting(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .connected(let pending):
      if isGone {
        phase = .draining
        return pending ? .flush : finish()
      }
      phase = .open
      if output == .finishing && !pending {
        output = .ended
        return [.tellConnected, .sendFIN]
      }
      return [.tellConnected, .flush]
    case .connectFailed(let number), .hangUp(let number):
      return end(.connectFailed(SystemCallError(call: "connect", errorNumber: number)))
    case .shutdownWrite:
      if !isGone && output == .open { output = .finishing }
      return []
    case .close(let pending):
      if isGone { return [] }
      return pending ? tell(.closed).union(.armFlush) : end(.closed)
    case .abort: return end(.aborted)
    case .timeUp: return isGone ? reset() : []
    case .loopShutDown: return end(.loopShutDown)
    case .start, .pause, .resume, .received, .receivedEnd, .receiveFailed, .sendFailed, .drained: return []
    }
  }

  private mutating func applyOpen(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .received: return .tellReceived
    case .receivedEnd:
      inputEnded = true
      switch output {
      case .open, .finishing: return .tellInputEnded
      case .ended: return ConnectionActions.tellInputEnded.union(end(.ended))
      case .failed(let error): return end(.failed(error))
      }
    case .receiveFailed(let number), .hangUp(let number): return fail("recv", number)
    case .sendFailed(let number):
      // What the peer sent before it reset may still be read; then it is over.
      if !wantsInput { return fail("send", number) }
      if case .failed = output { return [] }
      output = .failed(SystemCallError(call: "send", errorNumber: number))
      return .dropQueue
    case .drained:
      guard output == .finishing else { return [] }
      output = .ended
      return inputEnded ? ConnectionActions.sendFIN.union(end(.ended)) : .sendFIN
    case .shutdownWrite(let pending):
      guard output == .open else { return [] }
      output = .finishing
      return pending ? [] : applyOpen(.drained)
    case .close(let pending):
      let told = tell(.closed)
      switch output {
      case .failed: return told.union(end(.closed))
      case .ended: return told.union(inputEnded ? end(.closed) : linger(sendingFIN: false))
      case .open, .finishing:
        if !pending { return told.union(finish()) }
        phase = .draining
        return told.union(.armFlush)
      }
    case .abort: return end(.aborted)
    case .loopShutDown: return end(.loopShutDown)
    case .start, .pause, .resume, .connected, .connectFailed, .timeUp: return []
    }
  }

  private mutating func applyDraining(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .receivedEnd:
      inputEnded = true
      return []
    case .drained: return finish()
    case .timeUp: return reset()
    case .receiveFailed, .sendFailed, .hangUp, .abort, .loopShutDown: return end(.closed)
    case .start, .pause, .resume, .connected, .connectFailed, .received, .shutdownWrite, .close: return []
    }
  }

  private mutating func applyLingering(_ stimulus: ConnectionStimulus) -> ConnectionActions {
    switch stimulus {
    case .received(let count):
      discarded += count
      return discarded > lingerBytes ? end(.closed) : []
    case .receivedEnd, .receiveFailed, .sendFailed, .hangUp, .timeUp, .abort, .loopShutDown: return end(.closed)
    case .start, .pause, .resume, .connected, .connectFailed, .drained, .shutdownWrite, .close: return []
    }
  }

  /// All is written and the owner is gone: FIN, and then wait for the peer's unless it came.
  private mutating func finish() -> ConnectionActions {
    inputEnded ? ConnectionActions.sendFIN.union(end(.closed)) : linger()
  }

  private mutating func linger(sendingFIN: Bool = true) -> ConnectionActions {
    phase = .lingering
    output = .ended
    return sendingFIN ? [.sendFIN, .armLinger] : .armLinger
  }

  private mutating func tell(_ reason: CloseReason) -> ConnectionActions {
    if isGone { return [] }
    closeReason = reason
    return .tellClosed
  }

  private mutating func fail(_ call: String, _ number: Int32) -> ConnectionActions {
    // The first error is the one to tell.
    if case .failed(let error) = output { return end(.failed(error)) }
    return end(.failed(SystemCallError(call: call, errorNumber: number)))
  }

  private mutating func end(_ reason: CloseReason) -> ConnectionActions {
    phase = .closed
    return tell(reason).union([.dropQueue, .closeDescriptor])
  }

  private mutating func reset() -> ConnectionActions {
    phase = .closed
    return [.dropQueue, .resetDescriptor]
  }
}
