import Benchmark
import BenchmarkSupport
import SchedulerCases

let benchmarks: @Sendable () -> Void = { register(schedulerCases) }
