// View: what a thread has seen: how far each location's stores, and each thread's steps.

/// What is known at one point of a run.
struct View {
  /// For each location the newest store that is known; loads give that one or a later one.
  private(set) var stores: [Int: Int] = [:]
  /// For each thread how many of its epochs are known.
  private(set) var epochs: [Int] = []

  func store(of location: Int) -> Int { stores[location] ?? 0 }

  func knows(epoch: Int, of thread: Int) -> Bool { thread < epochs.count && epochs[thread] >= epoch }

  func epoch(of thread: Int) -> Int { thread < epochs.count ? epochs[thread] : 0 }

  mutating func see(_ store: Int, of location: Int) { stores[location] = max(store, stores[location] ?? 0) }

  mutating func advance(_ thread: Int) {
    while epochs.count <= thread { epochs.append(0) }
    epochs[thread] += 1
  }

  mutating func join(_ other: View) {
    for (location, store) in other.stores { see(store, of: location) }
    while epochs.count < other.epochs.count { epochs.append(0) }
    for (thread, epoch) in other.epochs.enumerated() where epoch > epochs[thread] { epochs[thread] = epoch }
  }
}
