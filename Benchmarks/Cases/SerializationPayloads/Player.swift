// Player: a game's record, as a type that writes and reads itself.

public import SkeinSerialization

/// A character of a game: 20 fields, three records within, three arrays; 563 bytes on the wire.
public struct Player: Equatable, Sendable {
  var id: Int64 = 0
  var name = ""
  var account = ""
  var level: Int64 = 0
  var exp: Int64 = 0
  var gold: Int64 = 0
  var vip = false
  var hp = 0.0
  var mp = 0.0
  var speed = 0.0
  var created: Int64 = 0
  var lastLogin: Int64 = 0
  var guild = ""
  var title = ""
  var pos = Position()
  var stats = Stats()
  var equip = Equipment()
  var items: [Int64] = []
  var skills: [Int64] = []
  var friends: [String] = []
}

struct Position: Equatable, Sendable {
  var x = 0.0
  var y = 0.0
  var z = 0.0
  var map: Int64 = 0
}

struct Stats: Equatable, Sendable {
  var str: Int64 = 0
  var agi: Int64 = 0
  var int: Int64 = 0
  var vit: Int64 = 0
  var luck: Int64 = 0
  var crit = 0.0
}

struct Item: Equatable, Sendable {
  var id: Int64 = 0
  var level: Int64 = 0
  var quality: Int64 = 0
}

struct Equipment: Equatable, Sendable {
  var weapon = Item()
  var armor = Item()
}

extension Player {
  /// The player whose bytes are measured.
  public static let sample = Player(
    id: 1_000_123, name: "Aldric of the Vale", account: "aldric@example.com", level: 57, exp: 8_812_345_678,
    gold: 1_250_000, vip: true, hp: 8731.5, mp: 412.25, speed: 5.75, created: 1_700_000_000,
    lastLogin: 1_731_999_999, guild: "Silver Hand", title: "Warden",
    pos: Position(x: 1024.5, y: -88.25, z: 300.125, map: 12),
    stats: Stats(str: 88, agi: 67, int: 45, vit: 90, luck: 12, crit: 0.135),
    equip: Equipment(
      weapon: Item(id: 30_012, level: 15, quality: 4), armor: Item(id: 31_007, level: 12, quality: 3)),
    items: (1...10).map { 20_000 + $0 * 37 }, skills: Array(1...10), friends: (1001...1010).map { "player-\($0)" })

  /// A number that depends on every part of what was read.
  public var checksum: Int64 {
    id &+ level &+ gold &+ lastLogin &+ pos.map &+ stats.luck &+ equip.armor.quality &+ (items.last ?? 0)
      &+ (skills.last ?? 0) &+ Int64(name.utf8.count + (friends.last?.utf8.count ?? 0))
  }
}

// MARK: On the wire

extension Player: SeriWritable, SeriReadable {
  enum Key: String, CaseIterable, Sendable {
    case id, name, account, level, exp, gold, vip, hp, mp, speed, created, lastLogin, guild, title, pos, stats, equip
    case items, skills, friends
  }
  static let keys = SeriKeys<Key>()

  /// Writes a table of pairs.
  public func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("id", id)
    writer.pair("name", name)
    writer.pair("account", account)
    writer.pair("level", level)
    writer.pair("exp", exp)
    writer.pair("gold", gold)
    writer.pair("vip", vip)
    writer.pair("hp", hp)
    writer.pair("mp", mp)
    writer.pair("speed", speed)
    writer.pair("created", created)
    writer.pair("lastLogin", lastLogin)
    writer.pair("guild", guild)
    writer.pair("title", title)
    writer.pair("pos", pos)
    writer.pair("stats", stats)
    writer.pair("equip", equip)
    writer.pair("items", items)
    writer.pair("skills", skills)
    writer.pair("friends", friends)
    writer.endTable()
  }

  /// Reads a table of pairs in any order.
  public init(reading reader: inout SeriReader) throws(SeriError) {
    self.init()
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .id: id = try reader.read()
      case .name: name = try reader.read()
      case .account: account = try reader.read()
      case .level: level = try reader.read()
      case .exp: exp = try reader.read()
      case .gold: gold = try reader.read()
      case .vip: vip = try reader.read()
      case .hp: hp = try reader.read()
      case .mp: mp = try reader.read()
      case .speed: speed = try reader.read()
      case .created: created = try reader.read()
      case .lastLogin: lastLogin = try reader.read()
      case .guild: guild = try reader.read()
      case .title: title = try reader.read()
      case .pos: pos = try reader.read()
      case .stats: stats = try reader.read()
      case .equip: equip = try reader.read()
      case .items: items = try reader.read()
      case .skills: skills = try reader.read()
      case .friends: friends = try reader.read()
      }
    }
  }
}

extension Position: SeriWritable, SeriReadable {
  enum Key: String, CaseIterable, Sendable { case x, y, z, map }
  static let keys = SeriKeys<Key>()

  func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("x", x)
    writer.pair("y", y)
    writer.pair("z", z)
    writer.pair("map", map)
    writer.endTable()
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .x: x = try reader.read()
      case .y: y = try reader.read()
      case .z: z = try reader.read()
      case .map: map = try reader.read()
      }
    }
  }
}

extension Stats: SeriWritable, SeriReadable {
  enum Key: String, CaseIterable, Sendable { case str, agi, int, vit, luck, crit }
  static let keys = SeriKeys<Key>()

  func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("str", str)
    writer.pair("agi", agi)
    writer.pair("int", int)
    writer.pair("vit", vit)
    writer.pair("luck", luck)
    writer.pair("crit", crit)
    writer.endTable()
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .str: str = try reader.read()
      case .agi: agi = try reader.read()
      case .int: int = try reader.read()
      case .vit: vit = try reader.read()
      case .luck: luck = try reader.read()
      case .crit: crit = try reader.read()
      }
    }
  }
}

extension Item: SeriWritable, SeriReadable {
  enum Key: String, CaseIterable, Sendable { case id, level, quality }
  static let keys = SeriKeys<Key>()

  func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("id", id)
    writer.pair("level", level)
    writer.pair("quality", quality)
    writer.endTable()
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .id: id = try reader.read()
      case .level: level = try reader.read()
      case .quality: quality = try reader.read()
      }
    }
  }
}

extension Equipment: SeriWritable, SeriReadable {
  enum Key: String, CaseIterable, Sendable { case weapon, armor }
  static let keys = SeriKeys<Key>()

  func write(to writer: inout SeriWriter) {
    writer.beginTable()
    writer.pair("weapon", weapon)
    writer.pair("armor", armor)
    writer.endTable()
  }

  init(reading reader: inout SeriReader) throws(SeriError) {
    var record = try reader.beginRecord(Self.keys)
    while let key = try reader.nextKey(of: &record) {
      switch key {
      case .weapon: weapon = try reader.read()
      case .armor: armor = try reader.read()
      }
    }
  }
}
