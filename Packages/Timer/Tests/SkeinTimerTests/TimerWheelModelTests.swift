import Foundation
import SkeinTimer
import Testing

/// The wheel beside the obvious thing: a list that is searched.
private struct Model {
  private(set) var armed: [(deadline: UInt64, order: UInt64, handle: TimerHandle)] = []
  var now: UInt64 = 0

  mutating func arm(at deadline: UInt64, order: UInt64, handle: TimerHandle) {
    let due = (max(deadline, now + 1), order, handle)
    let place = armed.firstIndex { timer in timer.deadline > due.0 } ?? armed.endIndex
    armed.insert(due, at: place)
  }

  mutating func remove(at index: Int) -> UInt64 { armed.remove(at: index).order }

  mutating func rearm(_ index: Int, at deadline: UInt64) {
    let timer = armed.remove(at: index)
    arm(at: deadline, order: timer.order, handle: timer.handle)
  }

  mutating func pop(upTo tick: UInt64) -> UInt64? {
    guard let first = armed.first, first.deadline <= tick else {
      now = max(now, tick)
      return nil
    }
    now = max(now, first.deadline)
    return armed.removeFirst().order
  }
}

@Suite("TimerWheel beside a sorted list") struct TimerWheelModelTests {
  private static let rounds = isSoak ? 1_000_000 : 100_000
  static let isSoak = ProcessInfo.processInfo.environment["SKEIN_SOAK"] == "1"

  @Test(arguments: [1, 2, 3, UInt64.random(in: 4...UInt64.max)])
  func `they do the same, whatever is armed, cancelled and handed out`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var wheel = TimerWheel<UInt64>(capacity: 400)
    var model = Model()
    var order: UInt64 = 0
    for round in 0..<Self.rounds / 4 {
      switch UInt64.random(in: 0..<10, using: &generator) {
      case 0..<5 where model.armed.count < 400:
        // Distances of all magnitudes up to 2^40, sometimes in the past.
        let reach = UInt64(1) << UInt64.random(in: 0...40, using: &generator)
        let base = model.now - min(model.now, UInt64.random(in: 0...3, using: &generator))
        let deadline = base + UInt64.random(in: 0...reach, using: &generator)
        let handle = try wheel.arm(at: Tick(deadline), payload: order)
        model.arm(at: deadline, order: order, handle: handle)
        order += 1
      case 5 where !model.armed.isEmpty:
        let index = Int.random(in: 0..<model.armed.count, using: &generator)
        let reach = UInt64(1) << UInt64.random(in: 0...40, using: &generator)
        let deadline = model.now + UInt64.random(in: 0...reach, using: &generator)
        let isArmed = wheel.rearm(model.armed[index].handle, at: Tick(deadline))
        try #require(isArmed)
        model.rearm(index, at: deadline)
      case 6 where !model.armed.isEmpty:
        let index = Int.random(in: 0..<model.armed.count, using: &generator)
        let handle = model.armed[index].handle
        let expected = model.remove(at: index)
        let cancelled = wheel.cancel(handle)
        try #require(cancelled == expected, "seed \(seed), round \(round)")
      default:
        let reach = UInt64(1) << UInt64.random(in: 0...30, using: &generator)
        let tick = model.now + UInt64.random(in: 0...reach, using: &generator)
        var expected: UInt64?
        repeat {
          expected = model.pop(upTo: tick)
          let due = wheel.popExpired(upTo: Tick(tick))
          try #require(due == expected, "seed \(seed), round \(round)")
        } while expected != nil
      }
      let next = wheel.nextExpiry()
      try #require(next?.rawValue == model.armed.first?.deadline, "seed \(seed), round \(round)")
      try #require(wheel.count == model.armed.count, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: [5, UInt64.random(in: 6...UInt64.max)])
  func `very many timers come in the order of a stable sort`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var wheel = TimerWheel<Int>(capacity: Self.rounds)
    var deadlines: [UInt64] = []
    var handles: [TimerHandle] = []
    for payload in 0..<Self.rounds {
      let deadline = UInt64.random(in: 1...60_000, using: &generator)
      deadlines.append(deadline)
      handles.append(try wheel.arm(at: Tick(deadline), payload: payload))
    }
    var expected: [Int] = []
    for payload in 0..<Self.rounds {
      if Bool.random(using: &generator) {
        expected.append(payload)
      } else {
        wheel.cancel(handles[payload])
      }
    }
    expected.sort { left, right in (deadlines[left], left) < (deadlines[right], right) }
    var due: [Int] = []
    for tick in stride(from: UInt64(0), through: 60_000, by: 977) + [60_000] {
      while let payload = wheel.popExpired(upTo: Tick(tick)) { due.append(payload) }
      let next = wheel.nextExpiry()
      #expect(next.map { next in next > Tick(tick) } ?? true)
    }
    #expect(due == expected, "seed \(seed)")
    #expect(wheel.count == 0)
  }
}
