// ClusterOptions: how a node takes part in a cluster, and what it is told of its peers.

public import SkeinPlatform
public import SkeinSocketIO

/// How a node takes part in a cluster. Every limit has a default.
public struct ClusterOptions: Sendable {
  /// This node's name, which hellos tell.
  public var name = "skein"
  /// Limits and times of the connection to each peer.
  public var link = LinkConfiguration()
  /// Limits and times of each connection from a peer.
  public var acceptor = AcceptorConfiguration()
  /// Greatest number of connections from peers; the next is refused.
  public var maxInbound = 1_024
  /// Greatest number of peers that the directory may hold.
  public var maxPeers = 4_096
  /// Whether to say hello first on each connection that we make: a name query, which tells a Skein node our name and which
  /// a Skynet node answers with "name not found".
  public var saysHello = true
  /// Where lines for the log go.
  public var log: @Sendable (ClusterLogLevel, String) -> Void = { _, _ in }

  /// The standard options.
  public init() {}
}

/// What the directory says of a peer.
public enum PeerAddress: Hashable, Sendable {
  /// Where it listens, such as `10.0.0.2:7001`.
  case address(String)
  /// It is known to be down: requests fail at once.
  case down
}

/// A change of our connection to a peer.
public struct PeerStateChange: Hashable, Sendable {
  /// The peer's name.
  public let peer: String
  /// The state before.
  public let from: LinkState
  /// The state now.
  public let to: LinkState
  /// Why.
  public let reason: String
}

/// A connection that a peer has made to us.
public struct InboundPeer: Hashable, Sendable {
  /// The address from which it comes.
  public let address: SocketEndpoint
  /// Its name, once a hello has told it.
  public let name: String?
  /// Its calls that are in work.
  public let requestsInWork: Int
}

/// Answers what peers ask.
///
/// Its methods run on the thread that dispatches the connection's events, or, for requests that had to wait, on the one
/// that answers an earlier request or lets it go: hand the work on and return. Answer, and let requests go, without a
/// lock that `handle` takes.
public protocol ClusterRequestHandler: AnyObject, Sendable {
  /// A call or a push; see ``ClusterInboundRequest``.
  func handle(_ request: ClusterInboundRequest)
  /// The id of the service that is exported under a name (without `@`); `nil` when there is none.
  func id(exportedAs name: [UInt8]) -> UInt32?
}

/// How a call waits.
public struct ClusterCallOptions: Hashable, Sendable {
  /// When it gives up; `nil` for never.
  public var deadline: MonotonicInstant?
  /// Whether it waits, until its deadline, for a peer that cannot be connected to, or is not known yet. Otherwise it
  /// fails at once.
  public var waitsForConnection = false
  /// A tag that the peer binds to this request; at most 32,768 bytes.
  public var trace: [UInt8]?

  /// Makes options.
  public init(deadline: MonotonicInstant?, waitsForConnection: Bool = false, trace: [UInt8]? = nil) {
    self.deadline = deadline
    self.waitsForConnection = waitsForConnection
    self.trace = trace
  }

  /// Gives up after `duration`; 5 s by default.
  public static func after(_ duration: Duration = .seconds(5), waitsForConnection: Bool = false) -> ClusterCallOptions {
    ClusterCallOptions(deadline: .now.advanced(by: duration), waitsForConnection: waitsForConnection)
  }
}
