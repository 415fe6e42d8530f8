// Poll: the wait for a state of another process that tells nobody when it comes about.

import Glibc

/// Looks again and again.
enum Poll {
  /// Looks every 5 ms until `body` has a value; fails once the hang guard is reached.
  ///
  /// For what can only be asked for: a line of a log, what INFO says, whether a key has come.
  static func until<Value>(_ title: String, _ body: () throws -> Value?) throws -> Value {
    let end = ContinuousClock.now + .seconds(Environment.hangGuardSeconds)
    while true {
      if let value = try body() { return value }
      guard ContinuousClock.now < end else { throw Failure("\(title): not within \(Environment.hangGuardSeconds) s") }
      Interval.pass(milliseconds: 5)
    }
  }

  /// Looks every 5 ms until `condition` holds.
  static func until(_ title: String, _ condition: () throws -> Bool) throws {
    _ = try until(title) { try condition() ? true : nil }
  }
}
