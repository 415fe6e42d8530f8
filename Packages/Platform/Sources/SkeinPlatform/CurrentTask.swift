// CurrentTask: which task the thread runs, as a word to compare.

internal import CSkeinPlatform

/// The task that the calling thread runs, by its address.
public enum CurrentTask {
  /// The address of the task's object, which is also that of its job; 0 where there is no task.
  ///
  /// For comparing, while the task lives: an address comes again. What `withUnsafeCurrentTask` gives is the same, in a
  /// type that counts references.
  ///
  /// - Complexity: O(1), about 2 ns.
  public static var address: UInt { UInt(skein_current_task()) }
}
