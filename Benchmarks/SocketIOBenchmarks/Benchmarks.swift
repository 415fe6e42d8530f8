import Benchmark
import BenchmarkSupport
import SocketIOCases

let benchmarks: @Sendable () -> Void = { register(socketIOCases) }
