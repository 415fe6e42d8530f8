// SimulatedNetwork: hosts, listeners and TCP connections in memory, on a virtual clock.
//
// Owns:       the clock, what is going to happen (`agenda`), and both sides of every connection.
// Shared by:  nobody: one thread.
// What a call leads to, as Linux does it (A calls, B is the other side; everything of one direction arrives in order):
//
//   A does                                  | A                                  | B, when it arrives
//   ----------------------------------------|------------------------------------|-------------------------------------
//   connect, B listens                      | connected                          | accepted
//   connect, nobody listens                 | connectFailed ECONNREFUSED         | nothing
//   connect, B crashed or cut off           | connectFailed ETIMEDOUT            | nothing
//   connect, close before it is there       | closed, no connected               | nothing
//   send                                    | accepted(n), writable later        | received …
//   send, B does not read                   | accepted(less), until B reads      | nothing while paused
//   shutdownWrite                           | sends fail with EPIPE; reads on    | received …, receivedEnd
//   close, nothing unread                   | closed; what was taken still goes  | received …, receivedEnd
//   close, input unread (or unread yet)     | closed; what is not gone is lost   | failed ECONNRESET (*)
//   abort                                   | closed; what is not gone is lost   | failed ECONNRESET (*)
//   send after B's shutdownWrite            | accepted(n)                        | received …
//   send after B's close                    | accepted(n); then failed ECONNRESET| answers RST; if B was still sending
//                                           | (EPIPE if B's FIN had arrived)     | after its close, that is lost
//   send after failed                       | failed EPIPE                       | nothing
//   sends, and B is cut off or crashed      | failed ETIMEDOUT                   | nothing; B, when cut off, is idle
//   sends, B crashed and is there again     | failed ECONNRESET                  | nothing
//   nothing, B crashed                      | nothing, ever                      | –
//   host A is killed                        | nothing more                       | as after close of each connection
//
//   (*) EPIPE where A's FIN had arrived before and B has not sent its own. What arrived before the RST is received
//       first while B reads; while B is paused, `failed` comes at once and the unread bytes are lost. A reset of a
//       connection of which both FINs are through goes unnoticed.

internal import Glibc
public import SkeinPlatform

/// A network in memory for protocols written as pure state machines: seeded, on a virtual clock, replayable.
///
/// Hosts are addresses as text; whoever drives the state machines makes the calls of every host and hands the events
/// of ``next(until:)`` to the one they concern. One seed, one set of conditions and the same calls give the same events
/// at the same times, always: ``checksum`` proves it.
///
/// ```swift
/// let network = SimulatedNetwork(seed: 1)
/// let listener = try network.listen(on: "10.0.0.1:7001")
/// let client = network.connect(from: "10.0.0.2", to: "10.0.0.1:7001")
/// while let event = network.next() {
///   switch event {
///   case .connected(client): network.send(Array("hello".utf8), on: client)
///   case .accepted(let server, listener, _): print("accepted \(server)")
///   case .received(let server, let bytes): print(server, bytes)
///   default: break
///   }
/// }
/// ```
///
/// It models what TCP shows to its users, not TCP: there is no congestion control, no keep-alive and no limit of
/// descriptors. Use the real backends of SkeinSocketIO to test against the kernel.
///
/// - Thread safety: none; use one from one thread at a time.
public final class SimulatedNetwork {
  /// What all randomness comes from.
  public let seed: UInt64
  /// How the network is from now on; buffer sizes hold for connections that are begun later.
  public var conditions: NetworkConditions { didSet { conditions.check() } }
  /// The virtual time. It starts at one second, and only ``next(until:)`` moves it.
  public var now: MonotonicInstant { MonotonicInstant(nanoseconds: time) }
  /// A hash over all events so far and their times: equal for equal runs.
  public internal(set) var checksum: UInt64 = 0xCBF2_9CE4_8422_2325

  var time: Int64 = 1_000_000_000
  var random: SeededRandom
  var agenda = EventHeap()
  var hosts: [Host] = []
  var hostNumbers: [String: Int] = [:]
  var cuts: Set<Route> = []
  var sides: [UInt64: Side] = [:]
  var listeners: [String: ListeningSocket] = [:]
  var listenerAddresses: [ListenerID: String] = [:]
  var timers: [UInt64: UInt64] = [:]
  var faults: [UInt64: NetworkFault] = [:]
  var faultsMade: UInt64 = 0
  private var connectionsMade: UInt64 = 0
  private var listenersMade: UInt64 = 0
  private var timersMade: UInt64 = 0

  /// Makes a network without hosts; a host is there as soon as it is named.
  public init(seed: UInt64, conditions: NetworkConditions = NetworkConditions()) {
    conditions.check()
    self.seed = seed
    self.conditions = conditions
    random = SeededRandom(seed: seed)
  }

  // MARK: Listening

  /// Listens on `address`, such as `10.0.0.1:7001`.
  ///
  /// - Parameter backlog: how many connections may wait to be accepted; clients beyond try again until their time-out.
  /// - Throws: `bind` with EADDRINUSE when the address has a listener, or ENETDOWN when its host is down.
  public func listen(on address: String, backlog: Int = 128) throws(SystemCallError) -> ListenerID {
    let host = number(ofHost: address)
    if hosts[host].isDown { throw SystemCallError(call: "bind", errorNumber: ENETDOWN) }
    if listeners[address] != nil { throw SystemCallError(call: "bind", errorNumber: EADDRINUSE) }
    listenersMade += 1
    let id = ListenerID(number: listenersMade)
    listeners[address] = ListeningSocket(id, host: host, address: address, backlog: backlog)
    listenerAddresses[id] = address
    return id
  }

  /// Stops listening. Connections that wait to be accepted are reset; a listener that is gone is ignored.
  public func stopListening(_ listener: ListenerID) {
    guard let address = listenerAddresses.removeValue(forKey: listener) else { return }
    guard let socket = listeners.removeValue(forKey: address) else { return }
    for number in socket.waiting {
      guard let side = sides[number] else { continue }
      side.hasDescriptor = false
      side.isClosedTold = true
      reset(side)
    }
  }

  // MARK: Connections

  /// Begins to connect from a host to an address. The outcome is `connected` or `connectFailed`.
  ///
  /// - Parameters:
  ///   - host: the client's host, as a name or as any address of it; the port is ignored.
  ///   - address: the listener's address, with its port.
  public func connect(from host: String, to address: String) -> ConnectionID {
    connectionsMade += 1
    let id = ConnectionID(number: connectionsMade << 1)
    let from = number(ofHost: host)
    let port = hosts[from].nextPort()
    let side = Side(
      id, host: from, peerHost: number(ofHost: address), address: "\(hosts[from].name):\(port)", peerAddress: address,
      kernel: .connecting, listener: nil, conditions: conditions, peerCapacity: conditions.receiveBuffer)
    add(side)
    if hosts[from].isDown {
      plan(.connectFailed(id.number, ENETDOWN), after: 0)
    } else {
      emit(.open, from: side)
      plan(.connectDeadline(id.number), after: conditions.connectTimeout.nanosecondsClamped)
    }
    return id
  }

  /// Sends bytes on a connection, as many as there is room for.
  ///
  /// Before `connected` there is no room, and `connected` itself tells of it.
  /// - Complexity: O(bytes).
  @discardableResult
  public func send(_ bytes: some Collection<UInt8>, on connection: ConnectionID) -> SendOutcome {
    guard let side = sides[connection.number], side.hasDescriptor else { return .failed(errno: EBADF) }
    if let error = side.error { return .failed(errno: side.isErrorTold ? EPIPE : error) }
    if side.isWriteEnded || side.kernel == .dead { return .failed(errno: EPIPE) }
    guard side.kernel == .established else { return .accepted(0) }
    let count = min(bytes.count, max(side.room, 0))
    side.unsent.append(contentsOf: bytes.prefix(count))
    side.wantsRoom = count < bytes.count
    transmit(side)
    return .accepted(count)
  }

  /// Ends our direction: what was taken still goes, then FIN. Does nothing before `connected`, or the second time.
  public func shutdownWrite(_ connection: ConnectionID) {
    guard let side = sides[connection.number], side.hasDescriptor, side.kernel == .established else { return }
    side.isWriteEnded = true
    transmit(side)
  }

  /// Closes our descriptor; see the table at the head of this file. One that is gone is ignored.
  ///
  /// What was taken still goes to the peer, then FIN. If there is unread input, or some arrives later, the peer sees
  /// RST and loses what it has not received.
  public func close(_ connection: ConnectionID) {
    guard let side = sides[connection.number], side.hasDescriptor else { return }
    release(side)
    plan(.closed(side.id.number), after: random.nanoseconds(in: conditions.closeDelay))
  }

  /// Closes our descriptor with RST: the peer loses what it has not received. One that is gone is ignored.
  public func abort(_ connection: ConnectionID) {
    guard let side = sides[connection.number], side.hasDescriptor else { return }
    side.hasDescriptor = false
    reset(side)
    plan(.closed(side.id.number), after: random.nanoseconds(in: conditions.closeDelay))
  }

  /// Stops reading: nothing is received, and neither is the end, until ``resumeReading(_:)``. The peer's buffer fills.
  public func pauseReading(_ connection: ConnectionID) { sides[connection.number]?.isPaused = true }

  /// Reads again.
  public func resumeReading(_ connection: ConnectionID) {
    guard let side = sides[connection.number] else { return }
    side.isPaused = false
    planDelivery(side)
  }

  // MARK: Timers

  /// Has `timer(tag:)` come at `deadline`; at once when that has passed. Timers of one instant come in order.
  ///
  /// Timers belong to no host: after a crash drop those of its state machines.
  @discardableResult
  public func wake(at deadline: MonotonicInstant, tag: UInt64) -> TimerID {
    timersMade += 1
    timers[timersMade] = tag
    agenda.insert(.timer(timersMade), at: max(deadline.nanoseconds, time), tie: .max)
    return TimerID(number: timersMade)
  }

  /// Takes a timer back.
  ///
  /// - Returns: whether it was still to come.
  @discardableResult
  public func cancel(_ timer: TimerID) -> Bool { timers.removeValue(forKey: timer.number) != nil }
}
