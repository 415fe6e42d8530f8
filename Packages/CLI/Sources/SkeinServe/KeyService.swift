// KeyService: what other nodes reach: the keys of this node, and the whole cluster's as Skynet's example has them.

internal import Skein
internal import SkeinRESP
internal import SkeinSerialization

/// This node's keys for the other nodes. It never forwards.
actor KeyService: SkeinService {
  nonisolated let context: SkeinContext
  private let server: RESPServer
  private let peers: Peers
  private let router: CommandRouter

  init(_ context: SkeinContext, _ server: RESPServer, _ peers: Peers) {
    self.context = context
    self.server = server
    self.peers = peers
    router = server.routerForNodes(forwards: false)
  }

  /// Executes requests in Redis' protocol and returns the answers to the first of them, as many as fit; if the asker has
  /// the same list of nodes.
  static let execute = Command("EXECUTE") {
    (keys: isolated KeyService, fingerprint: String, requests: ByteString) async throws in
    guard keys.peers.admits(fingerprint) else { throw OtherNames() }
    return ByteString(ForwardedAnswers.travelling(await keys.server.run(Array(requests), keys.router)))
  }
  /// The fingerprint of this node's list of nodes.
  static let names = Command("NAMES") { (keys: isolated KeyService) in keys.peers.fingerprintText }

  static let commands: CommandTable<KeyService> = [execute, names]

  private struct OtherNames: Error, CustomStringConvertible {
    let description = "its list of nodes is not ours"
  }
}

/// The whole cluster's keys under the name and with the commands of Skynet's example.
actor SimpleDB: SkeinService {
  nonisolated let context: SkeinContext
  private let server: RESPServer
  private let router: CommandRouter

  init(_ context: SkeinContext, _ server: RESPServer) {
    self.context = context
    self.server = server
    router = server.routerForNodes(forwards: true)
  }

  static let commands: CommandTable<SimpleDB> = [
    Command("GET") { (db: isolated SimpleDB, key: Value) async throws in try await db.get(key) },
    Command("get") { (db: isolated SimpleDB, key: Value) async throws in try await db.get(key) },
    Command("SET") { (db: isolated SimpleDB, key: Value, value: Value) async throws in try await db.set(key, value) },
    Command("set") { (db: isolated SimpleDB, key: Value, value: Value) async throws in try await db.set(key, value) },
    Command("DEL") { (db: isolated SimpleDB, key: Value) async throws in try await db.delete(key) },
  ]

  private func get(_ key: Value) async throws -> Value { try await ask([Array("GET".utf8), try Self.text(key)]) }

  /// Answers the value before, or nil.
  private func set(_ key: Value, _ value: Value) async throws -> Value {
    try await ask([Array("SET".utf8), try Self.text(key), try Self.text(value), Array("GET".utf8)])
  }

  /// Answers how many keys there were to delete: 0 or 1.
  private func delete(_ key: Value) async throws -> Value { try await ask([Array("DEL".utf8), try Self.text(key)]) }

  private func ask(_ words: [[UInt8]]) async throws -> Value {
    var writer = ReplyWriter()
    writer.array(words.count)
    for word in words { writer.bulk(word.span) }
    switch SimpleReply(await server.run(writer.bytes, router)) {
    case .none: return .nil
    case .bytes(let bytes): return Value(bytes)
    case .integer(let number): return .integer(number)
    case .failure(let text): throw Refusal(description: text)
    }
  }

  /// Strings as they are, numbers as their decimal text.
  private static func text(_ value: Value) throws -> [UInt8] {
    switch value {
    case .bytes(let bytes): return Array(bytes)
    case .integer(let number): return Array("\(number)".utf8)
    case .double(let number): return Array("\(number)".utf8)
    default: throw Refusal(description: "a key or value is a string or a number, not \(value.kind)")
    }
  }

  private struct Refusal: Error, CustomStringConvertible {
    let description: String
  }
}
