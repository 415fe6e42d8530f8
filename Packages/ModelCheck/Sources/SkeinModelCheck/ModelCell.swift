// ModelCell: plain memory of a checked program: accesses that nothing orders are a failure.

internal import SkeinPlatform

/// A variable of a checked program, which only ordered accesses may share.
///
/// - Thread safety: the threads of one run.
public final class ModelCell<Value>: @unchecked Sendable {
  // @unchecked: touched by whoever has the run's baton.
  private var content: Value
  private var writer = 0
  private var writtenIn: Int
  /// The epoch of each thread's last read since the last write.
  private var reads: [Int: Int] = [:]

  /// A cell that the calling thread has written.
  public init(_ value: Value) {
    content = value
    writer = unsafe Run.current?.thread ?? 0
    writtenIn = unsafe Run.current.map { $0.view.epoch(of: $0.thread) } ?? 0
  }

  /// What is in it.
  public var value: Value {
    get {
      if let run = unsafe Run.current {
        check(run, "read")
        reads[run.thread] = run.view.epoch(of: run.thread)
      }
      return content
    }
    set {
      if let run = unsafe Run.current {
        check(run, "written")
        for (thread, epoch) in reads where thread != run.thread && !run.view.knows(epoch: epoch, of: thread) {
          run.fail("a cell is written while another thread may still read it")
        }
        reads = [:]
        writer = run.thread
        writtenIn = run.view.epoch(of: run.thread)
      }
      content = newValue
    }
  }

  private func check(_ run: Run, _ what: String) {
    if writer != run.thread && !run.view.knows(epoch: writtenIn, of: writer) {
      run.fail("a cell is \(what) while another thread's write of it is not known")
    }
  }
}
