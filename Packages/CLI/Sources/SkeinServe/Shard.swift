// Shard: one service instance of `simpledb`: the keys whose hash leads to it.

internal import Glibc
public import Skein
internal import SkeinPlatform
public import SkeinRESP
internal import SkeinTimer

/// One of the service instances over which the keys are split.
///
/// Entries whose time is over are removed when they are touched, and, while there are entries with a deadline, a few
/// buckets at a time every 100 ms.
public actor Shard: SkeinService {
  /// The service's connection to its node.
  public nonisolated let context: SkeinContext
  private var keyspace: Keyspace
  private var expiryIsDue = false

  /// Makes an empty shard.
  ///
  /// - Parameter maxMemoryBytes: its part of the memory limit; `nil` for none.
  public init(_ context: SkeinContext, maxMemoryBytes: Int?) {
    self.context = context
    keyspace = Keyspace(maxMemoryBytes: maxMemoryBytes)
  }

  /// Executes one connection's commands.
  public static let execute = Command("EXECUTE") { (shard: isolated Shard, batch: ShardBatch) in shard.run(batch) }
  static let expire = Command("EXPIRE") { (shard: isolated Shard) in shard.expireSome() }
  /// What others may call by name.
  public static let commands: CommandTable<Shard> = [execute, expire]

  private func run(_ batch: ShardBatch) -> ShardReply {
    let reply = keyspace.execute(batch, now: Shard.now())
    if keyspace.deadlineCount > 0 && !expiryIsDue { armExpiry() }
    return reply
  }

  private func armExpiry() {
    let reference = self.reference
    do throws(TimerError) {
      try context.clock.queue.arm(after: .milliseconds(100)) { reference.send(Shard.expire) }
      expiryIsDue = true
    } catch {
      // Entries still go when they are touched, and the next command tries again.
      context.log(.warning, "no timer for expiry", ["error": "\(error)"])
    }
  }

  private func expireSome() {
    expiryIsDue = false
    _ = keyspace.expire(now: Shard.now(), buckets: 4_096)
    if keyspace.deadlineCount > 0 { armExpiry() }
  }

  /// Milliseconds since 1970, as Redis counts deadlines.
  static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
