import CaseSupport
import MailboxCases
import RESPCases
import RuntimeCases
import SchedulerCases
import SerializationCases
import SocketIOCases
import Testing
import TimerCases

private let allCases =
  mailboxCases + timerCases + schedulerCases + socketIOCases + serializationCases + runtimeCases + respCases

@Suite("Benchmark cases", .serialized) struct CasesTests {
  @Test(arguments: allCases)
  func `a case ends with the checksum of its count`(layerCase: LayerCase) throws {
    let sum = try layerCase.run(layerCase.testCount, NoMeter())
    #expect(sum == layerCase.expected(layerCase.testCount))
  }

  @Test func `names are different and have three parts`() {
    #expect(Set(allCases.map(\.name)).count == allCases.count)
    for layerCase in allCases { #expect(layerCase.name.split(separator: "/").count == 3) }
  }
}
