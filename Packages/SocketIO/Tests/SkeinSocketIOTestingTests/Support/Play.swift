// Play: a network with a client and a server that write down what they are told.

import Glibc
import SkeinPlatform
import SkeinSocketIOTesting

/// Runs a network and keeps the events of each side. It reads what arrives and does nothing else by itself.
final class Play {
  typealias Side = SimulatedNetwork.ConnectionID

  let network: SimulatedNetwork
  private(set) var all: [NetworkEvent] = []
  private(set) var accepted: [Side] = []
  private var events: [Side: [NetworkEvent]] = [:]

  init(_ conditions: NetworkConditions = .calm, seed: UInt64 = 1) {
    network = SimulatedNetwork(seed: seed, conditions: conditions)
  }

  /// Lets happen what there is, for `duration` or until nothing is left.
  func run(for duration: Duration? = nil) {
    let deadline = duration.map { network.now.advanced(by: $0) } ?? .distantFuture
    while let event = network.next(until: deadline) {
      all.append(event)
      guard let side = event.side else { continue }
      events[side, default: []].append(event)
      if case .accepted = event { accepted.append(side) }
    }
  }

  /// A client and a server that know of each other.
  func connect(from client: String = "10.0.0.2", to address: String = "10.0.0.1:7001") throws -> (Side, Side) {
    if listener == nil { listener = try network.listen(on: address) }
    let side = network.connect(from: client, to: address)
    run()
    return (side, side.peer)
  }
  private(set) var listener: SimulatedNetwork.ListenerID?

  /// What the side was told, in a word each; received bytes are summed up.
  func story(of side: Side) -> [String] {
    var words: [String] = []
    var bytes = 0
    for event in events[side] ?? [] {
      if case .received(_, let more) = event {
        bytes += more.count
        continue
      }
      if bytes > 0 { words.append("received \(bytes)") }
      bytes = 0
      words.append(event.word)
    }
    if bytes > 0 { words.append("received \(bytes)") }
    return words
  }

  func bytes(at side: Side) -> [UInt8] {
    (events[side] ?? []).flatMap { event in
      if case .received(_, let bytes) = event { bytes } else { [UInt8]() }
    }
  }
}

extension NetworkEvent {
  /// The side that it concerns.
  var side: SimulatedNetwork.ConnectionID? {
    switch self {
    case .connected(let side), .connectFailed(let side, _), .accepted(let side, _, _), .received(let side, _),
      .receivedEnd(let side), .failed(let side, _), .writable(let side), .closed(let side):
      side
    case .timer, .fault: nil
    }
  }

  var word: String {
    switch self {
    case .connected: "connected"
    case .connectFailed(_, let error): "connectFailed \(name(ofError: error))"
    case .accepted: "accepted"
    case .received: "received"
    case .receivedEnd: "receivedEnd"
    case .failed(_, let error): "failed \(name(ofError: error))"
    case .writable: "writable"
    case .closed: "closed"
    case .timer(let tag): "timer \(tag)"
    case .fault: "fault"
    }
  }
}

func name(ofError error: Int32) -> String {
  switch error {
  case ECONNREFUSED: "ECONNREFUSED"
  case ECONNRESET: "ECONNRESET"
  case EPIPE: "EPIPE"
  case ETIMEDOUT: "ETIMEDOUT"
  case ENETDOWN: "ENETDOWN"
  default: "errno \(error)"
  }
}

/// `count` bytes that differ by place.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }
