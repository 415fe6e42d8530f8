import Testing
extension Integration {
  @Suite("Start") struct ReadyTests {
    @Test(arguments: IOBackend.allCases)
    func `the first line says that the node is ready, where it listens and with which backend`(io: IOBackend) throws {
      try withNode(io, ["--name", "blackbird"]) { node in
        #expect(node.readyLine.contains("name=blackbird"))
        try #expect(node.client().ask("PING") == .pong)
      }
    }
  }
}
