// Many orders, one for each seed; a failure tells its seed, and SKEIN_SEED replays it.

internal import Glibc
public import SkeinScheduler

extension SimulatedScheduler {
  /// The seeds to try: that of the environment's `SKEIN_SEED` alone, or else `standard`.
  public static func seeds(_ standard: Range<UInt64>) -> Range<UInt64> {
    guard let value = unsafe getenv("SKEIN_SEED"), let seed = unsafe UInt64(String(cString: value)) else {
      return standard
    }
    return seed..<seed + 1
  }

  /// Runs `body` with a simulation for each seed.
  ///
  /// ```swift
  /// try SimulatedScheduler.check(seeds: 0..<100) { simulation in
  ///   let sum = try simulation.run { try await transfers(on: simulation.pool) }
  ///   guard sum == 0 else { throw Lost(sum) }
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - seeds: tried in their order, unless `SKEIN_SEED` names one.
  ///   - make: makes the simulation of a seed, for one with other settings.
  ///   - body: throws when something is wrong.
  /// - Returns: ``SimulatedScheduler/orderHash`` of each seed.
  /// - Throws: ``SeedFailure`` for the first seed whose `body` throws; its description says how to replay it.
  @discardableResult
  public static func check(
    seeds: Range<UInt64>, making make: (UInt64) -> SimulatedScheduler = { SimulatedScheduler(seed: $0) },
    _ body: (SimulatedScheduler) throws -> Void
  ) throws(SeedFailure) -> [UInt64] {
    var hashes: [UInt64] = []
    for seed in self.seeds(seeds) {
      let simulation = make(seed)
      do {
        try body(simulation)
      } catch {
        throw SeedFailure(seed: seed, cause: error, lastSteps: simulation.lastSteps)
      }
      hashes.append(simulation.orderHash)
    }
    return hashes
  }
}

/// A seed under which something was wrong.
public struct SeedFailure: Error, CustomStringConvertible {
  /// Which order it was.
  public let seed: UInt64
  /// What was wrong.
  public let cause: any Error
  /// The simulation's last steps, oldest first.
  public let lastSteps: [String]

  /// What was wrong, how to replay it, and the last steps.
  public var description: String {
    if let cause = cause as? SimulationError { return cause.description }
    return "\(cause) (SKEIN_SEED=\(seed) replays it)\n" + lastSteps.joined(separator: "\n")
  }
}
