// CommandName: the command table: names, arities, flags and where the keys stand.

/// A command that `skein serve` knows.
///
/// Raw values are not stable between versions.
public enum CommandName: UInt8, CaseIterable, Sendable {
  // The most frequent first: looking up a name tries them in this order.
  case get, set, incr, mget, mset, del, exists, ping
  case incrby, decr, decrby, expire, pexpire, ttl, pttl, persist, unlink
  case dbsize, flushall, flushdb
  case echo, command, config, info, auth, select, quit, hello, client, reset

  /// The name as clients write it, in lower case; at most eight bytes.
  public var name: String { "\(self)" }

  /// What the command table says about this command.
  var entry: CommandEntry {
    switch self {
    case .get: CommandEntry(2, [.readonly, .fast], .oneKey)
    case .set: CommandEntry(-3, [.write, .denyOOM], .oneKey)
    case .incr, .decr: CommandEntry(2, [.write, .denyOOM, .fast], .oneKey)
    case .incrby, .decrby: CommandEntry(3, [.write, .denyOOM, .fast], .oneKey)
    case .mget: CommandEntry(-2, [.readonly, .fast], .manyKeys(step: 1))
    case .mset: CommandEntry(-3, [.write, .denyOOM], .manyKeys(step: 2))
    case .del, .unlink: CommandEntry(-2, self == .del ? [.write] : [.write, .fast], .manyKeys(step: 1))
    case .exists: CommandEntry(-2, [.readonly, .fast], .manyKeys(step: 1))
    case .expire, .pexpire: CommandEntry(-3, [.write, .fast], .oneKey)
    case .ttl, .pttl: CommandEntry(2, [.readonly, .fast], .oneKey)
    case .persist: CommandEntry(2, [.write, .fast], .oneKey)
    case .dbsize: CommandEntry(1, [.readonly, .fast], .everywhere)
    case .flushall, .flushdb: CommandEntry(-1, [.write], .everywhere)
    case .ping: CommandEntry(-1, [.fast], .connection)
    case .echo, .select: CommandEntry(2, self == .echo ? [.fast] : [.loading, .stale, .fast], .connection)
    case .command: CommandEntry(-1, [.loading, .stale], .connection)
    case .config: CommandEntry(-2, [.admin, .noScript, .loading, .stale], .connection)
    case .info: CommandEntry(-1, [.loading, .stale], .everywhere)
    case .auth: CommandEntry(-2, [.noScript, .loading, .stale, .fast, .noAuth], .connection)
    case .quit: CommandEntry(-1, [.noScript, .loading, .stale, .fast, .noAuth], .connection)
    case .hello: CommandEntry(-1, [.noScript, .loading, .stale, .fast, .noAuth], .connection)
    case .client: CommandEntry(-2, [.noScript, .loading, .stale], .connection)
    case .reset: CommandEntry(1, [.noScript, .loading, .stale, .fast, .noAuth], .connection)
    }
  }
}

/// One line of the command table.
struct CommandEntry: Sendable {
  /// Who answers a command.
  enum Place: Sendable, Equatable {
    /// The connection itself.
    case connection
    /// The shard of the first argument.
    case oneKey
    /// The shards of every `step`-th argument.
    case manyKeys(step: Int)
    /// Every shard.
    case everywhere
  }

  /// Redis' command flags that mean something here.
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt16
    static let write = Flags(rawValue: 1), readonly = Flags(rawValue: 2), denyOOM = Flags(rawValue: 4)
    static let admin = Flags(rawValue: 8), noScript = Flags(rawValue: 16), loading = Flags(rawValue: 32)
    static let stale = Flags(rawValue: 64), fast = Flags(rawValue: 128), noAuth = Flags(rawValue: 256)

    /// The flags as COMMAND INFO spells them.
    var names: [String] {
      let all: [(Flags, String)] = [
        (.write, "write"), (.readonly, "readonly"), (.denyOOM, "denyoom"), (.admin, "admin"), (.noScript, "noscript"),
        (.loading, "loading"), (.stale, "stale"), (.fast, "fast"), (.noAuth, "no_auth"),
      ]
      return all.filter { contains($0.0) }.map(\.1)
    }
  }

  /// Arguments with the name: exactly this many, or at least its magnitude when negative.
  let arity: Int
  let flags: Flags
  let place: Place

  init(_ arity: Int, _ flags: Flags, _ place: Place) {
    self.arity = arity
    self.flags = flags
    self.place = place
  }

  /// Whether `count` arguments, the name among them, are right.
  func accepts(_ count: Int) -> Bool { arity >= 0 ? count == arity : count >= -arity }

  /// First key, last key and step, as COMMAND INFO gives them.
  var keyPositions: (first: Int, last: Int, step: Int) {
    switch place {
    case .connection, .everywhere: (0, 0, 0)
    case .oneKey: (1, 1, 1)
    case .manyKeys(let step): (1, -1, step)
    }
  }
}

/// Finds commands by name.
struct CommandTable: Sendable {
  private let packed: [UInt64]
  /// The table's lines, by `CommandName.rawValue`.
  let entries: [CommandEntry]

  init() {
    packed = CommandName.allCases.map { Self.pack(Array($0.name.utf8).span)! }
    entries = CommandName.allCases.map(\.entry)
  }

  /// The command called `name` in any mixture of upper and lower case.
  func find(_ name: Span<UInt8>) -> CommandName? {
    guard let key = Self.pack(name), let index = packed.firstIndex(of: key) else { return nil }
    return CommandName(rawValue: UInt8(index))
  }

  /// Up to eight letters in lower case in one word; nil for what can be no command's name.
  private static func pack(_ name: Span<UInt8>) -> UInt64? {
    guard name.count > 0, name.count <= 8 else { return nil }
    var word: UInt64 = 0
    for index in name.indices {
      let letter = name[index] | 0x20
      guard letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "z") else { return nil }
      word = word << 8 | UInt64(letter)
    }
    return word
  }
}
