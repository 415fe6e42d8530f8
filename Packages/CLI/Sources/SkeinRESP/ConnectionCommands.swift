// ConnectionCommands: what a connection answers without a shard.

/// Answers the commands that need no keys.
struct ConnectionCommands: Sendable {
  let configuration: ServerConfiguration
  let table: CommandTable

  /// Executes `command`, whose arity is right.
  func execute(
    _ command: CommandName, _ request: RequestView, _ session: inout Session, _ writer: inout ReplyWriter
  ) {
    switch command {
    case .ping: ping(request, &writer)
    case .echo: writer.bulk(request[1].span)
    case .select: select(request, &writer)
    case .auth: auth(request, &session, &writer)
    case .hello: hello(request, &session, &writer)
    case .quit:
      session.isClosing = true
      writer.raw("+OK\r\n")
    case .reset:
      session.reset(needsPassword: configuration.password != nil)
      writer.simple("RESET")
    case .client: client(request, &session, &writer)
    case .config: config(request, &writer)
    case .command: commandCommand(request, &writer)
    default: preconditionFailure("a command of the shards is not answered by the connection")
    }
  }

  private func ping(_ request: RequestView, _ writer: inout ReplyWriter) {
    switch request.count {
    case 1: writer.raw("+PONG\r\n")
    case 2: writer.bulk(request[1].span)
    default: writer.error(CommandErrors.wrongArity("ping"))
    }
  }

  private func select(_ request: RequestView, _ writer: inout ReplyWriter) {
    guard let index = IntegerText.parse(request[1].span) else { return writer.error(CommandErrors.notAnInteger) }
    if Int32(exactly: index) == nil {
      return writer.error("ERR value is out of range, value must between -2147483648 and 2147483647")
    }
    if index == 0 { writer.raw("+OK\r\n") } else { writer.error("ERR DB index is out of range") }
  }

  // MARK: Who may enter

  private func auth(_ request: RequestView, _ session: inout Session, _ writer: inout ReplyWriter) {
    if request.count > 3 { return writer.error(CommandErrors.syntax) }
    if request.count == 2 && configuration.password == nil {
      return writer.error(
        "ERR AUTH <password> called without any password configured for the default user. "
          + "Are you sure your configuration is correct?")
    }
    let user = request.count == 3 ? request[1] : Array("default".utf8)
    if admits(user, request[request.count - 1]) {
      session.isAuthenticated = true
      writer.raw("+OK\r\n")
    } else {
      writer.error(CommandErrors.wrongPassword)
    }
  }

  /// Whether `user` may enter with `password`; takes the same time for every wrong password of one length.
  private func admits(_ user: [UInt8], _ password: [UInt8]) -> Bool {
    guard user == Array("default".utf8) else { return false }
    guard let expected = configuration.password else { return true }
    var difference: UInt8 = expected.count == password.count ? 0 : 1
    for index in password.indices {
      difference |= password[index] ^ (expected.isEmpty ? 1 : expected[index % expected.count])
    }
    return difference == 0
  }

  private func hello(_ request: RequestView, _ session: inout Session, _ writer: inout ReplyWriter) {
    if request.count > 1 {
      guard let version = IntegerText.parse(request[1].span) else {
        return writer.error("ERR Protocol version is not an integer or out of range")
      }
      // A client that must say who it is first is told so before it is told that there is no RESP3.
      let mayAsk = session.isAuthenticated || request.count > 2
      if version != 2, version != 3 || mayAsk { return writer.error("NOPROTO unsupported protocol version") }
    }
    var index = 2
    var name: [UInt8]?
    while index < request.count {
      let more = request.count - 1 - index
      if request.equals(index, "AUTH"), more >= 2 {
        guard admits(request[index + 1], request[index + 2]) else { return writer.error(CommandErrors.wrongPassword) }
        session.isAuthenticated = true
        index += 3
      } else if request.equals(index, "SETNAME"), more >= 1 {
        guard Self.isGoodName(request[index + 1]) else { return writer.error(Self.badName) }
        name = request[index + 1]
        index += 2
      } else {
        return writer.error("ERR Syntax error in HELLO option '\(request.text(index))'")
      }
    }
    guard session.isAuthenticated else {
      return writer.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> "
          + "option can be used to authenticate the client and select the RESP protocol version at the same time")
    }
    if let name { session.name = name }
    introduce(session, &writer)
  }

  private func introduce(_ session: Session, _ writer: inout ReplyWriter) {
    writer.array(14)
    writer.bulk("server")
    writer.bulk("redis")
    writer.bulk("version")
    writer.bulk(ServerConfiguration.redisVersion)
    writer.bulk("proto")
    writer.integer(2)
    writer.bulk("id")
    writer.integer(session.id)
    writer.bulk("mode")
    writer.bulk("standalone")
    writer.bulk("role")
    writer.bulk("master")
    writer.bulk("modules")
    writer.array(0)
  }

  // MARK: CLIENT

  static let badName = "ERR Client names cannot contain spaces, newlines or special characters."

  static func isGoodName(_ name: [UInt8]) -> Bool { name.allSatisfy { $0 >= 0x21 && $0 <= 0x7E } }

  private func client(_ request: RequestView, _ session: inout Session, _ writer: inout ReplyWriter) {
    if request.equals(1, "ID") {
      writer.integer(session.id)
    } else if request.equals(1, "GETNAME") {
      if session.name.isEmpty { writer.nullBulk() } else { writer.bulk(session.name.span) }
    } else if request.equals(1, "SETNAME") {
      guard Self.isGoodName(request[2]) else { return writer.error(Self.badName) }
      session.name = request[2]
      writer.raw("+OK\r\n")
    } else if request.equals(1, "SETINFO") {
      writer.raw("+OK\r\n")
    } else if request.equals(1, "REPLY") {
      reply(request, &session, &writer)
    } else {
      help(.client, &writer)
    }
  }

  private func reply(_ request: RequestView, _ session: inout Session, _ writer: inout ReplyWriter) {
    if request.equals(2, "ON") {
      session.replyMode = .on
      writer.raw("+OK\r\n")
    } else if request.equals(2, "OFF") {
      session.replyMode = .off
    } else if request.equals(2, "SKIP") {
      if session.replyMode == .on { session.replyMode = .skipNext }
    } else {
      writer.error(CommandErrors.syntax)
    }
  }

  /// Lists the subcommands that there are.
  func help(_ command: CommandName, _ writer: inout ReplyWriter) {
    let lines = Subcommand.all(of: command).map(\.name)
    let name = command.name.uppercased()
    writer.array(lines.count + 1)
    writer.simple("\(name) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    for line in lines { writer.simple(line.uppercased()) }
  }
}
