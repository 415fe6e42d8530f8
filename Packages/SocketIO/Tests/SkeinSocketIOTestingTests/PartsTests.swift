import SkeinPlatform
import Testing

@testable import SkeinSocketIOTesting

@Suite("Parts of the simulated network") struct PartsTests {
  @Test func `the agenda gives by time, then by tie, then by age`() {
    var random = SeededRandom(seed: 7)
    for count in 0..<40 {
      var agenda = EventHeap()
      var expected: [(time: Int64, tie: UInt32, number: UInt64)] = []
      for number in 0..<count {
        let time = Int64(random.below(5))
        let tie = UInt32(random.below(2))
        agenda.insert(.timer(UInt64(number)), at: time, tie: tie)
        expected.append((time, tie, UInt64(number)))
      }
      expected.sort { ($0.time, $0.tie, $0.number) < ($1.time, $1.tie, $1.number) }
      for entry in expected {
        let first = agenda.first
        #expect(first?.time == entry.time)
        #expect(first.map { "\($0.happening)" } == "timer(\(entry.number))")
        agenda.removeFirst()
      }
      #expect(agenda.first == nil)
    }
  }

  @Test func `sizes stay in their range and reach both ends`() {
    var random = SeededRandom(seed: 1)
    for range in [0...0, 0...1, 1...1, 1...7, 5...9, 1...65_536, 8...8, 1_000...1_023] {
      var seen: Set<Int> = []
      for _ in 0..<20_000 {
        let size = random.size(in: range)
        #expect(range.contains(size))
        seen.insert(size)
      }
      #expect(seen.contains(range.lowerBound))
      if range.count < 1_000 { #expect(seen.count == range.count) }
    }
  }

  @Test func `the numbers of a seed are those of SplitMix64`() {
    var random = SeededRandom(seed: 1_234_567)
    let known: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
    ]
    for number in known { #expect(random.next() == number) }
  }

  @Test func `a queue gives out what went in, however it is taken`() {
    var queue = FIFO<Int>()
    var random = SeededRandom(seed: 3)
    var into = 0
    var out = 0
    for _ in 0..<2_000 {
      let more = random.below(20)
      queue.append(contentsOf: into..<into + more)
      into += more
      let count = random.below(queue.count + 1)
      #expect(queue.take(count) == Array(out..<out + count))
      out += count
      #expect(queue.count == into - out)
      #expect(queue.first == (into == out ? nil : out))
    }
  }
}
