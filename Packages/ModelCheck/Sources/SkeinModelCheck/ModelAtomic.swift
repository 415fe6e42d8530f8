// ModelAtomic: an atomic as Synchronization's, whose accesses are steps of a checked run.

internal import SkeinPlatform
public import Synchronization

/// A value that threads of a checked program change at the same time; its interface is that of `Atomic`.
///
/// Outside of a run it gives and takes its newest value.
///
/// - Thread safety: the threads of one run.
public struct ModelAtomic<Value: BitwiseCopyable & Equatable & Sendable>: ~Copyable, @unchecked Sendable {
  // @unchecked: touched by whoever has the run's baton.
  private let location: Location

  private struct Store {
    let value: Value
    /// What an acquiring load of it takes over.
    let released: View?
  }

  private final class Location {
    var stores: [Store]
    /// The newest store that a sequentially consistent access has made or seen; a later one sees nothing older. That,
    /// and nothing about other locations, is what the standard's single order of them says.
    var newestInTotalOrder = 0
    let number: Int
    var isGone = false
    private let maker: Int
    private let madeIn: Int

    init(_ value: Value) {
      stores = [Store(value: value, released: nil)]
      number = unsafe Run.current?.newLocation() ?? 0
      maker = unsafe Run.current?.thread ?? 0
      madeIn = unsafe Run.current.map { $0.view.epoch(of: $0.thread) } ?? 0
    }

    func check(_ run: Run) {
      if isGone { run.fail("location \(number) is used after it was given back") }
      if maker != run.thread && !run.view.knows(epoch: madeIn, of: maker) {
        run.fail("location \(number) is used by a thread that does not know of its making")
      }
    }
  }

  /// An atomic with a first value.
  public init(_ value: Value) { location = Location(value) }

  /// Says that its memory is given back: an access from now on is a failure.
  public func retire() { location.isGone = true }

  /// Begins an access, which may be mutated: then it is relaxed, or torn into two.
  private func begin(_ site: ModelSite) -> (run: Run, mutation: ModelMutation.Kind?)? {
    guard let run = unsafe Run.current else { return nil }
    run.step("\(site.operation) of \(location.number), \(site.place)")
    location.check(run)
    return (run, run.visit(site))
  }

  // MARK: Loads and stores

  /// The value, or an older one that the orderings allow.
  public func load(ordering: AtomicLoadOrdering, file: StaticString = #fileID, line: UInt = #line) -> Value {
    let site = ModelSite(file, line, .load, isOrdered: ordering != .relaxed)
    guard let (run, mutation) = begin(site) else { return location.stores.last!.value }
    return load(run, mutation == .relaxed ? .relaxed : ordering)
  }

  private func load(_ run: Run, _ ordering: AtomicLoadOrdering) -> Value {
    let isTotal = ordering == .sequentiallyConsistent
    let newest = location.stores.count - 1
    let known = max(run.view.store(of: location.number), isTotal ? location.newestInTotalOrder : 0)
    let oldest = run.isRefreshed ? newest : known
    let seen = newest - run.chooser.age(newest - oldest + 1)
    run.view.see(seen, of: location.number)
    if ordering != .relaxed, let released = location.stores[seen].released { run.view.join(released) }
    if isTotal { location.newestInTotalOrder = max(seen, location.newestInTotalOrder) }
    return location.stores[seen].value
  }

  /// Replaces the value.
  public func store(
    _ value: Value, ordering: AtomicStoreOrdering, file: StaticString = #fileID, line: UInt = #line
  ) {
    let site = ModelSite(file, line, .store, isOrdered: ordering != .relaxed)
    guard let (run, mutation) = begin(site) else {
      return location.stores.append(Store(value: value, released: nil))
    }
    let ordering = mutation == .relaxed ? .relaxed : ordering
    append(value, run, releases: ordering != .relaxed, after: nil)
    if ordering == .sequentiallyConsistent { location.newestInTotalOrder = location.stores.count - 1 }
  }

  private func append(_ value: Value, _ run: Run, releases: Bool, after: View?) {
    run.view.see(location.stores.count, of: location.number)
    var released = after
    if releases {
      released = run.view
      if let after { released?.join(after) }
      run.view.advance(run.thread)
    }
    location.stores.append(Store(value: value, released: released))
    run.changed()
  }

  // MARK: Read, modify, write

  /// Reads the newest value and replaces it with what `change` makes of it; `nil` leaves it.
  private func update(
    _ file: StaticString, _ line: UInt, _ operation: ModelSite.Operation, _ success: AtomicUpdateOrdering,
    _ failure: AtomicLoadOrdering, _ change: (Value) -> Value?
  ) -> (old: Value, isChanged: Bool) {
    let site = ModelSite(file, line, operation, isOrdered: success != .relaxed)
    guard let (run, mutation) = begin(site) else {
      let old = location.stores.last!.value
      guard let new = change(old) else { return (old, false) }
      location.stores.append(Store(value: new, released: nil))
      return (old, true)
    }
    let success = mutation == .relaxed ? .relaxed : success
    let failure = mutation == .relaxed ? .relaxed : failure
    let newest = location.stores.count - 1
    let (old, released) = (location.stores[newest].value, location.stores[newest].released)
    run.view.see(newest, of: location.number)
    let new = change(old)
    let acquires =
      new == nil ? failure != .relaxed : success != .relaxed && success != .releasing
    if acquires, let released { run.view.join(released) }
    if let new {
      // Torn: others may come between the read and the write.
      if mutation == .torn { run.step("second half of \(operation) of \(location.number), \(site.place)") }
      // A release that a read-modify-write follows goes on with it.
      append(new, run, releases: success != .relaxed && success != .acquiring, after: released)
    }
    if success == .sequentiallyConsistent { location.newestInTotalOrder = location.stores.count - 1 }
    return (old, new != nil)
  }

  private static func failure(of ordering: AtomicUpdateOrdering) -> AtomicLoadOrdering {
    switch ordering {
    case .relaxed, .releasing: .relaxed
    case .sequentiallyConsistent: .sequentiallyConsistent
    default: .acquiring
    }
  }

  /// Replaces the value; returns the one before.
  public func exchange(
    _ value: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> Value { update(file, line, .update, ordering, .relaxed) { _ in value }.old }

  /// Replaces the value if it is `expected`.
  public func compareExchange(
    expected: Value, desired: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (exchanged: Bool, original: Value) {
    let (old, isChanged) = update(file, line, .update, ordering, Self.failure(of: ordering)) {
      $0 == expected ? desired : nil
    }
    return (isChanged, old)
  }

  /// Replaces the value if it is `expected`.
  public func compareExchange(
    expected: Value, desired: Value, successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (exchanged: Bool, original: Value) {
    let (old, isChanged) = update(file, line, .update, successOrdering, failureOrdering) {
      $0 == expected ? desired : nil
    }
    return (isChanged, old)
  }
}

extension ModelAtomic where Value: FixedWidthInteger {
  private func change(
    _ file: StaticString, _ line: UInt, _ ordering: AtomicUpdateOrdering, _ change: (Value) -> Value
  ) -> (oldValue: Value, newValue: Value) {
    let old = update(file, line, .update, ordering, .relaxed) { change($0) }.old
    return (old, change(old))
  }

  /// Adds, wrapping round.
  @discardableResult
  public func wrappingAdd(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> (oldValue: Value, newValue: Value) { change(file, line, ordering) { $0 &+ operand } }

  /// Adds; an overflow stops the process.
  @discardableResult
  public func add(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> (oldValue: Value, newValue: Value) { change(file, line, ordering) { $0 + operand } }

  /// Subtracts; an overflow stops the process.
  @discardableResult
  public func subtract(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> (oldValue: Value, newValue: Value) { change(file, line, ordering) { $0 - operand } }

  /// Sets bits.
  @discardableResult
  public func bitwiseOr(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> (oldValue: Value, newValue: Value) { change(file, line, ordering) { $0 | operand } }

  /// Keeps bits.
  @discardableResult
  public func bitwiseAnd(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) -> (oldValue: Value, newValue: Value) { change(file, line, ordering) { $0 & operand } }
}
