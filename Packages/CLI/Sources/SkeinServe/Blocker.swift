// Blocker: a service that does what none should: it keeps its worker for 5 ms at a time.

public import Skein
internal import SkeinPlatform

/// A service whose handler computes for 5 ms and then sends itself the next message, for tests of what others feel.
public actor Blocker: SkeinService {
  /// The service's connection to its node.
  public nonisolated let context: SkeinContext

  /// Makes a blocker that does nothing until it is sent ``block``.
  public init(_ context: SkeinContext) { self.context = context }

  /// Blocks, again and again.
  public static let block: Command<Blocker, Void, Void> = Command("BLOCK") { (blocker: isolated Blocker) in
    let end = MonotonicInstant.now.advanced(by: .milliseconds(5))
    while MonotonicInstant.now < end { PlatformThread.relax() }
    blocker.reference.send(block)
  }
}
