// skein: the command.

internal import ArgumentParser

@main
struct SkeinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skein", abstract: "A service runtime, and a node that speaks Redis' protocol.",
    version: "0.1.0", subcommands: [Serve.self, Call.self, Send.self, SeriCommand.self])

  static func main() { main(ArgumentText.escaped(Array(CommandLine.arguments.dropFirst()))) }
}
