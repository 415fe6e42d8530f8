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

  private func begin(_ what: @autoclosure () -> String) -> Run? {
    guard let run = unsafe Run.current else { return nil }
    run.step("\(what()) of \(location.number)")
    location.check(run)
    return run
  }

  // MARK: Loads and stores

  /// The value, or an older one that the orderings allow.
  public func load(ordering: AtomicLoadOrdering) -> Value {
    guard let run = begin("load") else { return location.stores.last!.value }
    let isTotal = ordering == .sequentiallyConsistent
    if isTotal { run.view.join(run.total) }
    let newest = location.stores.count - 1
    let oldest = isTotal || run.isRefreshed ? newest : run.view.store(of: location.number)
    let seen = newest - run.chooser.age(newest - oldest + 1)
    run.view.see(seen, of: location.number)
    if ordering != .relaxed, let released = location.stores[seen].released { run.view.join(released) }
    if isTotal { run.total.join(run.view) }
    return location.stores[seen].value
  }

  /// Replaces the value.
  public func store(_ value: Value, ordering: AtomicStoreOrdering) {
    guard let run = begin("store \(value)") else { return location.stores.append(Store(value: value, released: nil)) }
    if ordering == .sequentiallyConsistent { run.view.join(run.total) }
    append(value, run, releases: ordering != .relaxed, after: nil)
    if ordering == .sequentiallyConsistent { run.total.join(run.view) }
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
    _ what: @autoclosure () -> String, acquires: Bool, releases: Bool, isTotal: Bool, failureAcquires: Bool,
    _ change: (Value) -> Value?
  ) -> (old: Value, isChanged: Bool) {
    guard let run = begin(what()) else {
      let old = location.stores.last!.value
      guard let new = change(old) else { return (old, false) }
      location.stores.append(Store(value: new, released: nil))
      return (old, true)
    }
    if isTotal { run.view.join(run.total) }
    let newest = location.stores.count - 1
    let (old, released) = (location.stores[newest].value, location.stores[newest].released)
    run.view.see(newest, of: location.number)
    let new = change(old)
    if new == nil ? failureAcquires : acquires, let released { run.view.join(released) }
    // A release that a read-modify-write follows goes on with it.
    if let new { append(new, run, releases: releases, after: released) }
    if isTotal { run.total.join(run.view) }
    return (old, new != nil)
  }

  private func update(
    _ what: @autoclosure () -> String, _ ordering: AtomicUpdateOrdering, _ change: (Value) -> Value?
  ) -> (old: Value, isChanged: Bool) {
    let acquires = ordering != .relaxed && ordering != .releasing
    return update(
      what(), acquires: acquires, releases: ordering != .relaxed && ordering != .acquiring,
      isTotal: ordering == .sequentiallyConsistent, failureAcquires: acquires, change)
  }

  /// Replaces the value; returns the one before.
  public func exchange(_ value: Value, ordering: AtomicUpdateOrdering) -> Value {
    update("exchange with \(value)", ordering) { _ in value }.old
  }

  /// Replaces the value if it is `expected`.
  public func compareExchange(
    expected: Value, desired: Value, ordering: AtomicUpdateOrdering
  ) -> (exchanged: Bool, original: Value) {
    let (old, isChanged) = update("compare-exchange \(expected) to \(desired)", ordering) {
      $0 == expected ? desired : nil
    }
    return (isChanged, old)
  }

  /// Replaces the value if it is `expected`.
  public func compareExchange(
    expected: Value, desired: Value, successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering
  ) -> (exchanged: Bool, original: Value) {
    let (old, isChanged) = update(
      "compare-exchange \(expected) to \(desired)",
      acquires: successOrdering != .relaxed && successOrdering != .releasing,
      releases: successOrdering != .relaxed && successOrdering != .acquiring,
      isTotal: successOrdering == .sequentiallyConsistent, failureAcquires: failureOrdering != .relaxed
    ) { $0 == expected ? desired : nil }
    return (isChanged, old)
  }
}

extension ModelAtomic where Value: FixedWidthInteger {
  private func change(
    _ what: String, _ ordering: AtomicUpdateOrdering, _ change: (Value) -> Value
  ) -> (oldValue: Value, newValue: Value) {
    let old = update(what, ordering) { change($0) }.old
    return (old, change(old))
  }

  /// Adds, wrapping round.
  @discardableResult
  public func wrappingAdd(_ operand: Value, ordering: AtomicUpdateOrdering) -> (oldValue: Value, newValue: Value) {
    change("add \(operand)", ordering) { $0 &+ operand }
  }

  /// Adds; an overflow is a failure of the program.
  @discardableResult
  public func add(_ operand: Value, ordering: AtomicUpdateOrdering) -> (oldValue: Value, newValue: Value) {
    change("add \(operand)", ordering) { $0 + operand }
  }

  /// Subtracts; an overflow is a failure of the program.
  @discardableResult
  public func subtract(_ operand: Value, ordering: AtomicUpdateOrdering) -> (oldValue: Value, newValue: Value) {
    change("subtract \(operand)", ordering) { $0 - operand }
  }

  /// Sets bits.
  @discardableResult
  public func bitwiseOr(_ operand: Value, ordering: AtomicUpdateOrdering) -> (oldValue: Value, newValue: Value) {
    change("or \(operand)", ordering) { $0 | operand }
  }

  /// Keeps bits.
  @discardableResult
  public func bitwiseAnd(_ operand: Value, ordering: AtomicUpdateOrdering) -> (oldValue: Value, newValue: Value) {
    change("and \(operand)", ordering) { $0 & operand }
  }
}
