import Foundation
import SkeinSocketIOTesting
import Testing

@Suite("Random schedules over a simulated network") struct RandomScheduleTests {
  /// The seeds to try: one (SKEIN_SEED), a number of them (SKEIN_SCHEDULES), many (SKEIN_SOAK), or enough for each day.
  static var seeds: Range<UInt64> {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["SKEIN_SEED"].flatMap(UInt64.init) { return seed..<seed + 1 }
    if let count = environment["SKEIN_SCHEDULES"].flatMap(UInt64.init) { return 0..<count }
    #if SKEIN_TSAN
    return 0..<1_000  // one thread: the sanitizer has nothing to see
    #else
    return environment["SKEIN_SOAK"] == "1" ? 0..<20_000 : 0..<1_000
    #endif
  }

  @Test func `bytes arrive in order and once, ends come last, and nothing is left`() {
    var bytes = 0
    for seed in Self.seeds {
      let schedule = RandomSchedule(seed: seed)
      schedule.run()
      #expect(schedule.problems.isEmpty, "SKEIN_SEED=\(seed) replays it")
      bytes += schedule.bytesReceived
    }
    #expect(bytes > 0)
  }

  @Test func `one seed gives one run, and another gives another`() {
    var checksums: Set<UInt64> = []
    for seed in 0..<50 as Range<UInt64> {
      let first = RandomSchedule(seed: seed)
      first.run()
      let second = RandomSchedule(seed: seed)
      second.run()
      #expect(first.network.checksum == second.network.checksum)
      #expect(first.network.now == second.network.now)
      checksums.insert(first.network.checksum)
    }
    #expect(checksums.count == 50)
  }
}
