// SchedulerCases: what strands cost, on one worker and on two.

public import CaseSupport
internal import SkeinScheduler

/// The scheduler layer's cases.
public let schedulerCases: [LayerCase] =
  [1, 2].flatMap { workers in
    let suffix = workers == 1 ? "1-worker" : "\(workers)-workers"
    return [
      LayerCase("Scheduler/flood-1-to-1/\(suffix)", count: 1_000_000) { try flood($0, senders: 1, workers, $1) },
      LayerCase("Scheduler/flood-8-to-1/\(suffix)", count: 1_000_000) { try flood($0, senders: 8, workers, $1) },
      LayerCase("Scheduler/ping-pong/\(suffix)", count: 100_000) { try ring($0, strands: 2, workers, $1) },
      LayerCase("Scheduler/ring-1000/\(suffix)", count: 200_000) { try ring($0, strands: 1_000, workers, $1) },
      LayerCase("Scheduler/actor-hop/\(suffix)", count: 100_000) { try hops($0, workers, $1) },
      LayerCase("Scheduler/task-per-message/\(suffix)", count: 20_000) { try tasks($0, workers, $1) },
      LayerCase("Scheduler/wake-from-outside/\(suffix)", count: 300, testCount: 20) { try wakes($0, workers, $1) },
    ]
  } + [
    LayerCase("Scheduler/enter-leave/in-place", count: 1_000_000, run: enterAndLeave),
    LayerCase("Scheduler/strand/bytes-at-rest", count: 100_000, testCount: 100, run: restingStrands),
  ]

/// Runs `body` with a pool that ends afterwards.
func withPool<Result>(_ workers: Int, _ body: (WorkerPool) throws -> Result) throws -> Result {
  let pool = try WorkerPool(workers: workers)
  defer { pool.shutDown() }
  return try body(pool)
}
