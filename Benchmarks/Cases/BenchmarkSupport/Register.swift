// Register: makes the tool's benchmarks out of cases.

internal import Benchmark
public import CaseSupport
internal import Glibc
internal import SkeinPlatform

/// Registers `cases` with the tool.
///
/// Each run of a case is one sample: time and CPU time for one operation, in picoseconds, since the tool counts in
/// whole units and our operations take few nanoseconds. Cases about latency report every operation's, in nanoseconds.
public func register(_ cases: [LayerCase]) {
  for layerCase in cases {
    let configuration = Benchmark.Configuration(
      metrics: [wallMetric, processorMetric, latencyMetric, bytesMetric],
      units: [wallMetric: .count, processorMetric: .count, latencyMetric: .count, bytesMetric: .count],
      warmupIterations: 2, scalingFactor: .one, maxDuration: .seconds(3), maxIterations: 31)
    Benchmark(layerCase.name, configuration: configuration) { benchmark in
      let meter = ToolMeter(benchmark, count: layerCase.count)
      let sum = try layerCase.run(layerCase.count, meter)
      precondition(sum == layerCase.expected(layerCase.count), "\(layerCase.name) ended with a wrong checksum: \(sum)")
    }
  }
}

private let wallMetric = BenchmarkMetric.custom("Time each (ps)", useScalingFactor: false)
private let processorMetric = BenchmarkMetric.custom("CPU time each (ps)", useScalingFactor: false)
private let latencyMetric = BenchmarkMetric.custom("Latency (ns)", useScalingFactor: false)
private let bytesMetric = BenchmarkMetric.custom("Bytes each", useScalingFactor: false)

/// Hands the readings of one run to the tool.
private final class ToolMeter: Meter {
  private let benchmark: Benchmark
  private let count: Int
  private var startedAt = MonotonicInstant(nanoseconds: 0)
  private var processorAtStart: Int64 = 0

  init(_ benchmark: Benchmark, count: Int) {
    self.benchmark = benchmark
    self.count = count
  }

  func start() {
    processorAtStart = processorTime()
    startedAt = .now
  }

  func stop() {
    let wall = startedAt.duration(to: .now).nanosecondsClamped
    let processor = processorTime() - processorAtStart
    benchmark.measurement(wallMetric, Int(wall) * 1_000 / count)
    benchmark.measurement(processorMetric, Int(processor) * 1_000 / count)
  }

  func latency(nanoseconds: Int64) { benchmark.measurement(latencyMetric, Int(nanoseconds)) }

  func bytesEach(_ bytes: Int) { benchmark.measurement(bytesMetric, bytes) }

  /// CPU time of all threads of the process, in nanoseconds.
  private func processorTime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
