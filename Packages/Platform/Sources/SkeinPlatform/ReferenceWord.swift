// ReferenceWord: a counted reference as a machine word, for atomics.

/// Turns a counted reference into a word and back, so that an atomic can hand it to another thread.
///
/// `Unmanaged.passRetained` is not enough for that: nothing that Swift 6.3.1's optimizer knows of makes a *store* use
/// the count, so it moves the retain down past stores, atomic ones too. The object is then published first and
/// counted afterwards, and a fast taker frees it in between.
public enum ReferenceWord {
  /// Counts one more reference, and only then returns its word.
  ///
  /// A call that is never inlined: the optimizer moves nothing that counts across it.
  ///
  /// - Complexity: O(1), one atomic step.
  @inline(never)
  public static func retain(_ object: AnyObject) -> UInt {
    unsafe UInt(bitPattern: Unmanaged.passRetained(object).toOpaque())
  }

  /// Takes over the reference of a word made by ``retain(_:)``, once; `nil` for 0.
  @inlinable
  public static func take<Object: AnyObject>(_ word: UInt, as type: Object.Type = Object.self) -> Object? {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: word) else { return nil }
    return unsafe Unmanaged<Object>.fromOpaque(pointer).takeRetainedValue()
  }
}
