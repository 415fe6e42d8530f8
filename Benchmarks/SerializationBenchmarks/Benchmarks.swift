import Benchmark
import BenchmarkSupport
import SerializationCases

let benchmarks: @Sendable () -> Void = { register(serializationCases) }
