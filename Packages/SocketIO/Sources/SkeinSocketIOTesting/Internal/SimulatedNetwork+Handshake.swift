// SimulatedNetwork+Handshake: how a connection comes to be: asked for, answered, confirmed, accepted.

internal import Glibc
internal import SkeinPlatform

extension SimulatedNetwork {
  func open(_ client: Side) {
    let listener = listeners[client.peerAddress]
    let id = ConnectionID(number: client.id.number | 1)
    let side = Side(
      id, host: client.peerHost, peerHost: client.host, address: client.peerAddress, peerAddress: client.address,
      kernel: listener == nil ? .dead : .halfOpen, listener: listener?.id, conditions: conditions,
      peerCapacity: client.receiveCapacity)
    add(side)
    client.edge = side.receiveCapacity
    // Until it is established nobody can be told of it.
    side.isClosedTold = true
    if listener == nil { answerWithReset(side) } else { emit(.openAcknowledged, from: side) }
  }

  func establish(_ side: Side) {
    guard side.kernel == .halfOpen else { return }
    guard let listener = listeners[side.address], listener.id == side.listener else {
      side.kernel = .dead
      return answerWithReset(side)
    }
    side.kernel = .established
    side.hasDescriptor = true
    side.isClosedTold = false
    listener.waiting.append(side.id.number)
    if random.happens(conditions.acceptStallProbability) {
      plan(.accept(side.id.number), after: random.nanoseconds(in: conditions.acceptStall))
    } else {
      planSoon(.accept(side.id.number))
    }
  }

  func giveUpConnecting(_ number: UInt64) {
    guard let side = sides[number], side.kernel == .connecting, side.hasDescriptor else { return }
    side.kernel = .dead
    side.dropOutput()
    planSoon(.connectFailed(number, ETIMEDOUT))
  }
}
