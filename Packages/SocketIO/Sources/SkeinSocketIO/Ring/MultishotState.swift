// MultishotState: a stream of completions (received bytes, accepted connections) that is wanted or not, and the one
// request that makes it. A pure value: it says what to do, the poller does it.
//
// The request runs in the kernel by itself, ends by itself (end of input, an error, no buffer, a full completion
// queue) and answers a cancel late. What is wanted may change many times meanwhile.
//
//   request  | want        | unwant            | replace (wanted) | its last completion
//   ---------+-------------+-------------------+------------------+-------------------------------------
//   none     | → running ↑ | –                 | –                | impossible
//   running  | –           | → ending, cancel  | → ending, cancel | → none; `rearm` if it is still wanted
//   ending   | –           | –                 | –                | → none; `rearm` if it is wanted again
//
// Invariants: at most one request is in the kernel; one that is wanted is never without a request longer than until
// the poller's next `rearm`; at most one cancel is under way for a request. A cancel cannot meet a later request of
// the same token: requests are submitted in the order in which they are made, and the later one is made after the
// last completion of the earlier one.

#if SKEIN_IOURING
/// Whether a stream of completions is wanted, and what became of the request that makes it.
struct MultishotState: Hashable, Sendable {
  /// What the poller has to do.
  enum Action: Hashable, Sendable {
    case nothing
    /// Make the request.
    case arm
    /// Cancel the request.
    case cancel
  }

  /// The request in the kernel.
  enum Request: Hashable, Sendable {
    case none
    case running
    /// A cancel is under way.
    case ending
  }

  private(set) var isWanted = false
  private(set) var request = Request.none

  /// The stream is wanted from now on.
  mutating func want() -> Action {
    isWanted = true
    return rearm()
  }

  /// The stream is wanted, but the request shall wait until `rearm`.
  mutating func wantLater() { isWanted = true }

  /// The stream is not wanted; completions may still come.
  mutating func unwant() -> Action {
    isWanted = false
    return end()
  }

  /// Another request shall take the place of the running one: made by another thread.
  mutating func replace() -> Action { end() }

  /// The last completion of the request came.
  mutating func requestEnded() { request = .none }

  /// Makes the request if one is wanted and none is there.
  mutating func rearm() -> Action {
    guard isWanted, request == .none else { return .nothing }
    request = .running
    return .arm
  }

  private mutating func end() -> Action {
    guard request == .running else { return .nothing }
    request = .ending
    return .cancel
  }
}
#endif
