import Benchmark
import BenchmarkSupport
import MailboxCases

let benchmarks: @Sendable () -> Void = { register(mailboxCases) }
