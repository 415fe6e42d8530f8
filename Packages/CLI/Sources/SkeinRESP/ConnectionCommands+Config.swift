// ConnectionCommands+Config: CONFIG and COMMAND.

extension ConnectionCommands {
  /// The parameters that CONFIG GET tells, as Redis names them.
  private var parameters: [(name: String, value: String)] {
    [
      ("appendonly", "no"), ("bind", configuration.address), ("databases", "1"),
      ("maxclients", "\(configuration.maxClients)"), ("maxmemory", "\(configuration.maxMemoryBytes ?? 0)"),
      ("maxmemory-policy", "noeviction"), ("port", "\(configuration.port)"),
      ("proto-max-bulk-len", "\(configuration.limits.bulkBytes)"), ("save", ""), ("timeout", "0"),
    ]
  }

  func config(_ request: RequestView, _ writer: inout ReplyWriter) {
    if request.equals(1, "GET") {
      getConfig((2..<request.count).map { request.text($0) }, &writer)
    } else if request.equals(1, "SET") {
      setConfig(request, &writer)
    } else if request.equals(1, "RESETSTAT") {
      writer.raw("+OK\r\n")
    } else if request.equals(1, "REWRITE") {
      writer.error("ERR The server is running without a config file")
    } else {
      help(.config, &writer)
    }
  }

  /// Tells each parameter that a pattern matches once; a name asked for as such is answered as it was spelled.
  private func getConfig(_ patterns: [String], _ writer: inout ReplyWriter) {
    let found = parameters.compactMap { parameter -> (name: String, value: String)? in
      guard let pattern = patterns.first(where: { Glob.matches($0.lowercased(), parameter.name) }) else { return nil }
      let isName = pattern.lowercased() == parameter.name
      return (isName ? pattern : parameter.name, parameter.value)
    }
    writer.array(found.count * 2)
    for (name, value) in found {
      writer.bulk(name)
      writer.bulk(value)
    }
  }

  /// Nothing can be set while we run.
  private func setConfig(_ request: RequestView, _ writer: inout ReplyWriter) {
    if request.count % 2 != 0 { return writer.error("ERR wrong number of arguments for 'config|set' command") }
    for index in stride(from: 2, to: request.count, by: 2)
    where !parameters.contains(where: { $0.name == request.text(index).lowercased() }) {
      var text = Array("ERR Unknown option or number of arguments for CONFIG SET - '".utf8)
      CommandErrors.append(request[index].span, limit: .max, to: &text)
      return writer.error(text + Array("'".utf8))
    }
    writer.error(
      "ERR CONFIG SET failed (possibly related to argument '\(request.text(2))') - can't set immutable config")
  }

  // MARK: COMMAND

  func commandCommand(_ request: RequestView, _ writer: inout ReplyWriter) {
    if request.count == 1 || (request.count == 2 && request.equals(1, "INFO")) {
      writer.array(CommandName.allCases.count)
      for command in CommandName.allCases { describe(command, &writer) }
    } else if request.equals(1, "COUNT") {
      writer.integer(Int64(CommandName.allCases.count))
    } else if request.equals(1, "DOCS") {
      writer.array(0)
    } else if request.equals(1, "INFO") {
      writer.array(request.count - 2)
      for index in 2..<request.count {
        if let command = table.find(request[index].span) { describe(command, &writer) } else { writer.nullBulk() }
      }
    } else if request.equals(1, "LIST") {
      if request.count > 2 { return writer.error(CommandErrors.syntax) }
      writer.array(CommandName.allCases.count)
      for command in CommandName.allCases { writer.bulk(command.name) }
    } else if request.equals(1, "GETKEYS") {
      keys(request, &writer)
    } else {
      help(.command, &writer)
    }
  }

  private func describe(_ command: CommandName, _ writer: inout ReplyWriter) {
    let entry = command.entry
    let keys = entry.keyPositions
    writer.array(10)
    writer.bulk(command.name)
    writer.integer(Int64(entry.arity))
    let flags = entry.flags.names
    writer.array(flags.count)
    for flag in flags { writer.simple(flag) }
    writer.integer(Int64(keys.first))
    writer.integer(Int64(keys.last))
    writer.integer(Int64(keys.step))
    for _ in 0..<4 { writer.array(0) }
  }

  private func keys(_ request: RequestView, _ writer: inout ReplyWriter) {
    guard let command = table.find(request[2].span) else { return writer.error("ERR Invalid command specified") }
    let entry = command.entry
    let (first, last, step) = entry.keyPositions
    if first == 0 { return writer.error("ERR The command has no key arguments") }
    guard entry.accepts(request.count - 2) else {
      return writer.error("ERR Invalid number of arguments specified for command")
    }
    let indices = Array(stride(from: 2 + first, to: last < 0 ? request.count : 3 + last, by: step))
    writer.array(indices.count)
    for index in indices { writer.bulk(request[index].span) }
  }
}

/// Redis' glob patterns, as far as `*` and `?` go; other characters stand for themselves.
enum Glob {
  /// Whether `text` has the form of `pattern`; O(product of the lengths), without recursion.
  static func matches(_ pattern: String, _ text: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let text = Array(text.utf8)
    var (inPattern, inText) = (0, 0)
    var retry: (pattern: Int, text: Int)?
    while inText < text.count {
      if inPattern < pattern.count, pattern[inPattern] == UInt8(ascii: "*") {
        inPattern += 1
        retry = (inPattern, inText)
      } else if inPattern < pattern.count,
        pattern[inPattern] == UInt8(ascii: "?") || pattern[inPattern] == text[inText]
      {
        inPattern += 1
        inText += 1
      } else if let last = retry {
        retry = (last.pattern, last.text + 1)
        (inPattern, inText) = (last.pattern, last.text + 1)
      } else {
        return false
      }
    }
    return pattern[inPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
