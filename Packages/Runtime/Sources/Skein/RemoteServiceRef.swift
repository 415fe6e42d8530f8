// RemoteServiceRef: a service of another node, called as a local one is.

internal import SkeinCluster
internal import SkeinSerialization

/// A reference to a service that a peer exports, of type `Service`.
///
/// The peer may run other code, or be a Skynet node: what an answer holds is checked against the command's types when
/// it is read.
///
/// - Thread safety: any thread.
public struct RemoteServiceRef<Service: SkeinService>: Sendable {
  private let cluster: NodeCluster
  /// The peer's name.
  public let peer: String
  /// The name under which the peer exports the service.
  public let name: String

  init(_ cluster: NodeCluster, peer: String, name: String) {
    self.cluster = cluster
    self.peer = peer
    self.name = name
  }

  /// Calls a command with arguments that `write` writes.
  func perform<Output: SeriReadable>(
    _ command: String, _ deadline: CallDeadline, _ waits: Bool, _ write: (inout SeriWriter) -> Void
  ) async throws -> Output {
    let answer = try await answer(command, deadline, waits, write)
    return try Seri.read(answer) { (reader) throws(SeriError) in
      // A Lua function that returns nothing answers with no value, where we have nil.
      if reader.isAtEnd, let none = (Output.self as? any Omittable.Type)?.omitted as? Output { return none }
      let output = try Output(reading: &reader)
      while !reader.isAtEnd { _ = try reader.value() }
      return output
    }
  }

  /// Calls a command that returns nothing.
  func performWithoutResult(
    _ command: String, _ deadline: CallDeadline, _ waits: Bool, _ write: (inout SeriWriter) -> Void
  ) async throws { _ = try await answer(command, deadline, waits, write) }

  private func answer(
    _ command: String, _ deadline: CallDeadline, _ waits: Bool, _ write: (inout SeriWriter) -> Void
  ) async throws -> [UInt8] {
    try await cluster.request(peer, try address, try body(command, write), deadline, waits)
  }

  /// Sends a one-way message with arguments that `write` writes.
  func post(_ command: String, _ write: (inout SeriWriter) -> Void) throws -> ClusterSendReceipt {
    cluster.send(peer, try address, try body(command, write))
  }

  private var address: ClusterAddress {
    get throws(ClusterWireError) { .name(try ClusterName("@\(name)")) }
  }

  private func body(_ command: String, _ write: (inout SeriWriter) -> Void) throws(SeriError) -> [UInt8] {
    try Seri.write { writer in
      writer.string(command)
      write(&writer)
    }
  }
}
