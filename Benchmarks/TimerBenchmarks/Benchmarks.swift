import Benchmark
import BenchmarkSupport
import TimerCases

let benchmarks: @Sendable () -> Void = { register(timerCases) }
