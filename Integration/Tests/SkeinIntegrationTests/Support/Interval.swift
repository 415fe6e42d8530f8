// Interval: the one wait of this package that is for time and not for an event.

import Glibc

/// Lets wall-clock time pass.
///
/// Some things can only be seen over an interval: the tests that show that a node uses processor time or none use it
/// and say so. No test depends on its exact length.
enum Interval {
  static func pass(milliseconds: Int) {
    poll(nil, 0, Int32(milliseconds))
  }
}
