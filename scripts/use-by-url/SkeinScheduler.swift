import SkeinScheduler

let pool = try WorkerPool(workers: 1)
let strand = try Strand(pool: pool, label: "mine")
let answer = await Task(executorPreference: strand) { strand.isIsolatingCurrentContext() == true ? 42 : 0 }.value
precondition(answer == 42)
pool.shutDown()
