// SessionCounter: the numbers that match answers to requests.

/// Gives session numbers: 1, 2, … 2^31 - 1, and then 1 again, but none that still waits for its answer.
///
/// It belongs to the peer, not to a connection: the numbers go on over a reconnect.
public struct SessionCounter: Hashable, Sendable {
  /// The number that is tried next; never 0.
  public private(set) var upcoming: UInt32

  /// Starts at `first`.
  ///
  /// - Precondition: `first` is 1 to 2^31 - 1.
  public init(first: UInt32 = 1) {
    precondition(first >= 1 && first <= ClusterWire.maxSession, "a session number is 1 to 2^31 - 1")
    upcoming = first
  }

  /// Takes the next number that `isTaken` does not claim.
  ///
  /// - Precondition: fewer than 2^31 - 1 numbers are claimed.
  /// - Complexity: O(1), and one more for each claimed number in the way.
  public mutating func next(unless isTaken: (UInt32) -> Bool) -> UInt32 {
    while true {
      let number = upcoming
      upcoming = number == ClusterWire.maxSession ? 1 : number + 1
      if !isTaken(number) { return number }
    }
  }
}
