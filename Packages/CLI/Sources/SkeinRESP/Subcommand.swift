// Subcommand: the second words of CLIENT, COMMAND and CONFIG.

/// A subcommand's name and arity.
struct Subcommand: Sendable {
  let name: String
  /// Arguments with both words: exactly this many, or at least its magnitude when negative.
  let arity: Int

  init(_ name: String, _ arity: Int) {
    self.name = name
    self.arity = arity
  }

  private static let client = [
    Subcommand("getname", 2), Subcommand("help", 2), Subcommand("id", 2), Subcommand("reply", 3),
    Subcommand("setinfo", 4), Subcommand("setname", 3),
  ]
  private static let command = [
    Subcommand("count", 2), Subcommand("docs", -2), Subcommand("getkeys", -4), Subcommand("help", 2),
    Subcommand("info", -2), Subcommand("list", -2),
  ]
  private static let config = [
    Subcommand("get", -3), Subcommand("help", 2), Subcommand("resetstat", 2), Subcommand("rewrite", 2),
    Subcommand("set", -4),
  ]

  /// The subcommands of a command; none for most.
  static func all(of command: CommandName) -> [Subcommand] {
    switch command {
    case .client: client
    case .command: Self.command
    case .config: config
    default: []
    }
  }

  /// What is wrong with a request's second word or its number of arguments, or nil.
  static func fault(_ command: CommandName, _ request: RequestView) -> [UInt8]? {
    let subcommands = all(of: command)
    if subcommands.isEmpty || request.count < 2 { return nil }
    let word = request.text(1).lowercased()
    guard let subcommand = subcommands.first(where: { $0.name == word }) else {
      return CommandErrors.unknownSubcommand(request[1].span, of: command)
    }
    let accepted = subcommand.arity >= 0 ? request.count == subcommand.arity : request.count >= -subcommand.arity
    return accepted ? nil : Array(CommandErrors.wrongArity("\(command.name)|\(subcommand.name)").utf8)
  }
}
