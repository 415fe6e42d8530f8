// InlineCell: a value at a place that does not move, for what threads share.
//
// A stored property has no address that may be written through while somebody borrows it; raw layout has. It is what
// Synchronization's Mutex and Atomic are made of. The features RawLayout and BuiltinModule are experimental in Swift
// 6.3.1, and the module needs them, not its users.

import Builtin

/// Memory for one value inside of whatever holds the cell, reached through its address.
///
/// Safe: the address is handed out to this module's types only, which say who may use it when.
@_rawLayout(like: Value, movesAsLike)
@usableFromInline
@safe struct InlineCell<Value: ~Copyable>: ~Copyable {
  @inlinable
  init(_ value: consuming Value) { unsafe address.initialize(to: value) }

  @inlinable
  deinit { unsafe address.deinitialize(count: 1) }

  /// Where the value is; the cell's holder must not move as long as it is used.
  @inlinable
  var address: UnsafeMutablePointer<Value> {
    unsafe UnsafeMutablePointer<Value>(Builtin.addressOfRawLayout(self))
  }
}
