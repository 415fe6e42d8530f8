// PlainAccess: what is known of one piece of plain memory, to find accesses that nothing orders.

/// The last write of a piece of memory, and the reads since then.
struct PlainAccess {
  private var writer: Int
  private var writtenIn: Int
  /// The epoch of each thread's last read since the last write.
  private var reads: [Int: Int] = [:]

  /// The present thread has just made it.
  init(_ run: Run?) {
    writer = run?.thread ?? 0
    writtenIn = run.map { $0.view.epoch(of: $0.thread) } ?? 0
  }

  mutating func read(_ run: Run) {
    checkWriter(run, "read")
    reads[run.thread] = run.view.epoch(of: run.thread)
  }

  mutating func write(_ run: Run) {
    checkWriter(run, "written")
    for (thread, epoch) in reads where thread != run.thread && !run.view.knows(epoch: epoch, of: thread) {
      run.fail("memory is written while another thread may still read it")
    }
    self = PlainAccess(run)
  }

  private func checkWriter(_ run: Run, _ what: String) {
    if writer != run.thread && !run.view.knows(epoch: writtenIn, of: writer) {
      run.fail("memory is \(what) while another thread's write of it is not known")
    }
  }
}
