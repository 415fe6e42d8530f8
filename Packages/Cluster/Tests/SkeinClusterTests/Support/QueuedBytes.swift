// What drivers tell as a number of sent bytes, told as the number of those that still wait.

import SkeinPlatform

@testable import SkeinCluster

extension LinkMachine {
  /// So many bytes that were taken are not the kernel's yet.
  mutating func queuedBytes(_ attempt: UInt64, _ count: Int) { sentBytes(attempt, writer.takenBytes - count) }
}

extension AcceptorMachine {
  /// So many bytes that were taken are not the kernel's yet.
  mutating func queuedBytes(_ count: Int, now: MonotonicInstant) { sentBytes(writer.takenBytes - count, now: now) }
}
