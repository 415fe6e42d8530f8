import Skein

actor SimpleDB: SkeinService {
  nonisolated let context: SkeinContext
  private var table: [String: String] = [:]
  init(_ context: SkeinContext) { self.context = context }

  static let get = Command("GET") { (db: isolated SimpleDB, key: String) in db.table[key] }
  static let set = Command("SET") { (db: isolated SimpleDB, key: String, value: String) in
    db.table.updateValue(value, forKey: key)
  }
  static let commands: CommandTable<SimpleDB> = [get, set]
}

let node = try SkeinNode()
let db = try await node.spawn(named: "simpledb") { SimpleDB($0) }
let old = try await db.call(SimpleDB.set, "hello", "world")
print(old ?? "nothing was there", "->", try await db.call(SimpleDB.get, "hello") ?? "nothing is there")
await node.shutDown()
