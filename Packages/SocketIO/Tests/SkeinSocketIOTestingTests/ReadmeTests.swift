import SkeinPlatform
import SkeinSocketIOTesting
import Testing

@Suite("The example of the simulated network") struct ReadmeTests {
  @Test func `it runs, and plays the same again`() throws {
    #expect(try echo(seed: 7).answer == Array("hello".utf8))
    #expect(try echo(seed: 7) == echo(seed: 7))
    #expect(try echo(seed: 7).checksum != echo(seed: 8).checksum)
  }

  struct Outcome: Equatable {
    var answer: [UInt8] = []
    var checksum: UInt64 = 0
  }

  private func echo(seed: UInt64) throws -> Outcome {
    var answer: [UInt8] = []
    let network = SimulatedNetwork(seed: seed, conditions: .rough)
    _ = try network.listen(on: "10.0.0.1:7001")
    network.partition("10.0.0.1", "10.0.0.2")
    network.wake(at: network.now.advanced(by: .seconds(3)), tag: 1)
    let client = network.connect(from: "10.0.0.2", to: "10.0.0.1:7001")
    while let event = network.next() {
      switch event {
      case .timer: network.heal("10.0.0.1", "10.0.0.2")
      case .connected(client):
        network.send(Array("hello".utf8), on: client)
        network.shutdownWrite(client)
      case .received(client, let bytes): answer += bytes
      case .received(let server, let bytes): network.send(bytes, on: server)
      case .receivedEnd(let side): network.close(side)
      default: break
      }
    }
    return Outcome(answer: answer, checksum: network.checksum)
  }
}
