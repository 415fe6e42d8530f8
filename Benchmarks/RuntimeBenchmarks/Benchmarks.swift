import Benchmark
import BenchmarkSupport
import RuntimeCases

let benchmarks: @Sendable () -> Void = { register(runtimeCases) }
