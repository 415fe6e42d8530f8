// Peers: the other nodes of a key-value cluster, as shards behind this node's own.
//
// Owns:       what is known of each peer: whether it has been up, and whether its list of names is ours; and the
//             fingerprints with which we were asked in vain.
// Shared by:  every connection (execute), the watcher (changes), the service for other nodes (admits).

internal import Skein
internal import SkeinCluster
internal import SkeinPlatform
internal import SkeinRESP
internal import SkeinSerialization

/// Why a peer has not executed a batch; a sentence that begins with Redis' error code.
struct PeerFault: Error, CustomStringConvertible {
  let description: String
}

/// The other nodes over which the keys are spread.
final class Peers: Sendable {
  /// The name under which nodes serve each other's keys. What comes there is never forwarded.
  static let exportedName = "skein.keys"

  enum Names: String { case unknown, same, differ }

  private struct Peer {
    var hasBeenUp = false
    var names = Names.unknown
  }

  /// How many refused fingerprints are remembered, so that each is logged once.
  private static let refusedLimit = 64

  let ring: NodeRing
  /// The fingerprint of the list of names, as nodes tell it to each other.
  let fingerprintText: String
  private let node: SkeinNode
  private let references: [RemoteServiceRef<KeyService>]
  private let firstWait: Duration
  // MARK: Under lock
  private let known: Lock<[Peer]>
  /// Other nodes' fingerprints that were refused, the latest last.
  private let refused = Lock<[String]>([])

  /// - Parameter firstWait: how long a request waits for a peer that has not been up yet.
  init(_ node: SkeinNode, _ ring: NodeRing, firstWait: Duration) {
    self.node = node
    self.ring = ring
    self.firstWait = firstWait
    let digits = String(ring.fingerprint, radix: 16)
    fingerprintText = String(repeating: "0", count: 16 - digits.utf8.count) + digits
    references = ring.peers.map { node.cluster.service(KeyService.self, node: $0, name: Self.exportedName) }
    known = Lock(ring.peers.map { _ in Peer() })
  }

  /// Has the peer with this number execute a batch.
  ///
  /// - Parameter began: when the batch's round began; that is when its time begins to run.
  func execute(_ batch: ShardBatch, on number: Int, since began: MonotonicInstant) async throws -> ShardReply {
    let name = ring.peers[number]
    let peer = known.withLock { $0[number] }
    if peer.names == .differ { throw fault(name, "its list of nodes is not ours; see the log and INFO cluster") }
    let answers: ByteString
    do {
      answers = try await references[number].call(
        KeyService.execute, fingerprintText, ByteString(batch.requests()),
        deadline: .at(began.advanced(by: peer.hasBeenUp ? node.options.callDeadline : firstWait)),
        waitsForConnection: !peer.hasBeenUp)
    } catch let error as ClusterError {
      throw fault(name, error, hasBeenUp: peer.hasBeenUp)
    } catch let error as CallError where error.code == .deadlineExceeded {
      throw late(name, "the deadline had passed before it was asked", hasBeenUp: peer.hasBeenUp)
    } catch {
      throw PeerFault(description: "ERR peer \(name) cannot be asked: \(error)")
    }
    guard let reply = batch.reply(from: Array(answers)) else { throw fault(name, "its answers cannot be read") }
    return reply
  }

  private func fault(_ name: String, _ error: ClusterError, hasBeenUp: Bool) -> PeerFault {
    switch error.code {
    case .connectFailed, .peerDown, .answerLost, .disconnected:
      PeerFault(description: "ERR peer \(name) is down: \(error)")
    case .deadlineExceeded: late(name, "\(error)", hasBeenUp: hasBeenUp || error.mayHaveExecuted)
    case .remoteError: fault(name, error.text ?? "an error without a text")
    default: PeerFault(description: "ERR peer \(name) gave no answer: \(error)")
    }
  }

  private func late(_ name: String, _ reason: String, hasBeenUp: Bool) -> PeerFault {
    PeerFault(
      description: hasBeenUp
        ? "ERR peer \(name) gave no answer: \(reason)" : "ERR peer \(name) is down: it has not been up yet")
  }

  private func fault(_ name: String, _ reason: String) -> PeerFault {
    PeerFault(description: "ERR peer \(name) refuses: \(reason)")
  }

  // MARK: Who asks us

  /// Whether a node with this fingerprint may have our keys. Another one is logged once, and shown by INFO.
  func admits(_ fingerprint: String) -> Bool {
    if fingerprint == fingerprintText { return true }
    // It came from outside, and lines are made of it.
    let isHash = fingerprint.utf8.count == 16 && fingerprint.utf8.allSatisfy("0123456789abcdef".utf8.contains)
    let theirs = isHash ? fingerprint : "unreadable"
    let isNew = refused.withLock { refused in
      let known = refused.firstIndex(of: theirs)
      if let known { refused.remove(at: known) }
      refused.append(theirs)
      if refused.count > Peers.refusedLimit { refused.removeFirst() }
      return known == nil
    }
    if isNew {
      node.log(
        .error, "a node with another list of nodes asks for our keys; it is refused",
        ["names": ring.names.joined(separator: ","), "ours": fingerprintText, "theirs": theirs])
    }
    return false
  }

  // MARK: What happens to peers

  /// Connects to all of them now.
  func dial() { for peer in ring.peers { node.cluster.dial(peer) } }

  /// Asks a peer that has just come up for its list of names.
  func peerIsUp(_ name: String) async {
    guard let number = ring.peers.firstIndex(of: name) else { return }
    // What it was before its connection was lost need not be true any more.
    let before = known.withLock { known in
      defer { known[number] = Peer(hasBeenUp: true, names: .unknown) }
      return known[number].names
    }
    do {
      let theirs = try await references[number].call(KeyService.names)
      let names: Names = theirs == fingerprintText ? .same : .differ
      known.withLock { $0[number].names = names }
      if names == .differ && before != .differ {
        node.log(
          .error, "a peer has another list of nodes; it gets none of our keys, and we take none of its",
          ["peer": name, "names": ring.names.joined(separator: ","), "ours": fingerprintText, "theirs": theirs])
      }
    } catch {
      node.log(.warning, "a peer has not told its list of nodes", ["peer": name, "error": "\(error)"])
    }
  }

  /// What INFO tells.
  var facts: [(String, String)] {
    let known = known.withLock { $0 }
    var lines = [
      ("cluster_enabled", "1"), ("skein_cluster_nodes", ring.names.joined(separator: ",")),
      ("skein_cluster_names_hash", fingerprintText),
    ]
    for (name, peer) in zip(ring.peers, known) {
      let state = node.cluster.state(of: name).map { "\($0)" } ?? "unknown"
      lines.append(("skein_peer_\(name)", "state=\(state),names=\(peer.names.rawValue)"))
    }
    if let latest = refused.withLock(\.last) { lines.append(("skein_refused_names_hash", latest)) }
    return lines
  }
}

/// Follows the links' changes for the node's life.
actor PeerWatcher: SkeinService {
  nonisolated let context: SkeinContext
  private let peers: Peers

  init(_ context: SkeinContext, _ peers: Peers) {
    self.context = context
    self.peers = peers
  }

  static let watch = Command("WATCH") { (watcher: isolated PeerWatcher, changes: PeerStateChanges) async in
    await watcher.follow(changes)
  }
  private static let compare = Command("COMPARE") { (watcher: isolated PeerWatcher, peer: String) async in
    await watcher.peers.peerIsUp(peer)
  }

  private func follow(_ changes: PeerStateChanges) async {
    while let change = await changes.next(isolation: self) {
      switch change.to {
      // Beside this: a peer that does not answer must not keep the others from being known.
      case .up: _ = reference.send(PeerWatcher.compare, change.peer)
      // Connected before a client asks for a key, whenever that is possible.
      case .idle, .backingOff: context.node.cluster.dial(change.peer)
      default: break
      }
    }
  }
}
