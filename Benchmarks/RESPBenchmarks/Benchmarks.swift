import Benchmark
import BenchmarkSupport
import RESPCases

let benchmarks: @Sendable () -> Void = { register(respCases) }
