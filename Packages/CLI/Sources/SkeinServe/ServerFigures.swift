// ServerFigures: what a server counts, for INFO and for its limit of clients.

internal import SkeinPlatform
internal import SkeinRESP
internal import Synchronization

/// Counts of one server; touched by every connection.
final class ServerFigures: Sendable {
  private let started = MonotonicInstant.now
  // MARK: Any thread
  private let connected = Atomic<Int>(0)
  private let accepted = Atomic<Int>(0)
  private let commands = Atomic<Int>(0)
  private let called = Atomic<Int>(0)

  // Relaxed, in all of this file: counts for people; the limit of clients needs only the atomic addition itself.

  /// Counts a client in; returns how many there are with it.
  func clientCame() -> Int {
    // Relaxed: see above.
    accepted.add(1, ordering: .relaxed)
    // Relaxed: see above.
    return connected.add(1, ordering: .relaxed).newValue
  }

  func clientLeft() {
    // Relaxed: see above.
    connected.subtract(1, ordering: .relaxed)
  }

  func executed(_ count: Int) {
    // Relaxed: see above.
    commands.add(count, ordering: .relaxed)
  }

  /// Counts a round that was run by calls, since its shards could not be held.
  func roundCalled() {
    // Relaxed: see above.
    called.add(1, ordering: .relaxed)
  }

  /// Rounds that were run by calls; all others held their shards.
  var roundsCalled: Int {
    // Relaxed: see above.
    called.load(ordering: .relaxed)
  }

  /// The figures now.
  var facts: ServerFacts {
    var facts = ServerFacts()
    facts.uptimeSeconds = Int(started.duration(to: .now).components.seconds)
    // Relaxed: see above.
    facts.connectedClients = connected.load(ordering: .relaxed)
    // Relaxed: see above.
    facts.connectionsAccepted = accepted.load(ordering: .relaxed)
    // Relaxed: see above.
    facts.commandsProcessed = commands.load(ordering: .relaxed)
    return facts
  }
}
