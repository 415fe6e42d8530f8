// ModelMinimum: the one operation of the waiter that the checker's atomics have not.

import SkeinModelCheck
import Synchronization

extension ModelAtomic where Value: FixedWidthInteger {
  /// Keeps the smaller one of its value and `operand`; always a step that writes.
  func min(
    _ operand: Value, ordering: AtomicUpdateOrdering, file: StaticString = #fileID, line: UInt = #line
  ) {
    var old = load(ordering: .relaxed)
    var isDone = false
    while !isDone {
      (isDone, old) = compareExchange(
        expected: old, desired: Swift.min(old, operand), ordering: ordering, file: file, line: line)
    }
  }
}
